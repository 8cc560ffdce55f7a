import { Connection } from '@temporalio/client';
import pg from 'pg';

/** What decides how safely a write is stored. */
const DURABILITY = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_level',
  'wal_compression',
  'shared_buffers',
  'max_wal_size',
] as const;

export interface ServerFacts {
  readonly postgresql: {
    readonly version: string;
    readonly settings: Readonly<Record<string, string>>;
  };
  /** Null if the scenario needs no Temporal. */
  readonly temporal: { readonly version: string; readonly database: string } | null;
}

/**
 * Versions and settings as the servers themselves report them.
 *
 * @param temporalAddress null if none runs
 * @throws Error if PostgreSQL could lose a commit: its figures would not be those of a real ledger
 */
export async function readServerFacts(
  databaseUrl: string,
  temporalAddress: string | null,
): Promise<ServerFacts> {
  const postgresql = await readPostgresql(databaseUrl);
  const loose = ['fsync', 'synchronous_commit', 'full_page_writes'].filter(
    (name) => postgresql.settings[name] !== 'on',
  );
  if (loose.length > 0) {
    throw new Error(`PostgreSQL runs without full durability: ${loose.join(', ')} is not on.`);
  }
  return {
    postgresql,
    temporal: temporalAddress === null ? null : await readTemporal(temporalAddress),
  };
}

async function readPostgresql(url: string): Promise<ServerFacts['postgresql']> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; setting: string }>(
      `select name, current_setting(name) as setting from pg_settings where name = any ($1)`,
      [[...DURABILITY, 'server_version']],
    );
    const settings = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
    const { server_version: version = 'unknown', ...rest } = settings;
    return { version, settings: rest };
  } finally {
    await client.end();
  }
}

async function readTemporal(address: string): Promise<ServerFacts['temporal']> {
  const connection = await Connection.connect({ address });
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    return { version: serverVersion, database: 'SQLite in a file' };
  } finally {
    await connection.close();
  }
}
