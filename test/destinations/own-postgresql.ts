import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/runtime/config.js';
import { startDatabase } from '../../src/runtime/local/postgres/postgres.js';
import { userFolders } from '../../src/runtime/paths.js';

/** A PostgreSQL server of a test's own, for what only a superuser may: roles, other encodings. */
export interface OwnPostgresql {
  /** Of the superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function startOwnPostgresql(): Promise<OwnPostgresql> {
  const base = await mkdtemp(join(tmpdir(), 'consentry-superuser-'));
  // If root runs the tests, another account runs the server.
  await chmod(base, 0o711);
  const folders = { ...userFolders(loadConfig()), data: join(base, 'data'), dataIsNamed: true };
  const database = await startDatabase({ databaseUrl: null, folders, keep: true });
  const password = await readFile(join(folders.data, 'postgresql', 'superuser-password'), 'utf8');
  const url = new URL(database.url);
  url.username = 'postgres';
  url.password = password.trim();
  return {
    url: url.href,
    async stop() {
      await database.stop();
      await rm(base, { recursive: true, force: true });
    },
  };
}
