import * as z from 'zod';
import { optionalDatetime } from '../reads/datetime.js';
import { identifier } from '../reads/identifier.js';
import {
  CONSENT_STATES,
  SUPPRESSION_REASONS,
  type ChannelConsent,
  type EmailMarketing,
  type ProfileConsent,
  type SmsConsent,
  type Suppression,
  type SuppressionReason,
  type TrackingConsent,
} from './profile-consent.js';

const optionalText = z.string().nullish();
const optionalFlag = z.boolean().nullish();
const consentState = z.enum([...CONSENT_STATES, 'unknown']).catch('unknown');

const emailMarketing = z.object({
  consent: consentState,
  consent_timestamp: optionalDatetime,
  can_receive_email_marketing: optionalFlag,
  last_updated: optionalDatetime,
  method: optionalText,
  custom_method_detail: optionalText,
  double_optin: optionalFlag,
  suppression: z.array(z.object({ reason: z.string(), timestamp: optionalDatetime })).nullish(),
  list_suppressions: z
    .array(z.object({ list_id: z.string(), reason: z.string(), timestamp: optionalDatetime }))
    .nullish(),
});
type WireEmail = z.infer<typeof emailMarketing>;

const smsFields = {
  consent: consentState,
  consent_timestamp: optionalDatetime,
  method: optionalText,
  last_updated: optionalDatetime,
};
const plainConsent = z.object({ consent: consentState, consent_timestamp: optionalDatetime });
const tracking = z
  .object({ ...plainConsent.shape, valid_until: optionalDatetime })
  .nullish()
  // Nothing depends on it, so an unreadable value must not hide consent that matters.
  .catch(null);
const smsMarketing = z.object({ ...smsFields, can_receive_sms_marketing: optionalFlag });
const smsTransactional = z.object({ ...smsFields, can_receive_sms_transactional: optionalFlag });

const subscriptions = z.object({
  email: z
    .object({
      marketing: emailMarketing.nullish(),
      open_tracking: tracking,
      click_tracking: tracking,
    })
    .nullish(),
  sms: z
    .object({ marketing: smsMarketing.nullish(), transactional: smsTransactional.nullish() })
    .nullish(),
  whatsapp: z.object({ marketing: plainConsent.nullish() }).nullish(),
  // Called `push` in writes.
  mobile_push: z.object({ marketing: plainConsent.nullish() }).nullish(),
});

const profile = z.object({
  id: z.string(),
  attributes: z.object({
    email: identifier,
    phone_number: identifier,
    joined_group_at: optionalDatetime,
    subscriptions: subscriptions.nullable(),
  }),
});

/**
 * A profile with its subscriptions. `subscriptions` must be present, even if null: without it the
 * profile would look as if it had never opted out.
 */
export const profileSchema = profile.transform(toProfileConsent);

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
function toProfileConsent({ id, attributes }: z.infer<typeof profile>): ProfileConsent {
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

function toChannelConsent(
  wire: z.infer<typeof plainConsent> | null | undefined,
): ChannelConsent | null {
  if (wire === null || wire === undefined) return null;
  return { consent: wire.consent, consentedAt: wire.consent_timestamp ?? null };
}

function toTracking(wire: z.infer<typeof tracking>): TrackingConsent | null {
  const consent = toChannelConsent(wire);
  return consent && { ...consent, validUntil: wire?.valid_until ?? null };
}

function toEmailMarketing(
  wire: WireEmail | null | undefined,
  hasAddress: boolean,
): EmailMarketing | null {
  if (wire === null || wire === undefined) return null;
  return {
    consent: wire.consent,
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
  wire: z.infer<z.ZodObject<typeof smsFields>> | null | undefined,
  canReceive: boolean | null | undefined,
): SmsConsent | null {
  if (wire === null || wire === undefined) return null;
  return {
    consent: wire.consent,
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
