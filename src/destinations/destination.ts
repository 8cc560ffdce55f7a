import type { ChangedThing } from '../consent/record/changes.js';
import type { ConsentRecord, ConsentRow } from '../consent/record/record.js';

/** How a change was noticed. */
export type NoticedBy = 'first_run' | 'events' | 'suppressions' | 'updated' | 'sweep' | 'look_up';

/**
 * How far a sync has come, beside its rows in the destination's own database. It is written in the
 * transaction of the rows that it speaks of, so it is never ahead of them, nor behind.
 */
export interface Marker {
  /** The sync's id in the ledger. */
  readonly syncId: string;
  /** Klaviyo's id of the account. */
  readonly accountId: string;
  /** Counts the transactions; the ledger knows it too. */
  readonly generation: number;
  /** The run in the ledger that wrote last. */
  readonly runId: string;
  /** When the last whole reading began, by the clock of `readAt`: every row was read since. Null before the first. */
  readonly sweptAt: string | null;
  /** Whatever the engine keeps: windows, positions of feeds. JSON; no person in it. */
  readonly state: object;
}

/** A record with the time of its reading, if that is not the batch's. */
export type ReadRecord = ConsentRecord & { readonly readAt?: string };

/** A profile that Klaviyo no longer has under its id. */
export interface Gone {
  readonly profileId: string;
  /** The id of the profile that took it over; null if it was deleted. */
  readonly mergedInto: string | null;
  /** If that is not the batch's. */
  readonly readAt?: string;
}

/** Somebody who was on a list when it was read. */
export interface ReadMember {
  readonly profileId: string;
  /** An RFC 3339 datetime of Klaviyo; null if it did not say. */
  readonly joinedAt: string | null;
  readonly readAt: string;
}

/** What was read of one list. A profile at most once, in `members` and `left` together. */
export interface ListBatch {
  readonly listId: string;
  /** All that are on it have this name of it from now on; null keeps the one that they have. */
  readonly listName: string | null;
  readonly members: readonly ReadMember[];
  /** Who was asked for, and was not on it. */
  readonly left: readonly { readonly profileId: string; readonly readAt: string }[];
  /**
   * The list was read as a whole, or is gone: whoever was not read since has left it. Null if nothing is
   * known of others.
   */
  readonly whole: {
    readonly since: string;
    /** The reading says nothing of who joined later, by Klaviyo's clock; null if it does. */
    readonly joinedBefore: string | null;
  } | null;
  /** A part of a reading of the whole list: its end has to know whom it read. */
  readonly isRemembered: boolean;
}

/** What one transaction writes. */
export interface Batch {
  /** A profile at most once, in `records` and `gone` together. */
  readonly records: readonly ReadRecord[];
  readonly gone: readonly Gone[];
  /** A list at most once. Memberships of profiles without a row are left out: see `unknownOf`. */
  readonly lists?: readonly ListBatch[];
  /**
   * When the oldest of them was asked for, by the one clock of all writers, which `sweptAt` has too:
   * an RFC 3339 datetime. Of what was read at several times, each has a time of its own: only so does
   * an older reading that is written later never replace a newer one.
   */
  readonly readAt: string;
  readonly noticedBy: NoticedBy;
  /** What a profile that was not known so far says is no change: the table is being filled. */
  readonly isFirst: boolean;
}

/** What a transaction did. A profile counts once. */
export interface Written {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** What changed in profiles that were known, or are new after the first run. */
  readonly changes: readonly WrittenChange[];
  /**
   * Profiles that are not in the table, and were read before the last whole reading, or before
   * somebody was found gone of whom no row tells it: they may be that person. They were not written; read them again.
   */
  readonly readAgain: readonly string[];
  /** Null if the batch has no lists. */
  readonly members: WrittenMembers | null;
}

/** What became of memberships of lists. */
export interface WrittenMembers {
  /** Of those that began: when, by Klaviyo; null if it did not say. */
  readonly joinedAt: readonly (string | null)[];
  readonly left: number;
}

export interface WrittenChange {
  /** Of a person who was erased, only the mark. */
  readonly profileId: string;
  readonly thing: ChangedThing;
  readonly before: string | null;
  readonly after: string | null;
  readonly happenedAt: string | null;
  /** When Klaviyo changed it, which a date of its own does not say; null if it does not say. */
  readonly changedAt: string | null;
  /** When it was read, by the clock of `Batch.readAt`. */
  readonly noticedAt: string;
}

/** What becomes of the row of a profile that was deleted in Klaviyo. */
export type OnDeleted = 'erase' | 'keep';

/** Names of what a destination consists of. */
export interface DestinationTables {
  /** One row a profile; `schema.table` or `table`. */
  readonly table: string;
  /** One row a change; null for none. */
  readonly history: string | null;
  /** One row a membership of a list; null for none. */
  readonly lists?: string | null;
  /** `erase`: only an untraceable mark stays. `keep`: the row stays, with `deleted_at`. */
  readonly onDeleted: OnDeleted;
  /** Other names for columns, by their default names. */
  readonly columns: Readonly<Record<string, string>>;
}

/** A row as it is stored. Times are in UTC with microseconds. */
export interface StoredRow {
  readonly profileId: string;
  readonly row: ConsentRow;
  readonly firstSeenAt: string;
  /** A row that a whole reading found unchanged is not written for it: see `Marker.sweptAt`. */
  readonly lastReadAt: string;
  readonly changedAt: string;
  readonly deletedAt: string | null;
  readonly mergedInto: string | null;
}

/** A membership as it is stored, or one that ended. Times are in UTC with microseconds. */
export interface StoredMember {
  readonly listId: string;
  readonly profileId: string;
  readonly listName: string | null;
  /** By Klaviyo. */
  readonly joinedAt: string | null;
  /** When it was noticed that it had ended; null while the profile is on the list. */
  readonly leftAt: string | null;
  readonly firstSeenAt: string;
  readonly lastReadAt: string;
}

/** All of a destination at one moment. */
export interface Snapshot {
  readonly marker: Marker | null;
  /** In the order of ids, page by page, with those that are deleted and merged. */
  readonly rows: AsyncIterable<readonly StoredRow[]>;
  /** List by list, with those that ended; null if there is no table of them. */
  readonly members: AsyncIterable<readonly StoredMember[]> | null;
}

/**
 * Where a sync writes consent records. Knows rows and columns, and nothing of Klaviyo or of
 * Temporal. All operations throw `DestinationError`, whose message says what is wrong, where, and
 * what to do; what may pass by itself (a lost connection, a full disk) is marked as such.
 */
export interface Destination {
  /** For messages, without a password: `postgres://user@host/database, table klaviyo_consent`. */
  readonly shown: string;
  /**
   * Checks rights, encoding and the shape of the tables, and creates those that are missing. Never
   * alters one.
   */
  prepare(): Promise<void>;
  /** Null if no sync wrote here yet. */
  marker(): Promise<Marker | null>;
  /**
   * Writes what differs, its history and the marker in one transaction. What was read before a row
   * was last read is left out.
   *
   * @param expected the generation so far (0 if there is no marker): if another process wrote since, nothing is written
   * @throws MarkerMovedError
   * @throws DestinationError if it is `passing`, a lost connection may have hidden that all was
   *   written: the marker tells
   */
  write(batch: Batch, marker: Marker, expected: number): Promise<Written>;
  /**
   * Puts a marker in place of whatever marker there is, also another sync's; rows stay. For a sync
   * that begins anew: its first whole reading then finds who is gone.
   */
  reset(marker: Marker): Promise<void>;
  /**
   * Ids of the rows that are neither deleted nor merged, in their order, after this one. If the deleted are
   * erased, also of those who were kept as deleted before: they are still to be erased.
   */
  idsAfter(profileId: string | null, limit: number): Promise<string[]>;
  /**
   * Removes what the history and the table of memberships have of profiles without a row: those who were
   * erased while the sync did not write there.
   */
  removeStrays(): Promise<void>;
  /** Rows by their ids, of those that `idsAfter` gives. */
  rowsOf(profileIds: readonly string[]): Promise<ReadonlyMap<string, ConsentRow>>;
  /** Rows that were merged into those with these ids, or into one of these, by their ids. */
  mergedRowsOf(profileIds: readonly string[]): Promise<ReadonlyMap<string, ConsentRow>>;
  /** Which of these profiles have no row that is neither deleted nor merged. */
  unknownOf(profileIds: readonly string[]): Promise<string[]>;
  /** Lists that somebody is on, by their ids, with the name that their members have. */
  heldLists(): Promise<ReadonlyMap<string, string | null>>;
  /** Ids of the lists that these profiles are on; profiles that are on none are missing. */
  listsOf(profileIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** So many random rows that are neither deleted nor merged. */
  sample(count: number): Promise<ReadonlyMap<string, ConsentRow>>;
  /** The number of rows that are neither deleted nor merged. */
  count(): Promise<number>;
  /** Gives rows and marker as they are together at one moment, whatever is written meanwhile. */
  snapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** What a person has to do besides if the ledger was restored from a backup. */
export const AFTER_A_RESTORED_LEDGER =
  'before that, see "After the ledger was restored" in docs/sync.md: whoever was erased since that backup is in ' +
  'the ledger again, so continue and repeat no migration yet.';

/** A destination cannot be used as it is. The message names what is wrong, where, and what to do. */
export class DestinationError extends Error {
  override readonly name = 'DestinationError';

  /** @param passing whether it may pass without anybody's doing, as an outage does */
  constructor(
    message: string,
    readonly passing: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Another process wrote to the destination meanwhile. Nothing was written. */
export class MarkerMovedError extends Error {
  override readonly name = 'MarkerMovedError';
}
