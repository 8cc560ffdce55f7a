import type { Words } from '../values/said.js';
import { exportPreset } from './export-layout.js';

/** The state on one list. */
const STATUS: Words = {
  active: 'subscribe',
  unsubscribed: 'unsubscribe',
  bounced: 'bounced',
  unconfirmed: 'pending',
  any: 'nothing',
  '': 'nothing',
};

/**
 * ActiveCampaign's export of contacts. Whoever is on several lists may have several lines: an opt-out
 * wins. `Date Created` is not when somebody consented.
 */
export const activeCampaign = exportPreset({
  name: 'activecampaign',
  label: 'ActiveCampaign, contacts',
  fingerprint: [
    { allOf: ['Email', 'Status', 'IP'] },
    { oneOf: ['Date Created'] },
    { oneOf: ['Tags'] },
  ],
  email: ['Email'],
  phone: ['Phone'],
  channels: { email: { says: [{ column: ['Status'], words: STATUS }] } },
});
