import type { FaultKind, Switches } from 'klaviyo-sandbox';

/** What a person's cell of a source says. `perhaps` is a word that nobody understands. */
export type Word = '' | 'yes' | 'unsubscribed' | 'perhaps' | 'no';

export type State = 'none' | 'NEVER_SUBSCRIBED' | 'SUBSCRIBED' | 'UNSUBSCRIBED';

/** Somebody as the account knows them before anything happens. */
export interface PersonSpec {
  readonly hasPhone: boolean;
  /** How the account holds the address, and how sources spell it. */
  readonly spelling: 'lower' | 'upper' | 'mixed';
  /** `split`: e-mail and phone are two profiles; `twice`: two profiles have the address. */
  readonly profiles: 'none' | 'one' | 'split' | 'twice';
  readonly email: State;
  readonly sms: State;
  readonly suppression: 'USER_SUPPRESSED' | 'SPAM_COMPLAINT' | 'HARD_BOUNCE' | null;
  readonly leftList: boolean;
}

export interface RowSpec {
  /** Place among the people of the run's account. */
  readonly person: number;
  readonly email: Word;
  /** Year of the consent; null for none. */
  readonly emailYear: number | null;
  readonly sms: Word;
  readonly smsYear: number | null;
  readonly suppressed: '' | 'yes' | 'perhaps' | 'lifted';
  readonly list: '' | 'add' | 'remove' | 'perhaps';
  /** What makes it say something else than it seems to; null for nothing. */
  readonly trap: Trap | null;
}

/**
 * `kelvin`: the address has a letter that only looks like one of its own. `offset`: dates are written
 * with an offset that no clock has. `twice`: in JSON, the key of each word stands there before it, with
 * an opt-out.
 */
export type Trap = 'kelvin' | 'offset' | 'twice';

export interface RunSpec {
  /** 0, or 1 for the second account. */
  readonly account: number;
  readonly list: 'single' | 'double' | null;
  readonly historical: boolean;
  readonly texts: boolean;
  readonly canary: { readonly rows: number; readonly waitMs: number } | null;
  readonly waitsForApproval: boolean;
  /** Only where it has a list. */
  readonly unsubscribesFromList: boolean;
  /** What earlier reads of the account showed is relied on. */
  readonly mirror: 'always' | 'off';
  readonly rowsPerJob: number;
  readonly jobsPerBatch: number;
  readonly rows: readonly RowSpec[];
  /**
   * `swapped`: two files in turn, of which one is put in the other's place all the time while they are
   * read. Both say of everybody what the rows say; by the columns of the other everybody consents.
   */
  readonly source: 'csv' | 'json' | 'swapped';
  /** Calls that the account has answered before the run starts. */
  readonly startsAfter: number;
}

/** What people do, and what is done to them. */
export type PersonAct =
  | {
      readonly do: 'unsubscribe' | 'leave_list' | 'complain' | 'stop' | 'form' | 'click';
      readonly person: number;
    }
  /** Onto a list by its form, and off it again a moment later. */
  | { readonly do: 'join_and_leave'; readonly person: number }
  | { readonly do: 'suppress'; readonly person: number; readonly surfacesAfterMs: number };

export interface RunAct {
  readonly do: 'pause' | 'resume' | 'approve' | 'cancel' | 'pause_and_cancel';
  readonly run: number;
}

/** A pause, what somebody says at its beginning, and what ends it after so long. */
export interface PauseAct {
  readonly do: 'pause_for';
  readonly run: number;
  readonly ms: number;
  readonly meanwhile: PersonAct;
  readonly then: 'resume' | 'cancel';
}

export interface WorkerAct {
  readonly do: 'restart_worker' | 'revoke_key' | 'restore_key';
}

export type Act = PersonAct | RunAct | PauseAct | WorkerAct;

/** When something happens: between two calls of the first account, or at a time. */
export type Cue =
  | { readonly at: 'call'; readonly number: number; readonly moment: 'before' | 'after' }
  /** Around the n-th subscribe call, from 1, and so long after it where nothing is applied yet. */
  | {
      readonly at: 'submit';
      readonly number: number;
      readonly moment: 'before' | 'after';
      readonly thenMs: number;
    }
  /** So long after the first run started. */
  | { readonly at: 'time'; readonly ms: number };

export interface Move {
  readonly cue: Cue;
  readonly act: Act;
}

export interface FaultSpec {
  readonly kind: FaultKind;
  readonly endpoint: string | null;
  readonly share: number;
}

export interface Scenario {
  readonly people: readonly PersonSpec[];
  readonly runs: readonly RunSpec[];
  readonly moves: readonly Move[];
  readonly faults: readonly FaultSpec[];
  readonly switches: Partial<Switches>;
  readonly clockAheadMs: number;
  /** The key may read events. */
  readonly events: boolean;
  /** What the guard read of people may be this old at their call. */
  readonly consentMaxAgeMs: number;
  /** The same of people who are to get texts. */
  readonly textConsentMaxAgeMs: number;
  /** Reads may be this old. */
  readonly readLagMs: number;
  /** The first call at which the worker is killed with its process; null for never. */
  readonly killAtCall: number | null;
  readonly accounts: 1 | 2;
}
