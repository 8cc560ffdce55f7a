import {
  CONSENT_STATES,
  SUPPRESSION_REASONS,
  type ChannelConsent,
  type EmailMarketing,
  type ProfileConsent,
  type SmsConsent,
  type Suppression,
  type SuppressionReason,
  type ConsentState,
  type TrackingConsent,
} from './profile-consent.js';
import {
  wireProfile,
  type WireEmail,
  type WirePermission,
  type WireProfile,
} from './profile-wire.js';

/** A profile's identifiers and consent, as the guard sees them. */
export const profileSchema = wireProfile.transform(toProfileConsent);

const UNKNOWN: ChannelConsent = { consent: 'unknown', consentedAt: null };
const UNSTATED: Suppression = { reason: 'unstated', timestamp: null };
const UNKNOWN_SMS: SmsConsent = { ...UNKNOWN, canReceive: null, method: null, lastUpdated: null };
const UNKNOWN_EMAIL: EmailMarketing = {
  ...UNKNOWN_SMS,
  suppressions: [UNSTATED],
  listSuppressions: null,
  doubleOptIn: null,
  customMethodDetail: null,
};

/** Unknown consent, as of a profile whose `subscriptions` are null. */
export const UNKNOWN_CONSENT = {
  emailMarketing: UNKNOWN_EMAIL,
  smsMarketing: UNKNOWN_SMS,
  smsTransactional: UNKNOWN_SMS,
  whatsappMarketing: UNKNOWN,
  pushMarketing: UNKNOWN,
} as const satisfies Partial<ProfileConsent>;

/**
 * Klaviyo states the marketing consent of every address and number that it has, even if only as
 * never subscribed, so missing consent is unknown. For the other channels null means that the
 * profile never used them.
 */
export function toProfileConsent({ id, attributes }: WireProfile): ProfileConsent {
  const { email, phone_number: phoneNumber, subscriptions: held } = attributes;
  const unread = held === null;
  return {
    id,
    email,
    phoneNumber,
    emailMarketing:
      toEmailMarketing(held?.email?.marketing, email !== null) ??
      (unread || email !== null ? UNKNOWN_EMAIL : null),
    smsMarketing:
      toSmsConsent(held?.sms?.marketing, held?.sms?.marketing?.can_receive_sms_marketing) ??
      (unread || phoneNumber !== null ? UNKNOWN_SMS : null),
    smsTransactional:
      toSmsConsent(
        held?.sms?.transactional,
        held?.sms?.transactional?.can_receive_sms_transactional,
      ) ?? (unread ? UNKNOWN_SMS : null),
    whatsappMarketing: toChannelConsent(held?.whatsapp?.marketing) ?? (unread ? UNKNOWN : null),
    pushMarketing: toChannelConsent(held?.mobile_push?.marketing) ?? (unread ? UNKNOWN : null),
    emailTracking: {
      opens: toTracking(held?.email?.open_tracking),
      clicks: toTracking(held?.email?.click_tracking),
    },
    joinedAt: attributes.joined_group_at ?? null,
  };
}

/** A channel's consent as it was sent. */
type WireConsent = Pick<WirePermission, 'consent' | 'consent_timestamp'>;

function stateOf({ consent }: WireConsent): ConsentState {
  return CONSENT_STATES.find((known) => known === consent) ?? 'unknown';
}

function toChannelConsent(wire: WireConsent | null | undefined): ChannelConsent | null {
  if (wire === null || wire === undefined) return null;
  return { consent: stateOf(wire), consentedAt: wire.consent_timestamp ?? null };
}

function toTracking(wire: WirePermission | null | undefined): TrackingConsent | null {
  const consent = toChannelConsent(wire);
  return consent && { ...consent, validUntil: wire?.valid_until ?? null };
}

function toEmailMarketing(
  wire: WireEmail | null | undefined,
  hasAddress: boolean,
): EmailMarketing | null {
  if (wire === null || wire === undefined) return null;
  return {
    consent: stateOf(wire),
    consentedAt: wire.consent_timestamp ?? null,
    canReceive: wire.can_receive_email_marketing ?? null,
    suppressions: suppressionsOf(wire, hasAddress),
    listSuppressions:
      wire.list_suppressions?.map((suppression) => ({
        listId: suppression.list_id,
        reason: suppression.reason,
        timestamp: suppression.timestamp ?? null,
      })) ?? null,
    doubleOptIn: wire.double_optin ?? null,
    method: wire.method ?? null,
    customMethodDetail: wire.custom_method_detail ?? null,
    lastUpdated: wire.last_updated ?? null,
  };
}

/** `can_receive_email_marketing` is false for a profile with a suppression or without an address. */
function suppressionsOf(wire: WireEmail, hasAddress: boolean): Suppression[] {
  const { suppression: listed = null, can_receive_email_marketing: canReceive = null } = wire;
  if (listed !== null && listed.length > 0) {
    return listed.map(({ reason, timestamp }) => ({
      reason: suppressionReason(reason),
      timestamp: timestamp ?? null,
    }));
  }
  if (canReceive === false && hasAddress) return [{ reason: 'unknown', timestamp: null }];
  return canReceive === null && listed === null ? [UNSTATED] : [];
}

function toSmsConsent(
  wire:
    Pick<WireEmail, 'consent' | 'consent_timestamp' | 'method' | 'last_updated'> | null | undefined,
  canReceive: boolean | null | undefined,
): SmsConsent | null {
  if (wire === null || wire === undefined) return null;
  return {
    consent: stateOf(wire),
    consentedAt: wire.consent_timestamp ?? null,
    canReceive: canReceive ?? null,
    method: wire.method ?? null,
    lastUpdated: wire.last_updated ?? null,
  };
}

/** The API specification calls one reason SPAM_REPORT in prose and SPAM_COMPLAINT in the schema. */
function suppressionReason(reason: string): SuppressionReason {
  if (reason === 'SPAM_REPORT') return 'SPAM_COMPLAINT';
  return SUPPRESSION_REASONS.find((known) => known === reason) ?? 'unknown';
}
