import { bindColumns, type ColumnLayout } from './column-layout.js';
import type { Header } from '../../connectors/header.js';
import { cell, type Preset } from './preset.js';
import { suppressionOfReasons, type Suppression } from '../values/suppression.js';

/** The consent columns of Klaviyo's export and import, each followed by its timestamp. */
const LAYOUT: ColumnLayout = {
  email: ['Email', 'Email Address'],
  phone: ['Phone Number'],
  country: ['Country'],
  channels: {
    email: {
      consent: ['Email Marketing Consent'],
      date: [
        'Email Marketing Consent Timestamp',
        'Email Consent Timestamp',
        'Email Marketing Timestamp',
      ],
    },
    sms: {
      consent: ['SMS Marketing Consent'],
      date: ['SMS Marketing Consent Timestamp', 'SMS Consent Timestamp', 'SMS Marketing Timestamp'],
    },
    sms_transactional: {
      consent: ['SMS Transactional Consent'],
      date: ['SMS Transactional Consent Timestamp', 'SMS Transactional Timestamp'],
    },
    whatsapp: {
      consent: ['WhatsApp Marketing Consent'],
      date: ['WhatsApp Marketing Consent Timestamp', 'WhatsApp Consent Timestamp'],
    },
  },
  remedy: (channel, column) =>
    `Add a column "${column}" (Subscribed, Unsubscribed, Never subscribed or blank), or leave ${channel} out of --channels.`,
};

const CONSENT_COLUMNS = Object.values(LAYOUT.channels).flatMap(({ consent }) => consent);

/** The layout of Klaviyo's own import. A blank is never subscribed. */
export const klaviyoImport: Preset = {
  name: 'klaviyo-import',
  label: 'Klaviyo, import layout',
  fingerprint: { oneOf: CONSENT_COLUMNS, noneOf: ['Klaviyo ID'] },
  operation: 'subscribe',
  bind: (header, options) => bindColumns(header, options, LAYOUT),
};

/**
 * Klaviyo's export of a list or segment. A suppressed profile can still be `SUBSCRIBED`, so `Email
 * Suppressions` takes precedence over the e-mail consent.
 */
export const klaviyoExport: Preset = {
  name: 'klaviyo-export',
  label: 'Klaviyo, exported profiles',
  fingerprint: { allOf: ['Klaviyo ID'], oneOf: CONSENT_COLUMNS },
  operation: 'subscribe',
  bind: (header, options) =>
    bindColumns(header, options, { ...LAYOUT, suppression: suppressionColumn }),
};

function suppressionColumn(
  header: Header,
): ((fields: readonly string[]) => Suppression | null) | null {
  const column = header.find('Email Suppressions');
  return column === null ? null : (fields) => suppressionOfReasons(cell(fields, column));
}
