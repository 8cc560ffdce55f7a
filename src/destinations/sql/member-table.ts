import type { ColumnValue } from '../../consent/record/columns.js';
import { storableText } from '../../consent/record/canonical.js';
import { microseconds } from '../../consent/record/timestamps.js';
import type { ListBatch, StoredMember, WrittenMembers } from '../destination.js';
import { memberValues, storedMember } from '../row-columns.js';
import type { Dialect, SqlSession, SqlValue } from './database.js';
import type { MembersLayout, SqlType } from './layout.js';
import { MemberStatements } from './member-statements.js';
import { mergeMembers } from './merge-members.js';

const SNAPSHOT_ROWS = 2_000;

/** The table of list memberships of a destination. Writes only in the transactions of its rows. */
export class MemberTable {
  readonly #dialect: Dialect;
  readonly #layout: MembersLayout;
  readonly #statements: MemberStatements;
  readonly #types: readonly SqlType[];

  constructor(dialect: Dialect, layout: MembersLayout) {
    this.#dialect = dialect;
    this.#layout = layout;
    this.#statements = new MemberStatements(dialect, layout.rows);
    this.#types = layout.rows.columns.map(({ type }) => type);
  }

  /** @param unknown ids of members without a row that is neither deleted nor merged */
  async write(
    session: SqlSession,
    lists: readonly ListBatch[],
    unknown: ReadonlySet<string>,
    writtenAt: string,
  ): Promise<WrittenMembers> {
    const joinedAt: (string | null)[] = [];
    let left = 0;
    for (const given of lists) {
      const list = await this.#named(session, given);
      const ids = [...list.members, ...list.left].map(({ profileId }) => profileId);
      if (new Set(ids).size < ids.length) throw new Error('A list has a profile twice');
      const stored = new Map(
        (await this.#members(session, list.listId, ids)).map((one) => [one.profileId, one]),
      );
      const merged = mergeMembers(list, stored, (id) => !unknown.has(id));
      await session.insert(this.#layout.rows, merged.inserted.map(memberValues));
      await session.replace(this.#layout.rows, merged.updated.map(memberValues));
      if (merged.confirmed.length > 0) {
        const { confirm } = this.#statements;
        const at = this.#dialect.time(merged.confirmedAt);
        await session.query(confirm, [at, list.listId, merged.confirmed]);
      }
      joinedAt.push(...merged.joinedAt);
      left += merged.left + (await this.#endUnread(session, list, writtenAt));
    }
    return { joinedAt, left };
  }

  /** Ends the memberships of profiles that are deleted or merged, and were read as such then. */
  async end(session: SqlSession, profileIds: readonly string[], readAt: string): Promise<void> {
    if (profileIds.length === 0) return;
    const at = this.#dialect.time(readAt);
    await session.query(this.#statements.end, [at, at, profileIds, at]);
  }

  /** Leaves no trace of people who are erased. */
  async erase(session: SqlSession, profileIds: readonly string[]): Promise<void> {
    if (profileIds.length > 0) await session.query(this.#statements.remove, [profileIds]);
  }

  /** Lists that somebody is on, with the name that their members have. */
  async heldLists(session: SqlSession): Promise<Map<string, string | null>> {
    const lists = new Map<string, string | null>();
    for (let after = ''; ;) {
      const [row] = await session.query(this.#statements.nextHeld, [after], ['key', 'text']);
      if (row === undefined) return lists;
      after = String(row[0]);
      lists.set(after, textOrNull(row[1]));
    }
  }

  async listsOf(
    session: SqlSession,
    profileIds: readonly string[],
  ): Promise<Map<string, string[]>> {
    const lists = new Map<string, string[]>();
    if (profileIds.length === 0) return lists;
    const rows = await session.query(this.#statements.listsOf, [profileIds], ['key', 'key']);
    for (const [profileId, listId] of rows.map((row) => row.map(String))) {
      const held = lists.get(profileId ?? '') ?? [];
      lists.set(profileId ?? '', [...held, listId ?? '']);
    }
    return lists;
  }

  /** All memberships, list by list, in the order of ids. */
  async *pages(session: SqlSession): AsyncGenerator<StoredMember[], void, undefined> {
    for (let last = ''; ;) {
      const [row] = await session.query(this.#statements.nextList, [last], ['key']);
      if (row === undefined) return;
      last = String(row[0]);
      for (let after = ''; ;) {
        const page = await this.#query(session, this.#statements.membersAfter, [
          last,
          after,
          SNAPSHOT_ROWS,
        ]);
        if (page.length > 0) yield page;
        if (page.length < SNAPSHOT_ROWS) break;
        after = page.at(-1)?.profileId ?? after;
      }
    }
  }

  /** @returns how many left */
  async #endUnread(
    session: SqlSession,
    { listId, whole }: ListBatch,
    writtenAt: string,
  ): Promise<number> {
    if (whole === null) return 0;
    const { countUnread, endUnread, joinedBefore } = this.#statements;
    const times = [whole.since, ...(whole.joinedBefore === null ? [] : [whole.joinedBefore])];
    const values = [listId, ...times.map((time) => this.#dialect.time(microseconds(time)))];
    const and = whole.joinedBefore === null ? '' : joinedBefore;
    const [row] = await session.query(`${countUnread}${and}`, values, ['number']);
    const count = Number(row?.[0]);
    if (count > 0) {
      const leftAt = this.#dialect.time(microseconds(writtenAt));
      const [, since = ''] = values;
      await session.query(`${endUnread}${and}`, [leftAt, since, ...values]);
    }
    return count;
  }

  /**
   * Gives all that are on a list the name that it has, before anybody else gets it: so they always have
   * the same, and one of them tells it.
   */
  async #named(session: SqlSession, list: ListBatch): Promise<ListBatch> {
    const [row] = await session.query(this.#statements.nameOfHeld, [list.listId], ['text']);
    const held = textOrNull(row?.[0]);
    if (list.listName === null) return { ...list, listName: held };
    const name = storableText(list.listName);
    if (row !== undefined && name !== held)
      await session.query(this.#statements.rename, [name, list.listId]);
    return list;
  }

  async #members(
    session: SqlSession,
    listId: string,
    profileIds: readonly string[],
  ): Promise<StoredMember[]> {
    if (profileIds.length === 0) return [];
    return this.#query(session, this.#statements.members, [listId, profileIds]);
  }

  async #query(
    session: SqlSession,
    text: string,
    values: readonly (SqlValue | readonly string[])[],
  ): Promise<StoredMember[]> {
    const rows = await session.query(text, values, this.#types);
    return rows.map((row) => storedMember(row as ColumnValue[]));
  }
}

function textOrNull(value: SqlValue | undefined): string | null {
  return value === undefined || value === null ? null : String(value);
}
