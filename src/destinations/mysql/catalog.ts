import { DestinationError } from '../destination.js';
import type { Relation, RelationColumn, Right, SqlSession, SqlValue } from '../sql/database.js';
import type { Table } from '../sql/layout.js';
import { quoted } from '../sql/statements.js';
import { MYSQL } from './dialect.js';
import { DeniedError } from './errors.js';

type Named = Pick<Table, 'schema' | 'name'>;

/** Without a schema: in the database of the URL. */
const HERE = `table_schema = coalesce(?, database()) and table_name = ?`;

export async function relationOf(session: SqlSession, table: Named): Promise<Relation | null> {
  const name = [table.schema, table.name];
  const [found] = await session.query(
    `select table_type, engine, version() from information_schema.tables where ${HERE}`,
    name,
  );
  if (found === undefined) return null;
  const [type, engine, version] = found.map(String);
  const columns = await session.query(
    `select column_name, column_type, character_set_name, collation_name, is_nullable = 'YES',
       column_default is not null or extra like '%auto_increment%' or extra like '%GENERATED%'
     from information_schema.columns where ${HERE} order by ordinal_position`,
    name,
    ['text', 'text', 'text', 'text', 'boolean', 'boolean'],
  );
  const isMariadb = /mariadb/i.test(version ?? '');
  return {
    kind: kindOf(type ?? '', engine ?? ''),
    columns: columns.map(([column, is, charset, collation, nullable, hasDefault]) => ({
      name: String(column),
      type: typeOf(String(is), charset, collation, isMariadb),
      nullable: nullable === true,
      hasDefault: hasDefault === true,
    })) satisfies RelationColumn[],
    uniques: await uniquesOf(session, name),
  };
}

function kindOf(type: string, engine: string): string {
  if (type !== 'BASE TABLE') return type.toLowerCase();
  return engine === 'InnoDB' ? 'table' : `table of the engine ${engine}, without transactions`;
}

/** In the words of the dialect: only what differs from what it declares is named. */
function typeOf(
  type: string,
  charset: SqlValue | undefined,
  collation: SqlValue | undefined,
  isMariadb: boolean,
): string {
  // Some servers show how wide numbers are printed.
  if (type.startsWith('bigint')) return type.replace(/\(\d+\)/, '');
  // MariaDB has no type json: it is a longtext of this collation, with a check.
  if (isMariadb && type === 'longtext' && collation === 'utf8mb4_bin') return 'json';
  if (charset !== null && charset !== 'utf8mb4') return `${type} character set ${String(charset)}`;
  return type === 'varchar(64)' ? `${type} collate ${String(collation)}` : type;
}

async function uniquesOf(
  session: SqlSession,
  name: readonly (string | null)[],
): Promise<string[][]> {
  const rows = await session.query(
    `select index_name, coalesce(column_name, 'an expression') from information_schema.statistics
     where ${HERE} and non_unique = 0 order by index_name, seq_in_index`,
    name,
  );
  const uniques = new Map<string, string[]>();
  for (const [index, column] of rows.map((row) => row.map(String))) {
    uniques.set(index ?? '', [...(uniques.get(index ?? '') ?? []), column ?? '']);
  }
  return [...uniques.values()];
}

/** Statements that a server refuses without the right, and that change nothing with it. */
const ATTEMPTS: Readonly<Record<Right, (table: string, key: string) => string>> = {
  SELECT: (table, key) => `select ${key} from ${table} where 1 = 0`,
  INSERT: (table) => `insert into ${table} select * from ${table} where 1 = 0`,
  UPDATE: (table, key) => `update ${table} set ${key} = ${key} where 1 = 0`,
  DELETE: (table) => `delete from ${table} where 1 = 0`,
};

/** Grants may be of a pattern of names, or of a role: only the server knows what they come to. */
export async function missingRights(
  session: SqlSession,
  table: Table,
  rights: readonly Right[],
): Promise<Right[]> {
  const missing: Right[] = [];
  for (const right of rights) {
    const name = quoted(MYSQL, table);
    try {
      await session.query(ATTEMPTS[right](name, MYSQL.quote(table.columns[0]?.name ?? '')));
    } catch (error) {
      if (!(error instanceof DeniedError)) throw error;
      missing.push(right);
    }
  }
  return missing;
}

export async function mayCreate(
  session: SqlSession,
  { schema, name }: Named,
  shown: string,
): Promise<void> {
  if (schema === null) return;
  const rows = await session.query(
    'select 1 from information_schema.schemata where schema_name = ?',
    [schema],
  );
  if (rows.length > 0) return;
  throw new DestinationError(
    `${shown}: there is no database "${schema}" for "${name}", or the user may not use it. Create ` +
      `it, and: GRANT ALL ON ${MYSQL.quote(schema)}.* TO the user of the URL.`,
    false,
  );
}

export async function checkServer(session: SqlSession, shown: string): Promise<void> {
  const [row] = await session.query('select @@global.read_only', [], ['boolean']);
  if (row?.[0] !== true) return;
  throw new DestinationError(
    `${shown}: the server only reads (read_only is on), as a replica does. Name the primary.`,
    true,
  );
}
