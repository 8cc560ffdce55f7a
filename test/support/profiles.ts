import type {
  EmailMarketing,
  ProfileConsent,
  SmsConsent,
  Suppression,
} from '../../src/klaviyo/index.js';

/** What a profile shows of marketing e-mail. */
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

/** What a profile shows of texts. */
export function sms(consent: SmsConsent['consent']): SmsConsent {
  return { consent, consentedAt: null, canReceive: null, method: null, lastUpdated: null };
}

/** A profile as our client reads it: a person with an address, whose consent is not shown. */
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
