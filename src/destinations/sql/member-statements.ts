import type { Dialect } from './database.js';
import { nameOf, type Table } from './layout.js';
import { columnList, quoted } from './statements.js';

/** The statements of a table of list memberships. Those that are gone through have an index each. */
export class MemberStatements {
  readonly members: string;
  readonly confirm: string;
  readonly countUnread: string;
  readonly endUnread: string;
  /** Follows the two before. */
  readonly joinedBefore: string;
  readonly nameOfHeld: string;
  readonly rename: string;
  readonly end: string;
  readonly remove: string;
  readonly listsOf: string;
  readonly nextHeld: string;
  readonly nextList: string;
  readonly membersAfter: string;

  constructor(dialect: Dialect, rows: Table) {
    const column = (of: string): string => dialect.quote(nameOf(rows, of));
    const table = quoted(dialect, rows);
    const [list, profile] = [column('list_id'), column('profile_id')];
    const [listOrder, profileOrder] = [list, profile].map((key) => dialect.byBytes(key));
    const [joined, left, read] = [column('joined_at'), column('left_at'), column('last_read_at')];
    const all = `select ${columnList(dialect, rows)} from ${table}`;
    const unread = `${list} = ? and ${left} is null and ${read} < ?`;
    this.members = `${all} where ${list} = ? and ${profile} ${dialect.anyOf}`;
    this.confirm = `update ${table} set ${read} = ? where ${list} = ? and ${profile} ${dialect.anyOf}`;
    this.countUnread = `select count(*) from ${table} where ${unread}`;
    this.endUnread = `update ${table} set ${left} = ?, ${read} = ? where ${unread}`;
    this.joinedBefore = ` and (${joined} is null or ${joined} < ?)`;
    this.nameOfHeld = `select ${column('list_name')} from ${table} where ${list} = ? and ${left} is null limit 1`;
    this.rename = `update ${table} set ${column('list_name')} = ? where ${list} = ? and ${left} is null`;
    this.end =
      `update ${table} set ${left} = ?, ${read} = ? ` +
      `where ${profile} ${dialect.anyOf} and ${left} is null and ${read} <= ?`;
    this.remove = `delete from ${table} where ${profile} ${dialect.anyOf}`;
    this.listsOf =
      `select ${profile}, ${list} from ${table} ` +
      `where ${profile} ${dialect.anyOf} and ${left} is null`;
    this.nextHeld =
      `select ${list}, ${column('list_name')} from ${table} ` +
      `where ${left} is null and ${listOrder} > ? order by ${listOrder} limit 1`;
    this.nextList = `select ${list} from ${table} where ${listOrder} > ? order by ${listOrder} limit 1`;
    this.membersAfter = `${all} where ${list} = ? and ${profileOrder} > ? order by ${profileOrder} limit ?`;
  }
}
