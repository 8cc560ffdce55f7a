import { changedAt, changesBetween } from '../../consent/record/changes.js';
import { canonicalJson, storableText } from '../../consent/record/canonical.js';
import { STATED_COLUMNS, type ColumnType, type ColumnValue } from '../../consent/record/columns.js';
import {
  isSameRow,
  rowAfter,
  rowOfErased,
  rowOfGone,
  type ConsentRecord,
} from '../../consent/record/record.js';
import { microseconds } from '../../consent/record/timestamps.js';
import type {
  Batch,
  Gone,
  OnDeleted,
  ReadRecord,
  StoredRow,
  Written,
  WrittenChange,
} from '../destination.js';

/** What a batch makes of the rows that are there. */
export interface Merged {
  /** Rows whose id is not in the table. */
  readonly inserted: readonly StoredRow[];
  readonly updated: readonly StoredRow[];
  /** Ids of rows that are as they were read, by the time of the reading. */
  readonly confirmed: ReadonlyMap<string, readonly string[]>;
  /** Ids whose rows and history are removed, before anything is inserted. */
  readonly erased: readonly string[];
  readonly history: readonly WrittenChange[];
  /** When somebody of whom no row tells it was read as gone, at last; null if nobody was. */
  readonly goneAt: string | null;
  readonly written: Omit<Written, 'members'>;
}

/** What the destination says of what is older than itself. */
export interface Baseline {
  /** When the last whole reading began. */
  readonly sweptAt: string | null;
  /** When somebody of whom no row tells it was read as gone, at last. */
  readonly goneAt: string | null;
  readonly onDeleted: OnDeleted;
}

/**
 * Compares a batch with the rows that are there. What was read before its row was last read changes
 * nothing. Everybody's time is of one clock, so that it can be compared.
 *
 * @param stored rows of the batch's profiles, and of those that were merged into one that is gone
 * @param newMark gives an id for the row of somebody who is erased
 */
export function mergeBatch(
  batch: Batch,
  stored: ReadonlyMap<string, StoredRow>,
  baseline: Baseline,
  newMark: () => string,
): Merged {
  refuseTwice(batch);
  const inserted: StoredRow[] = [];
  const updated: StoredRow[] = [];
  const confirmed = new Map<string, string[]>();
  const history: WrittenChange[] = [];
  const readAgain: string[] = [];
  let goneAt: string | null = null;
  let added = 0;
  let changed = 0;
  let removed = 0;

  for (const record of batch.records) {
    const readAt = timeOf(record, batch);
    const before = stored.get(record.profileId) ?? null;
    if (before === null && isOlder(readAt, baseline.sweptAt, baseline.goneAt)) {
      readAgain.push(record.profileId);
      continue;
    }
    if (before !== null && isOlder(readAt, baseline.sweptAt, before.lastReadAt)) continue;
    const after = rowRead(before, record, readAt);
    if (before === null) {
      inserted.push(after);
      added++;
      if (!batch.isFirst) history.push(...changesOf(null, after));
    } else if (isPresent(before) && isSameRow(before.row, after.row)) {
      if (isRemembered(batch) && before.lastReadAt !== readAt)
        push(confirmed, readAt, record.profileId);
    } else {
      updated.push(after);
      changed++;
      history.push(...changesOf(before, after));
    }
  }

  const merged = batch.gone.length === 0 ? new Map<string, string[]>() : idsByTarget(stored);
  const marked = new Set<string>();
  for (const gone of batch.gone) {
    const readAt = timeOf(gone, batch);
    const before = stored.get(gone.profileId) ?? null;
    if (before !== null && isOlder(readAt, before.lastReadAt)) continue;
    const isErased = gone.mergedInto === null && baseline.onDeleted === 'erase';
    if (isErased || before === null) goneAt = newest(goneAt, readAt);
    if (isErased) {
      for (const row of rowsOfPerson(gone.profileId, stored, merged)) {
        if (marked.has(row.profileId)) continue;
        marked.add(row.profileId);
        const mark = newMark();
        inserted.push(rowErased(mark, readAt));
        history.push(deletedChange(mark, row, readAt));
        if (isPresent(row)) removed++;
      }
    } else if (before !== null) {
      const after = rowGone(before, gone, readAt);
      if (stateOf(before) === stateOf(after) && before.mergedInto === after.mergedInto) {
        // An older reading that is written later does not bring it back.
        push(confirmed, readAt, gone.profileId);
        continue;
      }
      updated.push(after);
      history.push(...changesOf(before, after));
      if (isPresent(before)) removed++;
    }
  }

  const written = { added, changed, removed, changes: history, readAgain };
  return { inserted, updated, confirmed, erased: [...marked], history, goneAt, written };
}

function refuseTwice({ records, gone }: Batch): void {
  const ids = [...records, ...gone].map(({ profileId }) => profileId);
  if (new Set(ids).size < ids.length) throw new Error('A batch has a profile twice');
}

/** Whether a row is neither deleted nor merged. */
export function isPresent({ deletedAt, mergedInto }: StoredRow): boolean {
  return deletedAt === null && mergedInto === null;
}

function timeOf({ readAt }: ReadRecord | Gone, batch: Batch): string {
  return microseconds(readAt ?? batch.readAt);
}

function isOlder(readAt: string, ...than: readonly (string | null)[]): boolean {
  return than.some((time) => time !== null && readAt < time);
}

/**
 * A whole reading would write every row to say that it was read; the marker says it once. All else
 * reads few, and has to win over a page that a whole reading read earlier and writes later.
 */
function isRemembered({ noticedBy }: Batch): boolean {
  return noticedBy !== 'sweep' && noticedBy !== 'first_run';
}

function rowRead(before: StoredRow | null, record: ConsentRecord, readAt: string): StoredRow {
  return {
    profileId: record.profileId,
    row: rowAfter(before?.row ?? null, { ...record, stated: storable(record.stated) }),
    firstSeenAt: before?.firstSeenAt ?? readAt,
    lastReadAt: readAt,
    changedAt: readAt,
    deletedAt: null,
    mergedInto: null,
  };
}

function rowGone(before: StoredRow, { mergedInto }: Gone, readAt: string): StoredRow {
  return {
    ...before,
    row: rowOfGone(before.row),
    lastReadAt: readAt,
    changedAt: readAt,
    deletedAt: mergedInto === null ? readAt : null,
    mergedInto,
  };
}

/** One time for all, since several could be found again in an old copy of the table. */
function rowErased(mark: string, readAt: string): StoredRow {
  return {
    profileId: mark,
    row: rowOfErased(),
    firstSeenAt: readAt,
    lastReadAt: readAt,
    changedAt: readAt,
    deletedAt: readAt,
    mergedInto: null,
  };
}

function changesOf(before: StoredRow | null, after: StoredRow): WrittenChange[] {
  const shared = { profileId: after.profileId, noticedAt: after.lastReadAt };
  const isMoved = before !== null && stateOf(before) !== stateOf(after);
  return [
    ...(isMoved
      ? [
          {
            ...shared,
            thing: 'profile' as const,
            before: stateOf(before),
            after: stateOf(after),
            happenedAt: null,
            changedAt: null,
          },
        ]
      : []),
    ...(isPresent(after)
      ? changesBetween(before?.row ?? null, after.row).map((change) => ({
          ...shared,
          ...change,
          changedAt: changedAt(before?.row ?? null, after.row, change),
        }))
      : []),
  ];
}

function deletedChange(mark: string, row: StoredRow, readAt: string): WrittenChange {
  return {
    profileId: mark,
    thing: 'profile',
    before: stateOf(row),
    after: 'deleted',
    happenedAt: null,
    changedAt: null,
    noticedAt: readAt,
  };
}

function stateOf({ deletedAt, mergedInto }: StoredRow): string {
  if (mergedInto !== null) return 'merged';
  return deletedAt === null ? 'present' : 'deleted';
}

/** Ids of rows by that of the profile that took them over. */
function idsByTarget(stored: ReadonlyMap<string, StoredRow>): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { profileId, mergedInto } of stored.values()) {
    if (mergedInto !== null) push(ids, mergedInto, profileId);
  }
  return ids;
}

/** The rows of a profile and of all that were merged into it, or into one of these. */
function rowsOfPerson(
  profileId: string,
  stored: ReadonlyMap<string, StoredRow>,
  merged: ReadonlyMap<string, readonly string[]>,
): StoredRow[] {
  const ids = new Set([profileId]);
  for (const id of ids) for (const former of merged.get(id) ?? []) ids.add(former);
  return [...ids].flatMap((id) => stored.get(id) ?? []);
}

const FORMS: Readonly<Record<ColumnType, (value: string) => string>> = {
  text: storableText,
  boolean: (value) => value,
  timestamp: microseconds,
  json: (value) => (value === '[]' ? value : canonicalJson(JSON.parse(storableText(value)))),
};

/** The same values if they have their forms already, as nearly all do. */
function storable(stated: ConsentRecord['stated']): ConsentRecord['stated'] {
  let forms: Record<string, ColumnValue | undefined> | null = null;
  for (const { name, type } of STATED_COLUMNS) {
    const value = stated[name];
    if (typeof value !== 'string') continue;
    const form = FORMS[type](value);
    if (form !== value) (forms ??= { ...stated })[name] = form;
  }
  return forms ?? stated;
}

function newest(one: string | null, other: string): string {
  return one === null || one < other ? other : one;
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
