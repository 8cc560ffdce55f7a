import type { ConsentChannel } from '../../contracts/channels.js';

export const CONSENT_STATES = ['SUBSCRIBED', 'UNSUBSCRIBED', 'NEVER_SUBSCRIBED'] as const;

/** Klaviyo documents three values but declares a plain string: any other is `unknown`, never consent. */
export type ConsentState = (typeof CONSENT_STATES)[number] | 'unknown';

export const SUPPRESSION_REASONS = [
  'HARD_BOUNCE',
  'INVALID_EMAIL',
  'SPAM_COMPLAINT',
  'UNSUBSCRIBE',
  'USER_SUPPRESSED',
] as const;

/**
 * `unknown`: there is one, for a reason that is not known here or that Klaviyo did not give.
 * `unstated`: Klaviyo did not say whether there is one. With either, nobody is mailed.
 */
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number] | 'unknown' | 'unstated';

/** Why the profile gets no e-mail marketing. Datetimes are Klaviyo's strings, with microseconds. */
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
  /** Empty only if Klaviyo says that there is none. */
  readonly suppressions: readonly Suppression[];
  /** Null if Klaviyo does not say. */
  readonly listSuppressions: readonly ListSuppression[] | null;
  /** True after the click of a double opt-in. */
  readonly doubleOptIn: boolean | null;
  readonly method: string | null;
  /** The `custom_source` of the call that subscribed the profile. */
  readonly customMethodDetail: string | null;
  readonly lastUpdated: string | null;
}

/** The fields of consent that every channel has. */
export interface ChannelConsent {
  readonly consent: ConsentState;
  /** When it was given or withdrawn. */
  readonly consentedAt: string | null;
}

export interface SmsConsent extends ChannelConsent {
  readonly canReceive: boolean | null;
  readonly method: string | null;
  readonly lastUpdated: string | null;
}

/**
 * A profile's identifiers and consent as read from Klaviyo. A channel is null if the profile does
 * not have it. Consent is `unknown` if Klaviyo left out what it always states, so that an omission
 * never looks like permission.
 */
export interface ProfileConsent {
  readonly id: string;
  /** As Klaviyo has it: lower-case it before comparing. */
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly emailMarketing: EmailMarketing | null;
  readonly smsMarketing: SmsConsent | null;
  readonly smsTransactional: SmsConsent | null;
  readonly whatsappMarketing: ChannelConsent | null;
  readonly pushMarketing: ChannelConsent | null;
  /**
   * Consent to open and click tracking. It is not consent to receive mail, so nothing is decided by
   * it.
   */
  readonly emailTracking: EmailTracking;
  /** `joined_group_at` with its microseconds; null unless read from a list. */
  readonly joinedAt: string | null;
}

/** Klaviyo's `open_tracking` and `click_tracking` of e-mail; null if it has none. */
export interface EmailTracking {
  readonly opens: TrackingConsent | null;
  readonly clicks: TrackingConsent | null;
}

export interface TrackingConsent extends ChannelConsent {
  /** When the consent expires; null if it does not. */
  readonly validUntil: string | null;
}

/** Profiles of one page; `next` is the cursor of the next page, null on the last. */
export interface ProfilePage {
  readonly profiles: readonly ProfileConsent[];
  readonly next: string | null;
}

/** A profile's consent for one channel; null if it has none. */
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

/** Whether Klaviyo says that the profile gets no e-mail marketing; false if it does not say. */
export function isSuppressed(email: EmailMarketing | null | undefined): boolean {
  return email?.suppressions.some(({ reason }) => reason !== 'unstated') ?? false;
}
