import type { Words } from '../values/said.js';
import { exportPreset } from './export-layout.js';

/** Whom Drip bills is active: also people who left. */
const STATUS: Words = {
  subscribed: 'subscribe',
  unsubscribed: 'unsubscribe',
  undeliverable: 'bounced',
  active: 'silent',
  inactive: 'nothing',
  '': 'silent',
};

/** Drip's export of one of its views of people. */
export const drip = exportPreset({
  name: 'drip',
  label: 'Drip, people',
  fingerprint: [
    { oneOf: ['email'] },
    { oneOf: ['status'] },
    { oneOf: ['confirmed_at', 'confirmed at'] },
    { oneOf: ['lead_score', 'lead score', 'lifetime_value', 'lifetime value'] },
  ],
  email: ['email'],
  phone: ['phone'],
  country: ['country'],
  channels: {
    email: {
      says: [{ column: ['status'], words: STATUS }],
      date: { columns: ['confirmed_at', 'confirmed at'] },
      ask: {
        problem:
          'Drip calls people active whom it bills, also those who left: which view was exported tells them apart, and the file does not say it.',
        remedy:
          'For the view Subscribed say with --attested who consented, when and how; for Unsubscribed add --operation unsubscribe, for Undeliverable --operation suppress.',
      },
    },
  },
});
