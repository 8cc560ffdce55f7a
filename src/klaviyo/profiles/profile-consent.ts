import type { ConsentChannel } from '../../contracts/channels.js';

export const CONSENT_STATES = ['SUBSCRIBED', 'UNSUBSCRIBED', 'NEVER_SUBSCRIBED'] as const;

/** Klaviyo documents three values and declares a plain string: any other is `unknown`, never consent. */
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
 * `unstated`: Klaviyo did not say whether there is any. Neither leaves anybody to be mailed.
 */
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number] | 'unknown' | 'unstated';

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
  /** Empty only where Klaviyo says that there is none. */
  readonly suppressions: readonly Suppression[];
  /** Null where Klaviyo does not say. */
  readonly listSuppressions: readonly ListSuppression[] | null;
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

/**
 * A profile's identifiers and consent as read from Klaviyo: null where it holds no such channel, and
 * consent `unknown` where Klaviyo left out what it always says, so that nothing looks like permission.
 */
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
  /** Consent to be watched while reading mail: never to get any, so nothing is decided by it. */
  readonly emailTracking: EmailTracking;
  /** `joined_group_at` with its microseconds; null unless read from a list. */
  readonly joinedAt: string | null;
}

/** Klaviyo's `open_tracking` and `click_tracking` of e-mail; null where it holds none. */
export interface EmailTracking {
  readonly opens: TrackingConsent | null;
  readonly clicks: TrackingConsent | null;
}

export interface TrackingConsent extends ChannelConsent {
  /** When the consent ends by itself; null where it does not. */
  readonly validUntil: string | null;
}

/** Profiles of one page; `next` is the cursor of the next one, null on the last. */
export interface ProfilePage {
  readonly profiles: readonly ProfileConsent[];
  readonly next: string | null;
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

/** Whether Klaviyo says that no e-mail marketing goes to the profile; not where it leaves that open. */
export function isSuppressed(email: EmailMarketing | null | undefined): boolean {
  return email?.suppressions.some(({ reason }) => reason !== 'unstated') ?? false;
}
