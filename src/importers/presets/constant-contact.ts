import type { Header } from '../../connectors/header.js';
import { cellText } from '../values/cell-text.js';
import type { Words } from '../values/said.js';
import { bindExport, exportPreset, type ExportLayout } from './export-layout.js';
import type { Preset } from './preset.js';

const STATUS: Words = {
  active: 'silent',
  unsubscribed: 'unsubscribe',
  awaiting_confirmation: 'pending',
  temp_hold: 'nothing',
  '': 'nothing',
};

/** Implicit permission is not consent: it is only assumed. */
const PERMISSION: Words = {
  explicit: 'subscribe',
  implicit: 'list_only',
  pending_confirmation: 'pending',
  unsubscribed: 'unsubscribe',
  temp_hold: 'nothing',
  not_set: 'nothing',
  '': 'nothing',
};

/** Dates of the US, with the letters of a zone there or without. */
const DATES = ['', ' h:mm a', ' h:mm:ss a', ' h:mm a ZZZZ', ' h:mm:ss a ZZZZ'].map(
  (time) => `M/d/yyyy${time}`,
);

/** The addresses of a contact: one, or several that each have a status of their own. */
const ADDRESSES = ['', ' - home', ' - work', ' - other'];

function layoutOf(address: string): ExportLayout {
  return {
    name: 'constant-contact',
    label: 'Constant Contact, contacts',
    fingerprint: [
      { oneOf: ADDRESSES.map((each) => `Email address${each}`) },
      { oneOf: ADDRESSES.map((each) => `Email permission status${each}`) },
    ],
    email: [`Email address${address}`],
    phone: ['Phone - mobile'],
    channels: {
      email: {
        says: [
          { column: [`Email permission status${address}`], words: PERMISSION },
          { column: [`Email status${address}`], words: STATUS, isOptional: true },
        ],
        left: {
          columns: ['Confirmed Opt-Out Date'],
          formats: DATES,
        },
      },
      sms: {
        says: [],
        ask: {
          problem:
            'Constant Contact exports who gets texts and who left them as separate files, and only the name of the file tells them apart.',
          remedy:
            'For SMS Unsubscribed add --operation unsubscribe; for SMS Subscribed say with --attested who consented, when and how; or leave sms out of --channels.',
        },
      },
    },
  };
}

/**
 * Constant Contact's export of contacts. It has no date of consent: `Created At` is when the contact
 * was entered.
 */
export const constantContact: Preset = {
  ...exportPreset(layoutOf('')),
  bind(header, options) {
    const readers = addressesIn(header).map((each) => bindExport(header, options, layoutOf(each)));
    return (fields, line) => {
      const claims = readers.map((read) => read(fields, line));
      const named = claims.filter(({ email }) => cellText(email) !== '');
      return named.length > 0 ? named : claims.slice(0, 1);
    };
  },
};

function addressesIn(header: Header): readonly string[] {
  return ADDRESSES.filter((each) => header.has(`Email address${each}`));
}
