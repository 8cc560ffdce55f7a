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

/** How a part ended; null while nothing that was read decides it. */
export type Verdict = { readonly outcome: Outcome; readonly reason: Reason | null } | null;

export const CONFIRMED: Verdict = { outcome: 'confirmed', reason: null };

/** What was read about the person of a part after the call. */
export interface ReadAfter {
  /** Profiles of the part's identifier; empty if Klaviyo has none. */
  readonly profiles: readonly ProfileConsent[];
  /** Whether it was read as a member of the run's list; null if membership was not read. */
  readonly isMember: boolean | null;
  /** The run's list. */
  readonly listId: string | null;
  readonly unsubscribeFrom: MigrationSettings['unsubscribeFrom'];
}

/** What a run can read as proof besides profiles. */
export interface Feeds {
  /** Events of consent that changes at the time of the run. */
  readonly events: boolean;
  /** Members of the run's list, by the time they joined. */
  readonly members: boolean;
  /** The run's consent is back-dated: no current event shows it. */
  readonly historicalImport: boolean;
  /** Where the run unsubscribes from its list alone, no event of consent shows it. */
  readonly unsubscribeFrom: MigrationSettings['unsubscribeFrom'];
}

/**
 * When rows that are still open are looked up. `soon`: nothing else proves them. `late`: a feed
 * should have shown them by now. `patient`: Klaviyo takes 2 to 20 minutes, and nothing else proves
 * them. `never`: only at the deadline.
 */
export type LookUp = 'soon' | 'late' | 'patient' | 'never';

/** Klaviyo's answer to an accepted call. */
export interface Taken {
  /** `X-Klaviyo-Partial-Failure`; null if the answer has none. */
  readonly partialFailure: string | null;
  /** Klaviyo's id of the request or of its job. */
  readonly requestId: string | null;
}

/**
 * What an undo file does about a part that was sent and confirmed: a cell of it that asks for the
 * reverse, or words that say what only the person can give back.
 */
export type Undo =
  | { readonly column: 'consent'; readonly cell: 'unsubscribed' }
  | { readonly column: 'list'; readonly cell: 'add' | 'remove' }
  | { readonly column: 'suppressed'; readonly cell: 'yes' | 'lifted' }
  | { readonly column: null; readonly words: string };

/** Everything specific to one operation; code for all operations loops over these. */
export interface OperationRecord {
  readonly name: Operation;
  /** Its name in plans. */
  readonly label: string;
  /** What an undo file does about it. */
  readonly undo: Undo;
  /** Id of the list that it is about: the run's, or that which it moves people from. */
  readonly list: (settings: Pick<MigrationSettings, 'listId' | 'moveFrom'>) => string | null;
  /** Klaviyo's operation id of the call that carries it. */
  readonly endpoint: EndpointName;
  /** Most profiles of one call. */
  readonly callSize: number;
  /** Known opt-outs forbid it: it could get people mail that they do not want. */
  readonly bringsIn: boolean;
  /** It opts people out: from its call on, that counts for every run of the account. */
  readonly optsOut: boolean;
  /** It adds consent, which a person may withdraw or be asked to confirm by a click. */
  readonly givesConsent: boolean;
  /** It is idempotent: a call that may have been applied can be made again at once. */
  readonly repeatable: (settings: MigrationSettings) => boolean;
  /** The metrics whose events prove it, with their names in older accounts. */
  readonly events: readonly {
    readonly channel: ConsentChannel;
    readonly names: readonly string[];
  }[];
  /** The person's state after it, if it does not change their consent. */
  readonly leaves: string | null;
  /** The consent that it leads to. */
  readonly shows: 'SUBSCRIBED' | 'UNSUBSCRIBED';
  /** The wait, in a run's timing, until the last look-up of rows that Klaviyo accepted. */
  readonly settlesWithin: keyof MigrationTiming & `${string}WithinMs`;
  /**
   * How a part ends whose person is not on its list; null if that does not matter. Who is on it
   * is read before each call, and again to prove the part.
   */
  readonly offList: (settings: MigrationSettings) => NonNullable<Verdict> | null;
  /** Whether the part may be sent, from all that is known about its person. */
  readonly guard: (channel: Channel, known: Known, run: GuardedRun) => GuardVerdict;
  /** What the reading after the call proves about the part. */
  readonly prove: (channel: Channel, read: ReadAfter) => Verdict;
  readonly lookUp: (feeds: Feeds) => LookUp;
  /** What the run lacks to send it, as a message for the operator; null if nothing. */
  readonly lacks: (settings: MigrationSettings) => string | null;
  /** Makes the call that carries these entries. Throws the client's errors. */
  readonly send: (
    klaviyo: KlaviyoClient,
    entries: readonly Entry[],
    settings: MigrationSettings,
    options: CallOptions,
  ) => Promise<Taken>;
}
