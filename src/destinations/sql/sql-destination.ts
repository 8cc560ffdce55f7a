import { randomUUID } from 'node:crypto';
import type { ColumnValue } from '../../consent/record/columns.js';
import type { ConsentRow } from '../../consent/record/record.js';
import { microseconds } from '../../consent/record/timestamps.js';
import {
  DestinationError,
  MarkerMovedError,
  type Batch,
  type Destination,
  type Marker,
  type OnDeleted,
  type Snapshot,
  type StoredRow,
  type Written,
  type WrittenMembers,
} from '../destination.js';
import { rowValues, storedRow } from '../row-columns.js';
import type { SqlDatabase, SqlSession, SqlValue } from './database.js';
import { tableText, type Layout, type Table } from './layout.js';
import { MemberTable } from './member-table.js';
import { isPresent, mergeBatch, type Merged } from './merge.js';
import { prepareTables } from './prepare.js';
import { MARK, Statements } from './statements.js';

const SNAPSHOT_ROWS = 2_000;

/** A marker with what the destination itself keeps in it. */
interface StoredMarker {
  readonly marker: Marker;
  readonly goneAt: string | null;
}

/** Consent records in the tables of a database server. */
export class SqlDestination implements Destination {
  readonly shown: string;
  readonly #database: SqlDatabase;
  readonly #layout: Layout;
  readonly #onDeleted: OnDeleted;
  readonly #statements: Statements;
  readonly #members: MemberTable | null;

  constructor(database: SqlDatabase, layout: Layout, onDeleted: OnDeleted) {
    this.#database = database;
    this.#layout = layout;
    this.#onDeleted = onDeleted;
    this.#statements = new Statements(database.dialect, layout, onDeleted);
    const { members } = layout;
    this.#members = members && new MemberTable(database.dialect, members);
    this.shown = `${database.shown}, table ${tableText(layout.rows)}`;
  }

  prepare(): Promise<void> {
    return prepareTables(this.#database, this.#layout, this.shown);
  }

  marker(): Promise<Marker | null> {
    return this.#database.use(async (session) => {
      if ((await this.#database.relation(session, this.#layout.marker)) === null) return null;
      return (await this.#storedMarker(session, this.#statements.marker))?.marker ?? null;
    });
  }

  write(batch: Batch, marker: Marker, expected: number): Promise<Written> {
    return this.#database.transaction('write', async (session) => {
      const before = await this.#lockMarker(session, marker, expected);
      const merged = mergeBatch(
        batch,
        await this.#storedRows(session, batch),
        {
          sweptAt: before?.marker.sweptAt ?? null,
          goneAt: before?.goneAt ?? null,
          onDeleted: this.#onDeleted,
        },
        () => `${MARK}${randomUUID()}`,
      );
      await this.#writeRows(session, merged);
      await this.#writeHistory(session, batch, marker, merged);
      const members = await this.#writeMembers(session, batch, merged);
      const goneAt = newest(before?.goneAt ?? null, merged.goneAt);
      await this.#writeMarker(session, marker, goneAt);
      return { ...merged.written, members };
    });
  }

  reset(marker: Marker): Promise<void> {
    return this.#database.transaction('write', async (session) => {
      await this.#insertMarker(session, marker);
      const before = await this.#storedMarker(session, this.#statements.markerLocked);
      await this.#writeMarker(session, marker, before?.goneAt ?? null);
    });
  }

  idsAfter(profileId: string | null, limit: number): Promise<string[]> {
    return this.#database.use(async (session) => {
      const rows = await session.query(
        this.#statements.idsAfter,
        [profileId ?? '', limit],
        ['key'],
      );
      return rows.map(([id]) => String(id));
    });
  }

  removeStrays(): Promise<void> {
    return this.#database.transaction('write', async (session) => {
      // Whoever writes a row with its history writes both before this or after it.
      await this.#storedMarker(session, this.#statements.markerLocked);
      for (const statement of this.#statements.removeStrays) await session.query(statement);
    });
  }

  rowsOf(profileIds: readonly string[]): Promise<ReadonlyMap<string, ConsentRow>> {
    return this.#database.use((session) => this.#heldRows(session, profileIds));
  }

  mergedRowsOf(profileIds: readonly string[]): Promise<ReadonlyMap<string, ConsentRow>> {
    return this.#database.use(async (session) => {
      const rows = new Map<string, ConsentRow>();
      for (let targets = profileIds; targets.length > 0;) {
        const former = await session.query(this.#statements.mergedInto, [targets], ['key']);
        targets = former.map(([id]) => String(id)).filter((id) => !rows.has(id));
        if (targets.length === 0) break;
        for (const { profileId, row } of await this.#query(session, this.#statements.rows, [
          targets,
        ])) {
          rows.set(profileId, row);
        }
      }
      return rows;
    });
  }

  unknownOf(profileIds: readonly string[]): Promise<string[]> {
    return this.#database.use(async (session) => [...(await this.#unknown(session, profileIds))]);
  }

  heldLists(): Promise<ReadonlyMap<string, string | null>> {
    const members = this.#members;
    if (members === null) return Promise.resolve(new Map());
    return this.#database.use((session) => members.heldLists(session));
  }

  listsOf(profileIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const members = this.#members;
    if (members === null) return Promise.resolve(new Map());
    return this.#database.use((session) => members.listsOf(session, profileIds));
  }

  sample(count: number): Promise<ReadonlyMap<string, ConsentRow>> {
    return this.#database.use(async (session) => {
      const ids = await session.query(this.#statements.sample, [count], ['key']);
      return this.#heldRows(
        session,
        ids.map(([id]) => String(id)),
      );
    });
  }

  count(): Promise<number> {
    return this.#database.use(async (session) => {
      const [row] = await session.query(this.#statements.count, [], ['number']);
      return Number(row?.[0]);
    });
  }

  snapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return this.#database.transaction('snapshot', async (session) => {
      const stored = await this.#storedMarker(session, this.#statements.marker);
      return work({
        marker: stored?.marker ?? null,
        rows: this.#pages(session),
        members: this.#members?.pages(session) ?? null,
      });
    });
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  async *#pages(session: SqlSession): AsyncGenerator<StoredRow[], void, undefined> {
    for (let after = ''; ;) {
      const rows = await this.#query(session, this.#statements.rowsAfter, [after, SNAPSHOT_ROWS]);
      if (rows.length > 0) yield rows;
      if (rows.length < SNAPSHOT_ROWS) return;
      after = rows.at(-1)?.profileId ?? after;
    }
  }

  /** Waits for every other process that writes, and keeps them waiting until the transaction ends. */
  async #lockMarker(
    session: SqlSession,
    marker: Marker,
    expected: number,
  ): Promise<StoredMarker | null> {
    // Of two first writers, the second waits for the first's row.
    if (expected === 0) await this.#insertMarker(session, { ...marker, generation: 0 });
    const before = await this.#storedMarker(session, this.#statements.markerLocked);
    if (before !== null && before.marker.syncId !== marker.syncId) {
      throw new DestinationError(
        `${this.shown}: another sync writes here: ${before.marker.syncId}, of the account ` +
          `${before.marker.accountId}. Give this one a table of its own, or reset it to take over ` +
          `the table.`,
        false,
      );
    }
    const found = before?.marker.generation ?? 0;
    if (found === expected) return before;
    throw new MarkerMovedError(
      `${this.shown}: the marker is at ${found}, not ${expected}: another process wrote meanwhile. ` +
        `Nothing was written.`,
    );
  }

  async #storedMarker(session: SqlSession, text: string): Promise<StoredMarker | null> {
    const [row] = await session.query(
      text,
      [],
      this.#layout.marker.columns.map(({ type }) => type),
    );
    if (row === undefined) return null;
    const [, syncId, accountId, generation, runId, state, sweptAt, goneAt] = row;
    return {
      marker: {
        syncId: String(syncId),
        accountId: String(accountId),
        generation: Number(generation),
        runId: String(runId),
        state: JSON.parse(String(state)) as object,
        sweptAt: textOrNull(sweptAt),
      },
      goneAt: textOrNull(goneAt),
    };
  }

  /** If there is none. */
  async #insertMarker(session: SqlSession, marker: Marker): Promise<void> {
    await session.insert(this.#layout.marker, [markerValues(marker, null)], 'if_absent');
  }

  async #writeMarker(session: SqlSession, marker: Marker, goneAt: string | null): Promise<void> {
    await session.replace(this.#layout.marker, [markerValues(marker, goneAt)]);
  }

  /**
   * Rows of a batch's profiles and of those that were merged into one that is gone. The marker's lock
   * keeps other writers away; locks of the rows would be a write for each that stays as it is.
   */
  async #storedRows(session: SqlSession, batch: Batch): Promise<Map<string, StoredRow>> {
    const ids = [...batch.records, ...batch.gone].map(({ profileId }) => profileId);
    const stored = new Map<string, StoredRow>();
    for (let wanted = ids; wanted.length > 0;) {
      for (const row of await this.#query(session, this.#statements.rows, [wanted])) {
        stored.set(row.profileId, row);
      }
      if (this.#onDeleted === 'keep' || batch.gone.length === 0) break;
      const targets = wanted === ids ? batch.gone.map(({ profileId }) => profileId) : wanted;
      const former = await session.query(this.#statements.mergedInto, [targets], ['key']);
      wanted = former.map(([id]) => String(id)).filter((id) => !stored.has(id));
    }
    return stored;
  }

  async #writeRows(session: SqlSession, merged: Merged): Promise<void> {
    const { rows } = this.#layout;
    const statements = this.#statements;
    if (merged.erased.length > 0) {
      await session.query(statements.removeRows, [merged.erased]);
      if (statements.removeHistory !== null)
        await session.query(statements.removeHistory, [merged.erased]);
    }
    await session.insert(rows, merged.inserted.map(rowValues));
    await session.replace(rows, merged.updated.map(rowValues));
    for (const [readAt, ids] of merged.confirmed) {
      await session.query(statements.confirm, [this.#database.dialect.time(readAt), ids]);
    }
  }

  /** After the rows, by which it is known who has one. */
  async #writeMembers(
    session: SqlSession,
    { lists = [], readAt }: Batch,
    merged: Merged,
  ): Promise<WrittenMembers | null> {
    const table = this.#members;
    if (table === null) return null;
    await table.erase(session, merged.erased);
    const gone = merged.updated.filter((row) => !isPresent(row));
    for (const at of new Set(gone.map(({ lastReadAt }) => lastReadAt))) {
      const ids = gone.filter((row) => row.lastReadAt === at).map(({ profileId }) => profileId);
      await table.end(session, ids, at);
    }
    if (lists.length === 0) return null;
    const ids = lists.flatMap(({ members }) => members.map(({ profileId }) => profileId));
    return table.write(session, lists, await this.#unknown(session, ids), readAt);
  }

  async #unknown(session: SqlSession, profileIds: readonly string[]): Promise<Set<string>> {
    const unknown = new Set(profileIds);
    if (unknown.size === 0) return unknown;
    const known = await session.query(this.#statements.known, [[...unknown]], ['key']);
    for (const [id] of known) unknown.delete(String(id));
    return unknown;
  }

  async #writeHistory(
    session: SqlSession,
    { noticedBy }: Batch,
    { runId }: Marker,
    { history }: Merged,
  ): Promise<void> {
    if (this.#layout.history === null) return;
    await session.insert(
      this.#layout.history,
      history.map((change) => [
        change.profileId,
        change.thing,
        change.before,
        change.after,
        change.happenedAt,
        change.noticedAt,
        noticedBy,
        runId,
      ]),
    );
  }

  async #heldRows(
    session: SqlSession,
    profileIds: readonly string[],
  ): Promise<Map<string, ConsentRow>> {
    if (profileIds.length === 0) return new Map();
    const rows = await this.#query(session, this.#statements.heldRows, [profileIds]);
    return new Map(rows.map(({ profileId, row }) => [profileId, row]));
  }

  async #query(
    session: SqlSession,
    text: string,
    values: readonly (SqlValue | readonly string[])[],
  ): Promise<StoredRow[]> {
    const rows = await session.query(text, values, typesOf(this.#layout.rows));
    return rows.map((row) => storedRow(row as ColumnValue[]));
  }
}

function typesOf({ columns }: Table): Table['columns'][number]['type'][] {
  return columns.map(({ type }) => type);
}

/** In the order of the table's columns. */
function markerValues(marker: Marker, goneAt: string | null): SqlValue[] {
  return [
    1,
    marker.syncId,
    marker.accountId,
    marker.generation,
    marker.runId,
    JSON.stringify(marker.state),
    marker.sweptAt === null ? null : microseconds(marker.sweptAt),
    goneAt,
    microseconds(new Date().toISOString()),
  ];
}

function textOrNull(value: SqlValue | undefined): string | null {
  return value === undefined || value === null ? null : String(value);
}

function newest(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? other : one;
}
