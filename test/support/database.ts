import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** An empty database on a server. Drop it when done; connections to it are closed then. */
export async function createDatabaseOn(server: string): Promise<TestDatabase> {
  const name = uniqueName('test').replaceAll('-', '_');
  await execute(server, `create database ${name} template template0`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    // "with (force)" also tries to end autovacuum, which only a superuser may; a plain drop does that
    // for anybody, and waits for it.
    async drop() {
      await execute(
        server,
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity
         where datname = '${name}' and usename = current_user`,
      );
      await execute(server, `drop database if exists ${name}`);
    },
  };
}

/** A name that no other test has: lower-case letters, digits and hyphens. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
