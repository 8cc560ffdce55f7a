import type { Switches } from 'klaviyo-sandbox';

/** Open questions that `hidden-consent.test.ts` answers: under them the ledger cannot know all of the truth. */
export const HIDING_SWITCHES = [
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
