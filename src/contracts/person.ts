import type { ConsentChannel } from './channels.js';

/** Whom a question is about: one identifier, normalised. */
export type Person =
  /** Lower-case. */
  | { readonly by: 'email'; readonly value: string }
  /** E.164. */
  | { readonly by: 'phone_number'; readonly value: string };

/** A person's consent as Klaviyo holds it at one moment. The keys are those of `show --json`. */
export interface PersonConsent {
  /** RFC 3339. */
  readonly readAt: string;
  /** Every profile that Klaviyo has for the identifier: none, or one. */
  readonly profiles: readonly PersonProfile[];
}

export interface PersonProfile {
  readonly id: string;
  /** As Klaviyo holds it. */
  readonly email: string | null;
  readonly phoneNumber: string | null;
  /** The channels that the profile holds anything of. */
  readonly channels: readonly PersonChannel[];
  /** Consent to be watched while reading mail, which is none to get any; empty where none is held. */
  readonly tracking: readonly PersonTracking[];
  /**
   * Why no e-mail marketing goes to the profile at all; `unknown` where Klaviyo gives no reason, and
   * `unstated` where it does not say whether there is any.
   */
  readonly suppressions: readonly { readonly reason: string; readonly timestamp: string | null }[];
  /** The same for single lists; null where Klaviyo does not say. */
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
  /** As of a channel. */
  readonly consent: string;
  readonly consentedAt: string | null;
  /** When it ends by itself; null where it does not. */
  readonly validUntil: string | null;
}

export interface PersonChannel {
  readonly channel: ConsentChannel;
  /** `SUBSCRIBED`, `UNSUBSCRIBED`, `NEVER_SUBSCRIBED`, or `unknown`. */
  readonly consent: string;
  /** When it was given or taken back; Klaviyo's text. */
  readonly consentedAt: string | null;
  /** Klaviyo's `can_receive_...`; null for channels that have none. */
  readonly canReceive: boolean | null;
  readonly method: string | null;
  /** `custom_source` of the call that subscribed the profile; e-mail only. */
  readonly customSource: string | null;
  /** True after the click of a double opt-in; e-mail only. */
  readonly doubleOptIn: boolean | null;
}

/** Input of the `consentShow` workflow: a claim check, never a person. */
export interface ShowInput {
  readonly requestId: string;
  /** The question and its answer are deleted after this long at the latest. */
  readonly forgetAfterMs: number;
}

/** Input of the `consentForget` workflow. */
export type ForgetInput = ShowInput;
