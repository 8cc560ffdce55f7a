import type { OpenPart, OpenRow } from '../../src/ledger/index.js';

/** A part of a job that is not sent yet. */
export function openPart(fields: Partial<OpenPart> = {}): OpenPart {
  return {
    channel: 'email',
    operation: 'subscribe',
    consentedAt: null,
    submissionId: null,
    unsent: true,
    ...fields,
  };
}

/** A row of a job with that part, of a person with an address and a number. */
export function openRow(fields: Partial<OpenRow> = {}): OpenRow {
  return {
    rowNumber: 1,
    email: 'a@example.com',
    rawEmail: null,
    phoneNumber: '+12015550123',
    oneProfile: true,
    consentAgeMs: null,
    dateOfBirth: null,
    pushToken: null,
    parts: [openPart()],
    ...fields,
  };
}
