import type { ConsentChannel } from './channels.js';

/** The person that a question is about: one normalised identifier. */
export type Person =
  /** Lower-case. */
  | { readonly by: 'email'; readonly value: string }
  /** E.164. */
  | { readonly by: 'phone_number'; readonly value: string };

/** A person's consent as Klaviyo has it at one moment. The keys are those of `show --json`. */
export interface PersonConsent {
  /** RFC 3339. */
  readonly readAt: string;
  /** The profiles that Klaviyo has for the identifier: none, one, or several that share it. */
  readonly profiles: readonly PersonProfile[];
}

/** One profile at Klaviyo. */
export interface PersonProfile {
  readonly id: string;
  /** As Klaviyo has it. */
  readonly email: string | null;
  readonly phoneNumber: string | null;
  /** The channels that the profile has anything about. */
  readonly channels: readonly PersonChannel[];
  /** Consent to open and click tracking, which is not consent to receive mail; empty if there is none. */
  readonly tracking: readonly PersonTracking[];
  /**
   * Why the profile gets no e-mail marketing at all; `unknown` if Klaviyo gives no reason,
   * `unstated` if it does not say whether there is one.
   */
  readonly suppressions: readonly { readonly reason: string; readonly timestamp: string | null }[];
  /** The same for single lists; null if Klaviyo does not say. */
  readonly listSuppressions:
    | readonly {
        readonly listId: string;
        readonly reason: string;
        readonly timestamp: string | null;
      }[]
    | null;
}

export interface PersonTracking {
  readonly of: 'opens' | 'clicks';
  /** As for a channel. */
  readonly consent: string;
  readonly consentedAt: string | null;
  /** When it expires; null if it does not. */
  readonly validUntil: string | null;
}

/** A profile's consent for one channel. Datetimes are Klaviyo's text. */
export interface PersonChannel {
  readonly channel: ConsentChannel;
  /** `SUBSCRIBED`, `UNSUBSCRIBED`, `NEVER_SUBSCRIBED`, or `unknown`. */
  readonly consent: string;
  /** When it was given or withdrawn; Klaviyo's text. */
  readonly consentedAt: string | null;
  /** Klaviyo's `can_receive_...`; null for channels without one. */
  readonly canReceive: boolean | null;
  readonly method: string | null;
  /** `custom_source` of the call that subscribed the profile; e-mail only. */
  readonly customSource: string | null;
  /** True after the click of a double opt-in; e-mail only. */
  readonly doubleOptIn: boolean | null;
}

/** Input of the `consentShow` workflow: an id, never a person. */
export interface ShowInput {
  readonly requestId: string;
  /** The question and its answer are deleted after this long at the latest. */
  readonly forgetAfterMs: number;
}

/** Input of the `consentForget` workflow. */
export type ForgetInput = ShowInput;
