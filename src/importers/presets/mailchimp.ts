import type { Header } from '../../connectors/header.js';
import { SourceError } from '../../connectors/source-error.js';
import { asksTheSame } from '../options.js';
import { BOUNCE, OPT_OUT } from '../values/said.js';
import { statusInName } from '../values/status-in-name.js';
import { bindExport, exportPreset, type ExportLayout } from './export-layout.js';
import { cell, type Preset } from './preset.js';

const ADDRESS = ['Email Address'];
const COUNTRY = ['CC'];
const JOINED = { columns: ['CONFIRM_TIME', 'OPTIN_TIME'] };
const LEFT = { columns: ['UNSUB_TIME'] };
const LEFT_COLUMNS = ['UNSUB_TIME', 'UNSUB_CAMPAIGN_TITLE', 'UNSUB_CAMPAIGN_ID', 'UNSUB_REASON'];

/**
 * Mailchimp's export of subscribed contacts. Every row has e-mail consent, dated CONFIRM_TIME, else
 * OPTIN_TIME. The file says nothing about SMS: by asking for the channel, the operator attests
 * consent for the rows with a phone number.
 */
export const mailchimpSubscribed = exportPreset({
  name: 'mailchimp-subscribed',
  label: 'Mailchimp, subscribed contacts',
  fingerprint: [{ allOf: ADDRESS, oneOf: JOINED.columns, noneOf: ['UNSUB_*', 'CLEAN_*'] }],
  email: ADDRESS,
  phone: ['Phone Number'],
  country: COUNTRY,
  channels: {
    email: { everyRow: 'subscribe', says: [], date: JOINED },
    sms: { everyRow: 'subscribe', says: [], date: JOINED },
  },
});

const UNSUBSCRIBED: ExportLayout = {
  name: 'mailchimp-unsubscribed',
  label: 'Mailchimp, unsubscribed contacts',
  fingerprint: [{ allOf: [...ADDRESS, 'UNSUB_TIME'] }],
  isOwn: (header) => !isOfBothKinds(header),
  email: ADDRESS,
  country: COUNTRY,
  channels: { email: { everyRow: 'unsubscribe', says: [], left: LEFT } },
};

/**
 * Mailchimp's export of unsubscribed contacts: e-mail opt-outs, dated UNSUB_TIME. They are
 * unsubscribed but not suppressed, since the people may subscribe again by themselves. A file with all
 * contacts can have the same columns: a row without any sign of leaving is asked about.
 */
export const mailchimpUnsubscribed: Preset = {
  ...exportPreset(UNSUBSCRIBED),
  bind(header, options) {
    const read = bindExport(header, options, UNSUBSCRIBED);
    const isTold =
      options.preset === UNSUBSCRIBED.name ||
      asksTheSame(options) ||
      statusInName(header.file) !== null;
    const signs = header.columns.flatMap((column, place) =>
      column.toUpperCase().startsWith('UNSUB_') ? [place] : [],
    );
    return (fields, line) => {
      if (!isTold && signs.every((place) => cell(fields, place).trim() === '')) {
        throw new SourceError(
          'status_not_told',
          { file: header.file, line, column: 'UNSUB_TIME' },
          'The row does not say when the person left, so the file may have subscribed people too.',
          'If it has, add --preset mailchimp-all: whoever has no UNSUB_TIME is subscribed. If everybody in it left, add --preset mailchimp-unsubscribed.',
        );
      }
      return read(fields, line);
    };
  },
};

/** Mailchimp's export of all contacts in one file, which says of each row whether the person left. */
export const mailchimpAll = exportPreset({
  name: 'mailchimp-all',
  label: 'Mailchimp, subscribed and unsubscribed contacts in one file',
  fingerprint: [{ allOf: [...ADDRESS, 'UNSUB_TIME'] }],
  isOwn: isOfBothKinds,
  email: ADDRESS,
  country: COUNTRY,
  channels: {
    email: {
      everyRow: 'subscribe',
      says: [
        { column: ['UNSUB_*'], ...OPT_OUT },
        { column: ['CLEAN_*'], ...BOUNCE, isOptional: true },
      ],
      date: JOINED,
      left: LEFT,
    },
  },
});

/** Only the file with both kinds of contacts repeats columns about leaving. */
function isOfBothKinds(header: Header): boolean {
  return LEFT_COLUMNS.some(
    (name) => header.columns.filter((column) => column.toUpperCase() === name).length > 1,
  );
}

/**
 * Mailchimp's export of cleaned contacts: addresses that bounced permanently or too often. They are
 * suppressed, as Klaviyo does with hard bounces; CLEAN_TIME is not a consent date.
 */
export const mailchimpCleaned = exportPreset({
  name: 'mailchimp-cleaned',
  label: 'Mailchimp, cleaned contacts',
  fingerprint: [
    { allOf: ADDRESS, oneOf: ['CLEAN_TIME', 'CLEAN_CAMPAIGN_TITLE', 'CLEAN_CAMPAIGN_ID'] },
  ],
  // A file with both kinds of contacts says what the others are.
  isOwn: (header) => !isOfBothKinds(header),
  email: ADDRESS,
  country: COUNTRY,
  channels: { email: { everyRow: 'bounced', says: [] } },
});
