import type { SyncSettings } from '../../contracts/sync.js';

/** Where a sync writes, as the ledger has it. */
interface Writing {
  /** `postgres://user@host/database, table NAME`, or `folder PATH`. */
  readonly destination: string;
  readonly settings: Pick<SyncSettings, 'to' | 'isRemoved'>;
}

/**
 * A table that both syncs write to, as a destination; null if there is none. Users of one database share its
 * tables. That two addresses lead to one server is not known here.
 */
export function sharedTable(one: Writing, other: Writing): string | null {
  const theirs = new Set(tablesOf(other));
  return tablesOf(one).find((table) => theirs.has(table)) ?? null;
}

function tablesOf({ destination, settings: { to, isRemoved } }: Writing): string[] {
  if (to.kind !== 'table' || isRemoved === true) return [];
  // A text for people, in which nothing is encoded: it need not be a URL.
  const database = destination
    .slice(0, destination.lastIndexOf(', table '))
    .replace(/^(\w+:\/\/)[^/]*@/, '$1');
  // Without a schema, a table is where the server looks for it unless it is told otherwise.
  const schema = database.startsWith('postgres')
    ? 'public'
    : database.slice(database.lastIndexOf('/') + 1);
  return [to.table, to.history, to.lists ?? null].flatMap((table) => {
    if (table === null) return [];
    const name = table.startsWith(`${schema}.`) ? table.slice(schema.length + 1) : table;
    return [`${database}, table ${name}`];
  });
}
