import type { Words } from '../values/said.js';
import { exportPreset } from './export-layout.js';

const STATUS: Words = {
  subscribed: 'subscribe',
  unsubscribed: 'unsubscribe',
  pending: 'pending',
  never_subscribed: 'no',
  '': 'nothing',
};

/**
 * Wix's export of contacts. Its states are of the first address and the first number: of which of
 * several a person consented to is not said. It has no date of consent.
 */
export const wixContacts = exportPreset({
  name: 'wix-contacts',
  label: 'Wix, contacts',
  fingerprint: [
    { allOf: ['Email 1'], oneOf: ['Email subscriber status', 'SMS subscriber status'] },
  ],
  email: ['Email 1'],
  phone: ['Phone 1'],
  country: ['Address 1 - Country'],
  channels: {
    email: { says: [{ column: ['Email subscriber status'], words: STATUS }] },
    sms: { says: [{ column: ['SMS subscriber status'], words: STATUS }] },
  },
});
