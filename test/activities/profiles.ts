import type {
  EmailMarketing,
  ProfileConsent,
  SmsConsent,
  Suppression,
} from '../../src/klaviyo/index.js';
import type { OpenPart, OpenRow } from '../../src/ledger/index.js';

export function email(
  consent: EmailMarketing['consent'],
  suppressions: readonly Suppression['reason'][] = [],
  listSuppressions: readonly string[] = [],
): EmailMarketing {
  const timestamp = '2024-01-01T00:00:00+00:00';
  return {
    consent,
    consentedAt: timestamp,
    canReceive: suppressions.length === 0,
    suppressions: suppressions.map((reason) => ({ reason, timestamp })),
    listSuppressions: listSuppressions.map((listId) => ({
      listId,
      reason: 'UNSUBSCRIBE',
      timestamp,
    })),
    doubleOptIn: null,
    method: null,
    customMethodDetail: null,
    lastUpdated: timestamp,
  };
}

export function sms(consent: SmsConsent['consent']): SmsConsent {
  return { consent, consentedAt: null, canReceive: null, method: null, lastUpdated: null };
}

export function profile(fields: Partial<ProfileConsent> = {}): ProfileConsent {
  return {
    id: 'P1',
    email: 'a@example.com',
    phoneNumber: null,
    emailMarketing: null,
    smsMarketing: null,
    smsTransactional: null,
    whatsappMarketing: null,
    pushMarketing: null,
    emailTracking: { opens: null, clicks: null },
    joinedAt: null,
    ...fields,
  };
}

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
