import type { Channel, ConsentChannel, Operation } from '../../contracts/channels.js';
import type { MigrationSettings, MigrationTiming } from '../../contracts/migration.js';
import type { Outcome, Reason } from '../../contracts/outcomes.js';
import type { CallOptions, EndpointName, KlaviyoClient } from '../../klaviyo/index.js';
import type { ProfileConsent } from '../../klaviyo/profiles/profile-consent.js';
import type { GuardedRun } from '../opt-outs.js';
import type { Known } from '../person.js';
import type { Entry } from './entries.js';

/** `send`, or how the part ended without being sent. */
export type GuardVerdict =
  | { readonly send: true }
  | { readonly send: false; readonly outcome: Outcome; readonly reason: Reason | null };

export const SEND: GuardVerdict = { send: true };

/** How a part ended; null while nothing read so far decides it. */
export type Verdict = { readonly outcome: Outcome; readonly reason: Reason | null } | null;

export const CONFIRMED: Verdict = { outcome: 'confirmed', reason: null };

/** What was read after the call of the person of a part. */
export interface ReadAfter {
  /** Those of the part's identifier; none where Klaviyo has none. */
  readonly profiles: readonly ProfileConsent[];
  /** Whether it was read as a member of the run's list. */
  readonly isMember: boolean;
  /** The run's list. */
  readonly listId: string | null;
}

/** What the reader of a run's proofs can read besides profiles. */
export interface Feeds {
  /** Events of consent that changes now. */
  readonly events: boolean;
  /** Members of the run's list by the time of joining. */
  readonly members: boolean;
  /** Consent of the run is back-dated: no event of now shows it. */
  readonly historicalImport: boolean;
}

/**
 * When rows that are still open are looked up. `soon`: nothing else proves them. `late`: a feed should
 * have shown them by now. `patient`: Klaviyo takes 2 to 20 minutes, and nothing else proves them.
 * `never`: at the deadline only.
 */
export type LookUp = 'soon' | 'late' | 'patient' | 'never';

/** What Klaviyo answered to a call that it took. */
export interface Taken {
  /** `X-Klaviyo-Partial-Failure`; null where the answer has none. */
  readonly partialFailure: string | null;
  /** Klaviyo's id of the request or of its job. */
  readonly requestId: string | null;
}

/** All that is particular to one operation; whatever is done with operations loops over these. */
export interface OperationRecord {
  readonly name: Operation;
  /** What a plan calls it. */
  readonly label: string;
  /** What an undo file says was done to the person; null where it is taken back. */
  readonly undone: string | null;
  /** Klaviyo's operation id of the call that carries it. */
  readonly endpoint: EndpointName;
  /** Profiles that one call takes. */
  readonly callSize: number;
  /** It takes people out: no opt-out of theirs stands against it. */
  readonly takesOut: boolean;
  /** It gives consent, which a person may take back, or be asked to confirm by a click. */
  readonly givesConsent: boolean;
  /** A call that may have been carried out only repeats itself where it is made again. */
  readonly repeatable: boolean;
  /** The metrics whose events prove it, with the names that older accounts have for them. */
  readonly events: readonly {
    readonly channel: ConsentChannel;
    readonly names: readonly string[];
  }[];
  /** What the person is after it, where that is beside their consent, which stays what it was. */
  readonly leaves: string | null;
  /** The consent that it leads to. */
  readonly shows: 'SUBSCRIBED' | 'UNSUBSCRIBED';
  /** The wait of a run's timing until rows that Klaviyo took are looked up one last time. */
  readonly settlesWithin: keyof MigrationTiming & `${string}WithinMs`;
  /** Whether the part may be sent, from all that is known of its person. */
  readonly guard: (channel: Channel, known: Known, run: GuardedRun) => GuardVerdict;
  /** What was read after the call proves of the part. */
  readonly prove: (channel: Channel, read: ReadAfter) => Verdict;
  readonly lookUp: (feeds: Feeds) => LookUp;
  /** What the run lacks to send it, in words for whoever runs it; null where it lacks nothing. */
  readonly lacks: (settings: MigrationSettings) => string | null;
  /** Makes the one call that carries these entries. Throws the client's errors. */
  readonly send: (
    klaviyo: KlaviyoClient,
    entries: readonly Entry[],
    settings: MigrationSettings,
    options: CallOptions,
  ) => Promise<Taken>;
}
