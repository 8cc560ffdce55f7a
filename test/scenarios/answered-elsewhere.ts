import type { Switches } from 'klaviyo-sandbox';

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
  'smsMarketingImplies',
] as const satisfies readonly (keyof Switches)[];
