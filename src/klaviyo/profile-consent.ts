import * as z from 'zod';
import type { ConsentChannel } from '../contracts/channels.js';

export const CONSENT_STATES = ['SUBSCRIBED', 'UNSUBSCRIBED', 'NEVER_SUBSCRIBED'] as const;

/** Klaviyo documents three values and declares a plain string: any other is `unknown`, never consent. */
export type ConsentState = (typeof CONSENT_STATES)[number] | 'unknown';

const SUPPRESSION_REASONS = [
  'HARD_BOUNCE',
  'INVALID_EMAIL',
  'SPAM_COMPLAINT',
  'UNSUBSCRIBE',
  'USER_SUPPRESSED',
] as const;

export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number] | 'unknown';

/** Why no e-mail marketing goes to the profile. Datetimes are Klaviyo's strings, microseconds kept. */
export interface Suppression {
  readonly reason: SuppressionReason;
  readonly timestamp: string | null;
}

export interface ListSuppression {
  readonly listId: string;
  readonly reason: string;
  readonly timestamp: string | null;
}

export interface EmailMarketing extends ChannelConsent {
  /** Klaviyo's `can_receive_email_marketing`: no global suppression; says nothing about consent. */
  readonly canReceive: boolean | null;
  readonly suppressions: readonly Suppression[];
  readonly listSuppressions: readonly ListSuppression[];
  /** True after the click of a double opt-in. */
  readonly doubleOptIn: boolean | null;
  readonly method: string | null;
  /** The `custom_source` of the call that subscribed the profile. */
  readonly customMethodDetail: string | null;
  readonly lastUpdated: string | null;
}

/** Consent of one channel as every channel has it. */
export interface ChannelConsent {
  readonly consent: ConsentState;
  /** When it was given or taken back. */
  readonly consentedAt: string | null;
}

export interface SmsConsent extends ChannelConsent {
  readonly canReceive: boolean | null;
  readonly method: string | null;
  readonly lastUpdated: string | null;
}

/** A profile's identifiers and consent as read from Klaviyo; null where it holds no such channel. */
export interface ProfileConsent {
  readonly id: string;
  /** As Klaviyo holds it: lower-case before comparing. */
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly emailMarketing: EmailMarketing | null;
  readonly smsMarketing: SmsConsent | null;
  readonly smsTransactional: SmsConsent | null;
  readonly whatsappMarketing: ChannelConsent | null;
  readonly pushMarketing: ChannelConsent | null;
  /** `joined_group_at` with its microseconds; null unless read from a list. */
  readonly joinedAt: string | null;
}

/** What a profile holds of one channel; null where it holds nothing. */
export function consentOf(
  profile: ProfileConsent | null,
  channel: ConsentChannel,
): ChannelConsent | null {
  if (profile === null) return null;
  switch (channel) {
    case 'email':
      return profile.emailMarketing;
    case 'sms':
      return profile.smsMarketing;
    case 'sms_transactional':
      return profile.smsTransactional;
    case 'whatsapp':
      return profile.whatsappMarketing;
    case 'push':
      return profile.pushMarketing;
  }
}

const optionalText = z.string().nullish();
const optionalFlag = z.boolean().nullish();
const consentState = z.enum([...CONSENT_STATES, 'unknown']).catch('unknown');

const emailMarketing = z.object({
  consent: consentState,
  consent_timestamp: optionalText,
  can_receive_email_marketing: optionalFlag,
  last_updated: optionalText,
  method: optionalText,
  custom_method_detail: optionalText,
  double_optin: optionalFlag,
  suppression: z.array(z.object({ reason: z.string(), timestamp: optionalText })).nullish(),
  list_suppressions: z
    .array(z.object({ list_id: z.string(), reason: z.string(), timestamp: optionalText }))
    .nullish(),
});

const smsFields = {
  consent: consentState,
  consent_timestamp: optionalText,
  method: optionalText,
  last_updated: optionalText,
};
const plainConsent = z.object({ consent: consentState, consent_timestamp: optionalText });
const smsMarketing = z.object({ ...smsFields, can_receive_sms_marketing: optionalFlag });
const smsTransactional = z.object({ ...smsFields, can_receive_sms_transactional: optionalFlag });

/**
 * A profile with its subscriptions. `subscriptions` must be there, even if null: without it the
 * profile would look as if it had never opted out.
 */
export const profileSchema = z
  .object({
    id: z.string(),
    attributes: z.object({
      email: optionalText,
      phone_number: optionalText,
      joined_group_at: optionalText,
      subscriptions: z
        .object({
          email: z.object({ marketing: emailMarketing.nullish() }).nullish(),
          sms: z
            .object({
              marketing: smsMarketing.nullish(),
              transactional: smsTransactional.nullish(),
            })
            .nullish(),
          whatsapp: z.object({ marketing: plainConsent.nullish() }).nullish(),
          // Called `push` where it is written.
          mobile_push: z.object({ marketing: plainConsent.nullish() }).nullish(),
        })
        .nullable(),
    }),
  })
  .transform(toProfileConsent);

type WireConsent = z.infer<typeof plainConsent>;

interface WireProfile {
  id: string;
  attributes: {
    email?: string | null | undefined;
    phone_number?: string | null | undefined;
    joined_group_at?: string | null | undefined;
    subscriptions: {
      email?: { marketing?: z.infer<typeof emailMarketing> | null | undefined } | null | undefined;
      sms?:
        | {
            marketing?: z.infer<typeof smsMarketing> | null | undefined;
            transactional?: z.infer<typeof smsTransactional> | null | undefined;
          }
        | null
        | undefined;
      whatsapp?: { marketing?: WireConsent | null | undefined } | null | undefined;
      mobile_push?: { marketing?: WireConsent | null | undefined } | null | undefined;
    } | null;
  };
}

function toProfileConsent({ id, attributes }: WireProfile): ProfileConsent {
  const { subscriptions } = attributes;
  const email = subscriptions?.email?.marketing ?? null;
  const marketing = subscriptions?.sms?.marketing ?? null;
  const transactional = subscriptions?.sms?.transactional ?? null;
  return {
    id,
    email: attributes.email ?? null,
    phoneNumber: attributes.phone_number ?? null,
    emailMarketing: email && toEmailMarketing(email),
    smsMarketing: marketing && toSmsConsent(marketing, marketing.can_receive_sms_marketing),
    smsTransactional:
      transactional && toSmsConsent(transactional, transactional.can_receive_sms_transactional),
    whatsappMarketing: toChannelConsent(subscriptions?.whatsapp?.marketing),
    pushMarketing: toChannelConsent(subscriptions?.mobile_push?.marketing),
    joinedAt: attributes.joined_group_at ?? null,
  };
}

function toChannelConsent(wire: WireConsent | null | undefined): ChannelConsent | null {
  if (wire === null || wire === undefined) return null;
  return { consent: wire.consent, consentedAt: wire.consent_timestamp ?? null };
}

function toEmailMarketing(wire: z.infer<typeof emailMarketing>): EmailMarketing {
  return {
    consent: wire.consent,
    consentedAt: wire.consent_timestamp ?? null,
    canReceive: wire.can_receive_email_marketing ?? null,
    suppressions: (wire.suppression ?? []).map(({ reason, timestamp }) => ({
      reason: suppressionReason(reason),
      timestamp: timestamp ?? null,
    })),
    listSuppressions: (wire.list_suppressions ?? []).map((suppression) => ({
      listId: suppression.list_id,
      reason: suppression.reason,
      timestamp: suppression.timestamp ?? null,
    })),
    doubleOptIn: wire.double_optin ?? null,
    method: wire.method ?? null,
    customMethodDetail: wire.custom_method_detail ?? null,
    lastUpdated: wire.last_updated ?? null,
  };
}

function toSmsConsent(
  wire: z.infer<typeof smsMarketing>,
  canReceive: boolean | null | undefined,
): SmsConsent {
  return {
    consent: wire.consent,
    consentedAt: wire.consent_timestamp ?? null,
    canReceive: canReceive ?? null,
    method: wire.method ?? null,
    lastUpdated: wire.last_updated ?? null,
  };
}

/** The document calls one reason SPAM_REPORT in prose and SPAM_COMPLAINT in the schema. */
function suppressionReason(reason: string): SuppressionReason {
  if (reason === 'SPAM_REPORT') return 'SPAM_COMPLAINT';
  return SUPPRESSION_REASONS.find((known) => known === reason) ?? 'unknown';
}
