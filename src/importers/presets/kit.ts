import { fits } from '../../connectors/header.js';
import type { Words } from '../values/said.js';
import { exportPreset } from './export-layout.js';

const STATE: Words = {
  active: 'subscribe',
  inactive: 'nothing',
  cancelled: 'unsubscribe',
  bounced: 'bounced',
  complained: 'complained',
  '': 'nothing',
};

/**
 * Kit's export of subscribers. `active` in a column `status` is the state of an account elsewhere: only
 * Kit's own names are recognised.
 */
export const kit = exportPreset({
  name: 'kit',
  label: 'Kit, subscribers',
  fingerprint: [
    { oneOf: ['email_address', 'email'] },
    { oneOf: ['state', 'status'] },
    { allOf: ['created_at'] },
  ],
  isOwn: (header) => fits(header, { allOf: ['first_name', 'email_address', 'state', 'tags'] }),
  email: ['email_address', 'email'],
  channels: {
    email: {
      says: [{ column: ['state', 'status'], words: STATE }],
      date: { columns: ['created_at'] },
    },
  },
});
