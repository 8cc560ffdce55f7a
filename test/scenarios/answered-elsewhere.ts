import type { Switches } from '../../src/sandbox/index.js';

/** Open questions that `hostile.test.ts` answers: under them the ledger cannot know all of the truth. */
export const ANSWERED_IN_HOSTILE = [
  'filterCase',
  'storedEmails',
  'sameIdentifier',
  'emailField',
  'suppressionField',
  'subscriptionsField',
  'acceptedRows',
  'smsBesideEmail',
] as const satisfies readonly (keyof Switches)[];
