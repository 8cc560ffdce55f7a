import { DestinationError } from '../destination.js';
import type { Relation, Right, SqlDatabase, SqlSession } from './database.js';
import { tableText, type Layout, type Table } from './layout.js';
import { quoted } from './statements.js';
import { viewsOf } from './views.js';

/**
 * Checks the server, the shape of the tables that are there and the user's rights to them, and
 * creates what is missing. All that is wrong with a table is said at once.
 */
export async function prepareTables(
  database: SqlDatabase,
  layout: Layout,
  shown: string,
): Promise<void> {
  await database.use((session) => database.check(session));
  await database.alone(`consentry ${tableText(layout.rows)}`, async (session) => {
    const { rows, history, marker, members } = layout;
    const ofPeople = [rows, history, members?.rows ?? null].filter((table) => table !== null);
    const tables = [...ofPeople, marker];
    const found = new Map<Table, Relation | null>();
    for (const table of tables) found.set(table, await database.relation(session, table));
    const isOurs = found.get(marker) !== null;
    for (const table of tables) {
      const relation = found.get(table) ?? null;
      if (relation === null) continue;
      refuseShape(database, table, relation, shown);
      await refuseRights(database, session, table, rightsTo(table, layout), shown);
    }
    for (const table of ofPeople) {
      if (isOurs || (found.get(table) ?? null) === null) continue;
      await refuseRows(database, session, table, shown);
    }
    for (const table of tables) {
      if (found.get(table) !== null) continue;
      await database.mayCreate(session, table);
      for (const statement of database.dialect.createTable(table)) await session.query(statement);
    }
    for (const { view, statement } of viewsOf(database.dialect, layout)) {
      if ((await database.relation(session, view)) !== null) continue;
      await database.mayCreate(session, view);
      await session.query(statement);
    }
  });
}

function rightsTo(table: Table, { history }: Layout): Right[] {
  return table === history
    ? ['SELECT', 'INSERT', 'DELETE']
    : ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
}

/** What keeps an existing table from being used, with what it should be. */
function refuseShape(
  { dialect }: SqlDatabase,
  table: Table,
  relation: Relation,
  shown: string,
): void {
  const name = tableText(table);
  if (relation.kind !== 'table') {
    throw new DestinationError(
      `${shown}: "${name}" is a ${relation.kind}. Give the sync the name of a table, or of none ` +
        `that is there, so that it is created.`,
      false,
    );
  }
  const wrong: string[] = [];
  for (const { name: column, type, nullable } of table.columns) {
    const wanted = `${dialect.typeOf(type)}${nullable ? '' : ' not null'}`;
    const there = relation.columns.find((one) => one.name === column);
    if (there === undefined) wrong.push(`${column} is missing and should be ${wanted}`);
    else if (there.type !== dialect.typeOf(type))
      wrong.push(`${column} is ${there.type} and should be ${wanted}`);
    else if (nullable && !there.nullable) wrong.push(`${column} is not null and should allow null`);
  }
  const known = new Set(table.columns.map((column) => column.name));
  for (const { name: column, nullable, hasDefault } of relation.columns) {
    if (known.has(column) || nullable || hasDefault) continue;
    wrong.push(`${column} is not of this product and should allow null or have a default`);
  }
  const key = table.columns.slice(0, table.keyColumns).map((column) => column.name);
  const hasKey = (columns: readonly string[]): boolean => key.every((of) => columns.includes(of));
  if (!relation.uniques.some((columns) => columns.length === key.length && hasKey(columns)))
    wrong.push(`${key.join(', ')} should be the primary key`);
  for (const columns of relation.uniques) {
    if (hasKey(columns)) continue;
    wrong.push(
      `${columns.join(', ')} is unique and should not be: profiles may have the same values`,
    );
  }
  if (wrong.length === 0) return;
  throw new DestinationError(
    `${shown}: the table "${name}" has another shape: ${wrong.join('; ')}. Tables are never ` +
      `altered: change it so, or give the sync another name, under which it creates the table.`,
    false,
  );
}

async function refuseRights(
  database: SqlDatabase,
  session: SqlSession,
  table: Table,
  rights: readonly Right[],
  shown: string,
): Promise<void> {
  const missing = await database.missingRights(session, table, rights);
  if (missing.length === 0) return;
  throw new DestinationError(
    `${shown}: the user may not ${missing.join(', ')} in "${tableText(table)}". As its owner: ` +
      `GRANT ${missing.join(', ')} ON ${quoted(database.dialect, table)} TO the user of the URL.`,
    false,
  );
}

/** Without a marker, rows are not a sync's: it would mix with them, or take their people for gone. */
async function refuseRows(
  { dialect }: SqlDatabase,
  session: SqlSession,
  table: Table,
  shown: string,
): Promise<void> {
  const name = quoted(dialect, table);
  const rows = await session.query(`select 1 from ${name} limit 1`, [], ['number']);
  if (rows.length === 0) return;
  throw new DestinationError(
    `${shown}: the table "${tableText(table)}" has rows, and no sync wrote them: there is no ` +
      `marker beside it. Give the sync another name, or empty the table.`,
    false,
  );
}
