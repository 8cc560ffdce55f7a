import type { Channel, ConsentChannel, Operation, OptInProcess } from './channels.js';
import type { Outcome, Reason } from './outcomes.js';

/**
 * What a migration was asked to do. Kept in the ledger, read by the activities; no workflow of a
 * migration sees it, since a list or a custom source is nobody else's business.
 */
export interface MigrationSettings {
  /** Id of the list to subscribe into; null uses the account's default opt-in process. */
  readonly listId: string | null;
  readonly channels: readonly ConsentChannel[];
  /** The opt-in process that the operator expects to meet; null where not said. */
  readonly expectedOptIn: OptInProcess | null;
  /** Send consent dates, skip double opt-in mails and flows (Klaviyo's `historical_import`). */
  readonly historicalImport: boolean;
  /** Countries with a sending number, for keys that may not read the senders. */
  readonly smsCountries: readonly string[] | null;
  /** What SMS rows of countries without a sender do: stop the run before it sends, or end rejected. */
  readonly smsWithoutSender: 'stop' | 'reject';
  /** A row without a consent date stops the run: it is historical, and nobody said what to do then. */
  readonly stopOnUndated: boolean;
  /** Klaviyo's `custom_source`, kept on every consent record of the run. */
  readonly customSource: string;
  /** `implicit`: everybody is put on the list without consent, and nobody is subscribed. */
  readonly consent: 'explicit' | 'implicit';
  /** Rows that are sent and settled before all others; null where all go at once. */
  readonly canaryRows: number | null;
  /** Rows of one job at most: one subscribe call. */
  readonly rowsPerJob: number;
}

/** Waits and deadlines of a run in milliseconds. Part of the workflow's input, so replays agree. */
export interface MigrationTiming {
  /** From a job's acceptance until its open rows are looked up one last time. */
  readonly confirmWithinMs: number;
  /** The same for memberships: Klaviyo makes new profiles of an import within some 20 minutes. */
  readonly membershipWithinMs: number;
  /**
   * From a subscribe until Klaviyo can't apply it any more, however soon somebody wants its outcomes:
   * whoever said no is watched for so long.
   */
  readonly appliedWithinMs: number;
  /** Pause between two reads of Klaviyo's feeds by the migration's reader. */
  readonly readEveryMs: number;
  /** How long one turn of the reader lasts at most before it reports to the workflow. */
  readonly readTurnMs: number;
  /** Wait before a submit whose answer got lost is read back and, where nothing landed, sent again. */
  readonly lostAnswerWaitMs: number;
  /** A person's consent is read again before the submit when it was read longer ago than this. */
  readonly consentMaxAgeMs: number;
  /** The same for consent to texts, WhatsApp and push, whose opt-outs only events show, if any. */
  readonly textConsentMaxAgeMs: number;
  /** Opt-outs of the account that were read longer ago than this are read before every subscribe. */
  readonly optOutsMaxAgeMs: number;
  /** How late an event of an opt-out may surface; they are watched for so long after a run's last subscribe may have been applied. */
  readonly optOutsLateMs: number;
  /** From acceptance until suppressions are looked up one last time: Klaviyo takes hours. */
  readonly suppressionWithinMs: number;
  /** A feed of events that shows nothing of what was sent for this long is not waited for. */
  readonly eventsSilentMs: number;
  /** How long people who have not clicked are followed after the run; 0 for not at all. */
  readonly watchForMs: number;
  /** First pause between two looks at them; it doubles up to the longest. */
  readonly watchFirstMs: number;
  readonly watchLongestMs: number;
}

/** Input of the `consentMigration` workflow: a claim check, never people. */
export interface MigrationInput {
  readonly migrationId: string;
  readonly timing: MigrationTiming;
  /** Jobs of one batch at most. */
  readonly batchSize: number;
  /** Ends after the plan; nothing is sent. */
  readonly dryRun: boolean;
  /** Waits after the plan until a person says `approve`. */
  readonly waitsForApproval: boolean;
  /** What follows the canary's end: the rest after a wait, or (`pilot`) nothing. Null without one. */
  readonly canary: { readonly waitMs: number; readonly thenStop: boolean } | null;
}

/** Input of the `confirmationWatch` workflow. */
export interface WatchInput {
  readonly migrationId: string;
  readonly timing: Pick<MigrationTiming, 'watchForMs' | 'watchFirstMs' | 'watchLongestMs'>;
  /** How it stood before it continued as new; absent at its start. */
  readonly carried?: {
    readonly startedAt: string;
    readonly confirmed: number;
    readonly looks: number;
    readonly pauseMs: number;
  };
}

/** Input of the `optOutWatch` workflow. */
export interface OptOutWatchInput {
  readonly migrationId: string;
  readonly timing: OptOutTiming;
}

/** The waits of whatever watches opt-outs. */
export type OptOutTiming = Pick<
  MigrationTiming,
  | 'appliedWithinMs'
  | 'consentMaxAgeMs'
  | 'optOutsMaxAgeMs'
  | 'optOutsLateMs'
  | 'readEveryMs'
  | 'suppressionWithinMs'
>;

/** Result of the `optOutWatch` workflow. Rows. */
export interface OptOutWatchResult {
  /** Who had said no, was subscribed all the same, and was taken out again since the run ended. */
  readonly unsubscribedAgain: number;
}

/** Result of its `progress` query, and of a watch that has ended. Rows. */
export interface WatchProgress {
  readonly migrationId: string;
  /** Who has not clicked yet; null before the first look. */
  readonly pending: number | null;
  /** Who clicked since the watch began. */
  readonly confirmed: number;
  readonly looks: number;
  /** RFC 3339: when the watch ends. */
  readonly until: string;
}

export interface BatchInput {
  readonly migrationId: string;
  readonly batch: number;
  readonly jobs: readonly JobRef[];
  /** Jobs of the whole migration, for "job 3 of 20". */
  readonly totalJobs: number;
  readonly timing: MigrationTiming;
}

export interface JobRef {
  readonly jobNumber: number;
  readonly operation: Operation;
  readonly rows: number;
  /** From its acceptance until rows that are still open are looked up one last time, in ms. */
  readonly settleWithinMs: number;
  /** Sent and settled before the others. */
  readonly canary: boolean;
}

/** Input of the `consentCheck` workflow. */
export interface CheckInput {
  /** Of its run in the ledger. */
  readonly checkId: string;
  readonly settings: MigrationSettings;
}

/** Input of the `consentJob` workflow. */
export interface JobInput {
  readonly migrationId: string;
  readonly job: JobRef;
  /** Jobs of the whole migration, for "job 3 of 20". */
  readonly jobs: number;
  readonly timing: MigrationTiming;
}

/** Result of the `consentJob` workflow: how its rows ended. */
export interface JobResult {
  readonly jobNumber: number;
  readonly outcomes: OutcomeCounts;
}

export const PHASES = [
  'preflight',
  'plan',
  /** Waits for a person to approve the plan. */
  'approval',
  'canary',
  'submit',
  'settle',
  'report',
  'done',
  /** The end of a dry run. */
  'planned',
  'cancelling',
  'cancelled',
  'failed',
] as const;
export type Phase = (typeof PHASES)[number];

export type OutcomeCounts = Partial<Record<Outcome, number>>;

/** What preflight found out about the account. */
export interface Preflight {
  readonly accountId: string;
  readonly list: { readonly id: string; readonly optInProcess: OptInProcess } | null;
  /** The list's process, else the declared one; null where neither is known. */
  readonly optInProcess: OptInProcess | null;
  readonly sms: SmsSetup;
  /** Flows that somebody who joins the list starts; null where the key may not read them. */
  readonly flows:
    | readonly {
        readonly id: string;
        readonly name: string | null;
        readonly status: string | null;
      }[]
    | null;
  /** The endpoints that the run calls, by Klaviyo's operation ids. */
  readonly access: readonly {
    readonly endpoint: string;
    readonly scopes: readonly string[];
    /** Null where nothing harmless tells: a write shows it with its first call. */
    readonly allowed: boolean | null;
  }[];
  /** Calls a second (`burst`) and a minute (`steady`) that Klaviyo allows of them. */
  readonly limits: readonly {
    readonly endpoint: string;
    readonly burst: number;
    readonly steady: number;
    /** Calls that were left when it was asked, and of which window; null where it was not. */
    readonly remaining: number | null;
    readonly windowSeconds: 1 | 60 | null;
  }[];
  readonly warnings: readonly string[];
}

/** How the account's SMS set-up was learned, and what it is. */
export interface SmsSetup {
  /** `api`: read from Klaviyo. `declared`: given by the operator. `not_needed`: no SMS row. */
  readonly source: 'api' | 'declared' | 'not_needed';
  /** ISO alpha-2 countries with an active sender. */
  readonly countries: readonly string[];
}

/** What the run will do, known before the first write to Klaviyo. */
export interface Plan {
  readonly rows: number;
  readonly jobs: readonly JobRef[];
  /** Parts that ended before sending, by channel, outcome and reason. */
  readonly settledBefore: readonly PartCount[];
  /** Parts that will be sent, by channel and operation. */
  readonly toSend: readonly {
    readonly channel: Channel;
    readonly operation: Operation;
    readonly parts: number;
    /** How they end if Klaviyo takes them and everybody who is asked clicks late. */
    readonly expected: Outcome;
  }[];
  /** Calls that the run will make at least, by endpoint. */
  readonly calls: Readonly<Record<string, number>>;
  /** Mails and texts that Klaviyo will send to ask for a click. */
  readonly doubleOptInMessages: number;
  /** The least time that these calls take at the account's limits and the run's share of them. */
  readonly atLeastMs: number;
}

export interface PartCount {
  readonly channel: Channel;
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly parts: number;
}

/** The state of a migration in counts, as the ledger has it. */
export interface Totals {
  readonly rows: number;
  /** Settled rows by outcome. A row with an open part is not counted here. */
  readonly outcomes: OutcomeCounts;
  /** Rows with a part that was sent to Klaviyo and not refused. */
  readonly accepted: number;
  readonly jobs: { readonly total: number; readonly submitted: number; readonly settled: number };
}

/** Result of the `progress` query and of a finished migration. Counts only. */
export interface Progress {
  readonly migrationId: string;
  readonly phase: Phase;
  readonly paused: boolean;
  /** Why its calls wait for a person, such as a key that Klaviyo refuses; null while they do not. */
  readonly held: string | null;
  readonly rows: number;
  /** Rows by outcome; the difference to `rows` is still open. */
  readonly outcomes: OutcomeCounts;
  readonly jobs: { readonly total: number; readonly submitted: number; readonly settled: number };
  /** Rows that Klaviyo accepted so far. */
  readonly accepted: number;
  readonly warnings: readonly string[];
  /** Why a migration stopped; null unless the phase is `failed`. */
  readonly failure: string | null;
}
