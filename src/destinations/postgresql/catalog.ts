import { DestinationError } from '../destination.js';
import type { Relation, RelationColumn, Right, SqlSession } from '../sql/database.js';
import type { Table } from '../sql/layout.js';
import { quoted } from '../sql/statements.js';
import { POSTGRESQL } from './dialect.js';

type Named = Pick<Table, 'schema' | 'name'>;

/** Kinds of relations that rows can be written to, and names of others. */
const KINDS: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
  c: 'type',
  i: 'index',
};

/** A unique index on an expression, or of a part of the rows, has that in its text. */
const RELATION = `
  select c.relkind::text,
    (select json_agg(json_build_object(
        'name', attname, 'type', format_type(atttypid, atttypmod), 'nullable', not attnotnull,
        'hasDefault', atthasdef or attidentity <> '') order by attnum)
      from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped),
    (select json_agg(names) from (
      select (
        select json_agg(coalesce(a.attname, pg_get_indexdef(i.indexrelid, k.ord::int, true))
          || case when i.indpred is null then '' else ' (of some rows)' end order by k.ord)
        from unnest(i.indkey::int2[]) with ordinality k (attnum, ord)
          left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum and k.attnum > 0
        where k.ord <= i.indnkeyatts) as names
      from pg_index i where i.indrelid = c.oid and i.indisunique) u)
  from pg_class c where c.oid = to_regclass(?)`;

export async function relationOf(session: SqlSession, table: Named): Promise<Relation | null> {
  const [row] = await session.query(RELATION, [quoted(POSTGRESQL, table)]);
  if (row === undefined) return null;
  const [kind, columns, uniques] = row.map(String);
  return {
    kind: KINDS[kind ?? ''] ?? 'relation of another kind',
    columns: JSON.parse(columns ?? '[]') as RelationColumn[],
    uniques: (JSON.parse(uniques ?? 'null') as string[][] | null) ?? [],
  };
}

export async function missingRights(
  session: SqlSession,
  table: Named,
  rights: readonly Right[],
): Promise<Right[]> {
  const missing: Right[] = [];
  for (const right of rights) {
    const [row] = await session.query(
      'select has_table_privilege(to_regclass(?), ?)',
      [quoted(POSTGRESQL, table), right],
      ['boolean'],
    );
    if (row?.[0] !== true) missing.push(right);
  }
  return missing;
}

export async function mayCreate(
  session: SqlSession,
  { schema, name }: Named,
  shown: string,
): Promise<void> {
  const [row] = await session.query(
    `select current_user::text, s.name,
       (select has_schema_privilege(n.oid, 'CREATE') from pg_namespace n where n.nspname = s.name)
     from (select coalesce(?::text, current_schema()::text) as name) s`,
    [schema],
    ['text', 'text', 'boolean'],
  );
  const [user, place, may] = row ?? [];
  if (may === true) return;
  const problem =
    place === null
      ? `there is no schema in which "${name}" could be created. Name one, as in schema.${name}.`
      : may === null
        ? `there is no schema "${place}" for "${name}". Create it: CREATE SCHEMA ` +
          `${POSTGRESQL.quote(String(place))} AUTHORIZATION ${POSTGRESQL.quote(String(user))}.`
        : `the user may not create "${name}" in the schema "${place}". As its owner: GRANT CREATE ON ` +
          `SCHEMA ${POSTGRESQL.quote(String(place))} TO ${POSTGRESQL.quote(String(user))}; or name another, ` +
          `as in schema.${name}.`;
  throw new DestinationError(`${shown}: ${problem}`, false);
}

export async function checkServer(session: SqlSession, shown: string): Promise<void> {
  const [row] = await session.query(
    `select current_setting('server_encoding'), pg_is_in_recovery()`,
    [],
    ['text', 'boolean'],
  );
  const [encoding, isStandby] = row ?? [];
  if (encoding !== 'UTF8') {
    throw new DestinationError(
      `${shown}: the database's encoding is ${String(encoding)}, which cannot hold every name and ` +
        `text of Klaviyo. Use a database that was created with ENCODING 'UTF8'.`,
      false,
    );
  }
  if (isStandby === true) {
    throw new DestinationError(
      `${shown}: the server is a standby, which cannot be written to. Name the primary.`,
      true,
    );
  }
}
