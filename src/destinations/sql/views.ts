import type { Dialect } from './database.js';
import { nameOf, type Layout, type MembersLayout, type Table } from './layout.js';
import { quoted } from './statements.js';

/** A view with the statement that creates it. */
interface ViewStatement {
  readonly view: Pick<Table, 'schema' | 'name'>;
  readonly statement: string;
}

export function viewsOf(dialect: Dialect, layout: Layout): ViewStatement[] {
  const { view, members } = layout;
  return [
    { view, statement: createView(dialect, layout) },
    ...(members === null
      ? []
      : [{ view: members.view, statement: createMembersView(dialect, layout, members) }]),
  ];
}

/**
 * Rows that are neither deleted nor merged. A row was read when the last whole reading began, if not
 * later.
 */
function createView(dialect: Dialect, { rows, marker, view }: Layout): string {
  const column = (of: string): string => `r.${dialect.quote(nameOf(rows, of))}`;
  const columns = rows.columns.map(({ of, name }) => {
    if (of !== 'last_read_at') return column(of);
    return `greatest(${column(of)}, coalesce(m.${dialect.quote('swept_at')}, ${column(of)})) as ${dialect.quote(name)}`;
  });
  return (
    `create view ${quoted(dialect, view)} as select ${columns.join(', ')} ` +
    `from ${quoted(dialect, rows)} r left join ${quoted(dialect, marker)} m on m.${dialect.quote('id')} = 1 ` +
    `where ${column('deleted_at')} is null and ${column('merged_into')} is null`
  );
}

/** Who is on a list now, of the rows that are neither deleted nor merged. */
function createMembersView(
  dialect: Dialect,
  { rows }: Pick<Layout, 'rows'>,
  { rows: members, view }: MembersLayout,
): string {
  const row = (of: string): string => `r.${dialect.quote(nameOf(rows, of))}`;
  const member = (of: string): string => `m.${dialect.quote(nameOf(members, of))}`;
  return (
    `create view ${quoted(dialect, view)} as ` +
    `select ${members.columns.map(({ of }) => member(of)).join(', ')} ` +
    `from ${quoted(dialect, members)} m ` +
    `join ${quoted(dialect, rows)} r on ${row('profile_id')} = ${member('profile_id')} ` +
    `where ${member('left_at')} is null ` +
    `and ${row('deleted_at')} is null and ${row('merged_into')} is null`
  );
}
