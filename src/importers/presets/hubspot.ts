import { BOUNCE, OPT_OUT } from '../values/said.js';
import { exportPreset } from './export-layout.js';

const OUT_OF_ALL = 'Unsubscribed from all email';

/**
 * HubSpot's export of contacts. It has opt-outs, from all mail or from one type, which counts as one from
 * marketing. A blank in them is somebody who consented, or was never asked: it is no consent. Nor is
 * `Marketing contact status`, which says whom HubSpot bills.
 */
export const hubspot = exportPreset({
  name: 'hubspot',
  label: 'HubSpot, contacts',
  fingerprint: [{ allOf: ['Email', OUT_OF_ALL] }],
  email: ['Email'],
  phone: ['Mobile Phone Number', 'Phone Number'],
  channels: {
    email: {
      says: [
        { column: [OUT_OF_ALL], ...OPT_OUT },
        { column: ['Opted out of email: *'], ...OPT_OUT, isOptional: true },
        { column: ['Email hard bounce reason'], ...BOUNCE, isOptional: true },
      ],
    },
  },
});
