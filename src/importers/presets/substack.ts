import type { Words } from '../values/said.js';
import { exportPreset } from './export-layout.js';

/** Whether somebody turned mail off. */
const DISABLED: Words = { true: 'unsubscribe', false: 'subscribe', '': 'nothing' };

/**
 * Substack's list of subscribers. `active_subscription` says who pays: free readers have `false`, and
 * have not left.
 */
export const substack = exportPreset({
  name: 'substack',
  label: 'Substack, subscribers',
  fingerprint: [{ allOf: ['email', 'active_subscription', 'email_disabled'] }],
  email: ['email'],
  channels: {
    email: {
      says: [{ column: ['email_disabled'], words: DISABLED }],
      date: { columns: ['created_at'] },
    },
  },
});
