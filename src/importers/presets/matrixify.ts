import type { Words } from '../values/said.js';
import { exportPreset, type ExportedChannel } from './export-layout.js';

/** Shopify's states of consent. Nothing is ever sent for data that was erased, or is not valid. */
const STATES: Words = {
  subscribed: 'subscribe',
  unsubscribed: 'unsubscribe',
  pending: 'pending',
  not_subscribed: 'no',
  redacted: 'nothing',
  invalid: 'nothing',
  '': 'nothing',
};

function marketing(channel: 'Email' | 'SMS'): ExportedChannel {
  const updated = { columns: [`${channel} Marketing: Updated At`] };
  return {
    says: [{ column: [`${channel} Marketing: Status`], words: STATES }],
    date: updated,
    left: updated,
  };
}

/**
 * Matrixify's export of Shopify customers, with the dates that Shopify's own export lacks. A customer
 * with several addresses has several lines, and only the first has the e-mail and the states.
 */
export const matrixifyCustomers = exportPreset({
  name: 'matrixify-customers',
  label: 'Matrixify for Shopify, customers',
  fingerprint: [{ allOf: ['Email'], oneOf: ['Email Marketing: Status', 'SMS Marketing: Status'] }],
  email: ['Email'],
  phone: ['Phone'],
  channels: { email: marketing('Email'), sms: marketing('SMS') },
  person: { id: ['ID'], begins: ['Top Row'] },
});
