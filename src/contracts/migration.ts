import type { Channel, ConsentChannel, Operation, OptInProcess } from './channels.js';
import type { JobRange, JobRef } from './jobs.js';
import type { Outcome, Reason } from './outcomes.js';
import type { QuietHours } from './quiet-hours.js';

/**
 * The settings of a migration. They are in the ledger, for the activities. No workflow of a
 * migration sees them, so lists and custom sources do not appear in Temporal.
 */
export interface MigrationSettings {
  /** Id of the list to subscribe into; null uses the account's default opt-in process. */
  readonly listId: string | null;
  /**
   * Id of the list that people are moved from: whoever was read on the run's list is removed from it.
   * Null if the run moves nobody.
   */
  readonly moveFrom: string | null;
  readonly channels: readonly ConsentChannel[];
  /** Only people with a profile are subscribed: of the row's address or of its number. Absent: all are. */
  readonly existingOnly?: true;
  /** The opt-in process that the operator expects; null if not given. */
  readonly expectedOptIn: OptInProcess | null;
  /** Sends consent dates and skips double opt-in mails and flows (Klaviyo's `historical_import`). */
  readonly historicalImport: boolean;
  /** Countries with a sending number, for keys that may not read the senders. */
  readonly smsCountries: readonly string[] | null;
  /**
   * What happens with SMS rows of countries without a sender: the run stops before it sends, or the
   * rows end rejected.
   */
  readonly smsWithoutSender: 'stop' | 'reject';
  /** A row without a consent date stops the run: it is historical, and no setting says what to do. */
  readonly stopOnUndated: boolean;
  /** Klaviyo's `custom_source`, stored with every consent of the run. */
  readonly customSource: string;
  /** `implicit`: everybody is added to the list without consent, and nobody is subscribed. */
  readonly consent: 'explicit' | 'implicit';
  /** Rows that are sent and settled before all others; null if there is no canary. */
  readonly canaryRows: number | null;
  /** Most rows of one job: one subscribe call. */
  readonly rowsPerJob: number;
  /**
   * Whether the guard relies on what earlier reads of the account showed, brought up to date: where
   * that saves calls, always, or never.
   */
  readonly mirror: 'auto' | 'always' | 'off';
  /** An address that no profile of the account has belongs to nobody there: it is not looked up. */
  readonly absentIsNew: boolean;
  /**
   * Nobody is asked for a click again sooner than so many days after any run of the account asked them
   * for the same list and channel; 0: each run asks.
   */
  readonly askAgainDays: number;
  /** No double opt-in text is asked for within these. Absent: at any time. */
  readonly quietHours?: QuietHours;
  /** What an unsubscribe ends: all marketing of the channel, or that of the run's list alone. */
  readonly unsubscribeFrom: 'everything' | 'list';
  /** Its source was written by `report --undo`. */
  readonly isUndo: boolean;
  /**
   * The run takes back consent that its program gave: nobody is unsubscribed whose consent is not
   * certainly the one that the ledger has for them. Absent in all other runs.
   */
  readonly onlyGiven?: OnlyGiven;
  /** How the source was read; absent for a check. */
  readonly reading?: SourceReading;
  /** Nothing is sent. Absent in a check, and in runs of before this was stored. */
  readonly dryRun?: boolean;
}

/** What a run must leave alone that takes back consent that its program gave. */
export interface OnlyGiven {
  /** Channels that the program still asks consent for. */
  readonly stillAsked: readonly ConsentChannel[];
}

/** The settings of a request that decide what is read from a source. */
export interface SourceReading {
  /** The preset that read it, or `mapping`. */
  readonly preset: string;
  /** SHA-256 of the mapping's content. */
  readonly mapping: string | null;
  readonly smsColumn: string | null;
  readonly country: string | null;
  readonly timezone: string | null;
  readonly consentedAt: string | null;
  readonly undated: string;
  readonly operation: string | null;
  readonly floor: string | null;
  /** Who consented, when and how, as the operator attested it. */
  readonly attested?: string;
}

/**
 * Waits and deadlines of a run, in milliseconds. Part of the workflow's input, so that replays are
 * deterministic.
 */
export interface MigrationTiming {
  /** From a job's acceptance until the last look-up of its open rows. */
  readonly confirmWithinMs: number;
  /** The same for memberships: Klaviyo creates the new profiles of an import within about 20 minutes. */
  readonly membershipWithinMs: number;
  /**
   * From a subscribe until Klaviyo can no longer apply it, even if outcomes are wanted sooner:
   * people who opted out are watched for this long.
   */
  readonly appliedWithinMs: number;
  /** Pause between two reads of Klaviyo's feeds by the migration's reader. */
  readonly readEveryMs: number;
  /** Longest turn of the reader before it reports to the workflow. */
  readonly readTurnMs: number;
  /** Wait before a submit whose answer was lost is read back and, if nothing arrived, sent again. */
  readonly lostAnswerWaitMs: number;
  /** A person's consent is read again before the submit if it was read longer ago than this. */
  readonly consentMaxAgeMs: number;
  /** The same for consent to texts, WhatsApp and push, whose opt-outs show in events at most. */
  readonly textConsentMaxAgeMs: number;
  /** Opt-outs of the account are read again before a subscribe if they were read longer ago than this. */
  readonly optOutsMaxAgeMs: number;
  /**
   * How late the event of an opt-out may show; opt-outs are watched for this long after Klaviyo may
   * have applied a run's last subscribe.
   */
  readonly optOutsLateMs: number;
  /** From acceptance until the last look-up of suppressions: Klaviyo takes hours. */
  readonly suppressionWithinMs: number;
  /** A feed of events that shows nothing of what was sent is waited for this long. */
  readonly eventsSilentMs: number;
  /** How long people who have not clicked are followed after the run; 0 for not at all. */
  readonly watchForMs: number;
  /** First pause between two polls of them; it doubles up to the longest. */
  readonly watchFirstMs: number;
  readonly watchLongestMs: number;
}

/** Input of the `consentMigration` workflow: an id and numbers, never people. */
export interface MigrationInput {
  /**
   * Sends nothing more: a former execution of the run was terminated. What was sent is read back, and every
   * row gets its outcome.
   */
  readonly endsOnly?: true;
  readonly migrationId: string;
  readonly timing: MigrationTiming;
  /** Most jobs of one batch. */
  readonly batchSize: number;
  /** Ends after the plan and sends nothing. */
  readonly dryRun: boolean;
  /** Waits for approval after the plan. */
  readonly waitsForApproval: boolean;
  /** Removes people from a list after they were read on another one; absent if it does not. */
  readonly moves?: true;
  /** What follows the canary's end: the rest after a wait, or (`pilot`) nothing. Null without one. */
  readonly canary: { readonly waitMs: number; readonly thenStop: boolean } | null;
}

/** Input of the `confirmationWatch` workflow. */
export interface WatchInput {
  readonly migrationId: string;
  readonly timing: Pick<MigrationTiming, 'watchForMs' | 'watchFirstMs' | 'watchLongestMs'>;
  /** Its state before it continued as new; absent at its start. */
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

/** The waits of everything that watches opt-outs. */
export type OptOutTiming = Pick<
  MigrationTiming,
  | 'appliedWithinMs'
  | 'consentMaxAgeMs'
  | 'optOutsMaxAgeMs'
  | 'optOutsLateMs'
  | 'readEveryMs'
  | 'suppressionWithinMs'
>;

/** Result of the `optOutWatch` workflow, in rows. */
export interface OptOutWatchResult {
  /**
   * People who had opted out, were subscribed anyway, and were unsubscribed again after the run
   * ended.
   */
  readonly unsubscribedAgain: number;
}

/**
 * The state of a `confirmationWatch` workflow, which follows people who have not clicked: its result
 * and that of its `progress` query. In rows.
 */
export interface WatchProgress {
  readonly migrationId: string;
  /** People who have not clicked yet; null before the first poll. */
  readonly pending: number | null;
  /** People who have clicked since the watch began. */
  readonly confirmed: number;
  readonly looks: number;
  /** RFC 3339: when the watch ends. */
  readonly until: string;
}

export interface BatchInput {
  readonly migrationId: string;
  readonly batch: number;
  readonly jobs: readonly JobRange[];
  /** Jobs of the whole migration, for "job 3 of 20". */
  readonly totalJobs: number;
  readonly timing: MigrationTiming;
}

/** When the reader tells its migration how many jobs are past their submit. */
export interface TellPastSubmit {
  /** Jobs that the migration knows of. */
  readonly known: number;
  /** So many more have to be past their submit: each signal adds to the history. */
  readonly atLeast: number;
}

/** Input of the `consentCheck` workflow. */
export interface CheckInput {
  /** Of its run in the ledger. */
  readonly checkId: string;
  readonly settings: MigrationSettings;
  /** The list of the settings may be given by its name. */
  readonly listByName?: boolean;
}

/** Result of the `consentCheck` workflow. */
export interface CheckResult extends Preflight {
  /** Id of the list, also if it was given by its name; null without a list. */
  readonly listId: string | null;
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
  /** Waits for approval. */
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
/** How far a migration is. `done`, `planned` (a dry run), `cancelled` and `failed` are its ends. */
export type Phase = (typeof PHASES)[number];

/** Rows by outcome; outcomes without rows are left out. */
export type OutcomeCounts = Partial<Record<Outcome, number>>;

/** What the preflight found out about the account. */
export interface Preflight {
  readonly accountId: string;
  readonly list: { readonly id: string; readonly optInProcess: OptInProcess } | null;
  /** The list's process, else the one in the settings; null if neither is known. */
  readonly optInProcess: OptInProcess | null;
  readonly sms: SmsSetup;
  /** Flows that start when somebody joins the list; null if the key may not read them. */
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
    /** Null if no harmless call can tell: a write shows it with its first call. */
    readonly allowed: boolean | null;
  }[];
  /** Calls per second (`burst`) and per minute (`steady`) that Klaviyo allows. */
  readonly limits: readonly {
    readonly endpoint: string;
    readonly burst: number;
    readonly steady: number;
    /**
     * Calls left at the time of the preflight, and in which window; null if it did not call the
     * endpoint.
     */
    readonly remaining: number | null;
    readonly windowSeconds: 1 | 60 | null;
  }[];
  readonly warnings: readonly string[];
}

/** The account's SMS set-up, and where it was learned. */
export interface SmsSetup {
  /** `api`: read from Klaviyo. `declared`: given in the settings. `not_needed`: no SMS row. */
  readonly source: 'api' | 'declared' | 'not_needed';
  /** ISO alpha-2 countries with an active sender. */
  readonly countries: readonly string[];
}

/** What the run will do, known before the first write to Klaviyo. */
export interface Plan {
  readonly rows: number;
  /** In the order in which they start. */
  readonly jobs: readonly JobRange[];
  /** Parts that ended before sending, by channel, outcome and reason. */
  readonly settledBefore: readonly PartCount[];
  /** Parts that will be sent, by channel and operation. */
  readonly toSend: readonly {
    readonly channel: Channel;
    readonly operation: Operation;
    readonly parts: number;
    /** How they end if Klaviyo accepts them and nobody clicks before the run ends. */
    readonly expected: Outcome;
  }[];
  /** The least number of calls that the run will make, by endpoint. */
  readonly calls: Readonly<Record<string, number>>;
  /** Double opt-in mails and texts that Klaviyo will send. */
  readonly doubleOptInMessages: number;
  /** Parts of people who were asked for a click before, have not clicked, and are not asked again yet. */
  readonly askedAlready: number;
  /**
   * People whose suppression is lifted and who can then be mailed, by their consent to e-mail as it
   * was read. Whoever unsubscribed is not among them.
   */
  readonly madeReachable: { readonly subscribed: number; readonly neverSubscribed: number };
  /**
   * People who leave only one of the two kinds of texts: Klaviyo opts them out of the other one too.
   */
  readonly leaveBothTexts: number;
  /** The source undoes a run: Klaviyo then holds whoever it unsubscribes as having opted out. */
  readonly isUndo: boolean;
  /**
   * Dates that are to be sent and that many rows share to the second, at most one a channel: they say when
   * people were loaded into the tool, rather than when they consented.
   */
  readonly sharedDates: readonly SharedDate[];
  /** What was changed or noticed while the source was read; a part may have several notes. */
  readonly notes: readonly NoteCount[];
  /** The least time that these calls take with the run's share of the account's limits. */
  readonly atLeastMs: number;
}

/** Parts of one channel with the same note, such as `address_never_mailed`. */
export interface NoteCount {
  readonly channel: Channel;
  readonly note: string;
  readonly parts: number;
}

/** A date of consent that many rows of a source share to the second. */
export interface SharedDate {
  readonly channel: Channel;
  /** RFC 3339 in UTC. */
  readonly at: string;
  readonly parts: number;
}

/** Settled parts of one channel with the same outcome and reason. */
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

/** The state of a migration, in counts: the result of its `progress` query and of its workflow. */
export interface Progress {
  readonly migrationId: string;
  readonly phase: Phase;
  readonly paused: boolean;
  /** Why its calls wait for a person to act, such as a key that Klaviyo refuses; null if they do not. */
  readonly held: string | null;
  readonly rows: number;
  /** Rows by outcome; the other `rows` are still open. */
  readonly outcomes: OutcomeCounts;
  readonly jobs: { readonly total: number; readonly submitted: number; readonly settled: number };
  /** Rows that Klaviyo accepted so far. */
  readonly accepted: number;
  readonly warnings: readonly string[];
  /** Why a migration stopped; null unless the phase is `failed`. */
  readonly failure: string | null;
}
