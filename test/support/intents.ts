import type { Intent, IntentPart } from '../../src/contracts/intents.js';

/** What a row asks for one channel: consent to e-mail, without a date. */
export function part(fields: Partial<IntentPart> = {}): IntentPart {
  return {
    channel: 'email',
    operation: 'subscribe',
    consentedAt: null,
    rejected: null,
    note: null,
    ...fields,
  };
}

/** What a row asks for one person: that part, for an address. */
export function intent(fields: Partial<Intent> = {}): Intent {
  return {
    line: 2,
    email: 'a@example.com',
    phoneNumber: null,
    country: null,
    rawEmail: null,
    rawPhone: null,
    parts: [part()],
    ...fields,
  };
}
