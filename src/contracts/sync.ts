/**
 * Where a worker finds a secret: in its environment, in a file, or with the run, which then is the
 * only one that has it.
 */
export type SecretReference =
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'run' };

/** A table in a database. */
export interface TableDestination {
  readonly kind: 'table';
  /** The address of the database. */
  readonly url: SecretReference;
  /** `table` or `schema.table`. */
  readonly table: string;
  /** Table of changes; null for none. */
  readonly history: string | null;
  /** Table of list memberships; absent for none. */
  readonly lists?: string;
  readonly onDeleted: 'erase' | 'keep';
  /** Other names for columns, by their default names. */
  readonly columns: Readonly<Record<string, string>>;
}

/** Of files that a sync writes. */
export const SNAPSHOT_FORMATS = ['csv', 'ndjson', 'parquet'] as const;
export type SnapshotFormat = (typeof SNAPSHOT_FORMATS)[number];

/** Files in a folder of the machine where the worker runs. */
export interface FilesDestination {
  readonly kind: 'files';
  /** Absolute path. */
  readonly folder: string;
  readonly format: SnapshotFormat;
  /** Writes list memberships too. */
  readonly lists?: true;
  readonly onDeleted: 'erase' | 'keep';
  readonly columns: Readonly<Record<string, string>>;
}

/** Where a sync writes. */
export type SyncDestination = TableDestination | FilesDestination;

/** How often a sync runs by itself. */
export type SyncInterval =
  | { readonly everyMs: number }
  | {
      /** Five fields, as in a crontab. */
      readonly cron: string;
      /** IANA name, such as Europe/Berlin. */
      readonly timeZone: string;
    };

/** What a sync does; stored in the ledger without secrets. */
export interface SyncSettings {
  readonly to: SyncDestination;
  /** Null: only when somebody asks for it. */
  readonly every: SyncInterval | null;
  /** Without a success for longer than this, its operator is told. Milliseconds; null for never. */
  readonly lateAfterMs: number | null;
  /** Address that is told when the sync is late, failed, or is well again; null for none. */
  readonly notify: SecretReference | null;
  /** The file that defined it no longer does: it runs no more by itself. */
  readonly isRemoved?: true;
  /** Between two whole readings, in milliseconds; null for none after the first. */
  readonly sweepEveryMs: number | null;
  /** How long before the last reading the next begins: changes show late. Milliseconds. */
  readonly overlapMs: number;
}

export const SYNC_DEFAULTS = {
  sweepEveryMs: 24 * 3_600_000,
  /** Klaviyo shows events and changes minutes late. */
  overlapMs: 15 * 60_000,
} as const;

/** `validation`: compares some rows with Klaviyo, and writes nothing. */
export type SyncRunKind = 'sync' | 'validation';

/** A value of a row that is not what Klaviyo says. Personal data: it stays in the ledger. */
export interface ValidationDifference {
  readonly profileId: string;
  /** `profile_id` if Klaviyo has no such profile. */
  readonly column: string;
  readonly inTable: string | boolean | null;
  readonly inKlaviyo: string | boolean | null;
}

/** What a validation found. */
export interface ValidationFound {
  /** Rows that were compared. */
  readonly rows: number;
  readonly differences: readonly ValidationDifference[];
}

export interface ValidationInput extends SyncStep {
  /** Rows to compare. */
  readonly sample: number;
}

/** What one execution of `consentSync` does. */
export interface SyncInput {
  /** The sync's id in the ledger. */
  readonly syncId: string;
  /** Reads the whole account even if that is not due. */
  readonly full: boolean;
  /** Takes the destination as it is, and reads the whole account to compare every row. */
  readonly reset: boolean;
  /** Somebody waits: a destination that cannot be reached ends the run soon. */
  readonly isWaitedFor: boolean;
  /** Of the run in the ledger, if the starter has begun it. */
  readonly runId: string | null;
  /** What an execution that this one continues has done. */
  readonly carried?: SyncCarried;
}

export interface SyncCarried {
  readonly runId: string;
  readonly whole: WholeReading;
  readonly writesFiles: boolean;
  readonly counts: SyncCounts;
}

/** An activity of a run of a sync. */
export interface SyncStep {
  readonly syncId: string;
  readonly runId: string;
}

/** Why the whole account is read. */
export type WholeReading = 'first' | 'sweep';

export interface SyncBegun {
  /** Null: only what changed. */
  readonly whole: WholeReading | null;
  /** The rows are written into files at the end. */
  readonly writesFiles: boolean;
}

/**
 * How many profiles a step read and what differed, and who joined and left lists. A profile, or its
 * membership of a list, counts once a transaction.
 */
export interface SyncCounts {
  readonly read: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Memberships of lists that began; 0 of a sync without them. */
  readonly membersJoined: number;
  readonly membersLeft: number;
}

export const NO_COUNTS: SyncCounts = {
  read: 0,
  added: 0,
  changed: 0,
  removed: 0,
  membersJoined: 0,
  membersLeft: 0,
};

export function sumOf(one: SyncCounts, other: SyncCounts): SyncCounts {
  return {
    read: one.read + other.read,
    added: one.added + other.added,
    changed: one.changed + other.changed,
    removed: one.removed + other.removed,
    membersJoined: one.membersJoined + other.membersJoined,
    membersLeft: one.membersLeft + other.membersLeft,
  };
}

/** One turn of a whole reading. */
export interface SyncTurn extends SyncCounts {
  readonly isOver: boolean;
  /** Parts of the account's time that are being read or wait. */
  readonly windows: number;
  /** Profiles that are left, estimated; null if that cannot be told yet. */
  readonly left: number | null;
}

/** How drift and lags name memberships of lists. */
export const MEMBERSHIPS = 'list_memberships';

/** What a whole reading found that should have been noticed before. By what changed. */
export type Drift = Readonly<Record<string, number>>;

export const SYNC_PHASES = [
  'begin',
  'first',
  'changes',
  'sweep',
  'gone',
  'files',
  'done',
  'failed',
] as const;
export type SyncPhase = (typeof SYNC_PHASES)[number];

/** The query of a running sync. */
export interface SyncProgress extends SyncCounts {
  readonly runId: string;
  readonly phase: SyncPhase;
  readonly windows: number;
  readonly left: number | null;
}

/** Why a run ended that a person ended: nothing failed. */
export const SYNC_CANCELLED = 'It was cancelled.';

/** Why a run ended that Temporal did not take: there is no execution of it. */
export const SYNC_NOT_STARTED = 'It was not started.';

/** How a run ended. */
export interface SyncResult extends SyncCounts {
  readonly runId: string;
  readonly whole: WholeReading | null;
  readonly drift: Drift;
}
