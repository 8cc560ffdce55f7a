import type { Dialect } from './database.js';
import type { OnDeleted } from '../destination.js';
import { nameOf, type Layout, type Table } from './layout.js';

/** How the id begins of the mark that stays of somebody who was erased. Klaviyo's ids have no hyphen. */
export const MARK = 'deleted-';

/** The statements of a destination on which all kinds of servers agree. */
export class Statements {
  readonly marker: string;
  readonly markerLocked: string;
  readonly rows: string;
  readonly heldRows: string;
  readonly rowsAfter: string;
  readonly idsAfter: string;
  readonly known: string;
  readonly mergedInto: string;
  readonly confirm: string;
  readonly removeRows: string;
  readonly removeHistory: string | null;
  /** Of the history and of the memberships: what is there of profiles without a row. */
  readonly removeStrays: readonly string[];
  readonly sample: string;
  readonly count: string;

  constructor(dialect: Dialect, { rows, history, marker, members }: Layout, onDeleted: OnDeleted) {
    const column = (of: string): string => dialect.quote(nameOf(rows, of));
    const table = quoted(dialect, rows);
    const key = column('profile_id');
    const ordered = dialect.byBytes(key);
    const present = `${column('deleted_at')} is null and ${column('merged_into')} is null`;
    // Whoever was kept before is still to be erased.
    const held =
      onDeleted === 'keep'
        ? present
        : `${column('merged_into')} is null and (${column('deleted_at')} is null or ${key} not like '${MARK}%')`;
    const all = `select ${columnList(dialect, rows)} from ${table}`;
    this.marker = `select ${columnList(dialect, marker)} from ${quoted(dialect, marker)}`;
    this.markerLocked = `${this.marker} for update`;
    this.rows = `${all} where ${key} ${dialect.anyOf}`;
    this.heldRows = `${this.rows} and ${held}`;
    this.rowsAfter = `${all} where ${ordered} > ? order by ${ordered} limit ?`;
    this.idsAfter = `select ${key} from ${table} where ${ordered} > ? and ${held} order by ${ordered} limit ?`;
    this.known = `select ${key} from ${table} where ${key} ${dialect.anyOf} and ${present}`;
    this.mergedInto = `select ${key} from ${table} where ${column('merged_into')} ${dialect.anyOf}`;
    this.confirm = `update ${table} set ${column('last_read_at')} = ? where ${key} ${dialect.anyOf}`;
    this.removeRows = `delete from ${table} where ${key} ${dialect.anyOf}`;
    this.removeHistory =
      history === null
        ? null
        : `delete from ${quoted(dialect, history)} where ${dialect.quote('profile_id')} ${dialect.anyOf}`;
    this.removeStrays = [history, members?.rows ?? null].flatMap((of) => {
      if (of === null) return [];
      const [from, id] = [quoted(dialect, of), dialect.quote(nameOf(of, 'profile_id'))];
      const row = `select 1 from ${table} where ${table}.${key} = ${from}.${id}`;
      return [`delete from ${from} where not exists (${row})`];
    });
    this.sample = `select ${key} from ${table} where ${present} order by ${dialect.random} limit ?`;
    this.count = `select count(*) from ${table} where ${present}`;
  }
}

/** A table's name as statements have it. */
export function quoted(
  dialect: Pick<Dialect, 'quote'>,
  { schema, name }: Pick<Table, 'schema' | 'name'>,
): string {
  return schema === null ? dialect.quote(name) : `${dialect.quote(schema)}.${dialect.quote(name)}`;
}

/** The columns of a table's key as statements have them. */
export function keyList(
  dialect: Pick<Dialect, 'quote'>,
  { columns, keyColumns }: Pick<Table, 'columns' | 'keyColumns'>,
): string {
  return columns
    .slice(0, keyColumns)
    .map(({ name }) => dialect.quote(name))
    .join(', ');
}

export function columnList(dialect: Pick<Dialect, 'quote'>, { columns }: Table): string {
  return columns.map(({ name }) => dialect.quote(name)).join(', ');
}
