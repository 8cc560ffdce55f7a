import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { loadConfig } from '../../src/runtime/config.js';
import type { Config } from '../../src/runtime/config.js';
import { Lifecycle } from '../../src/runtime/lifecycle.js';
import { userFolders } from '../../src/runtime/paths.js';
import type { UserFolders } from '../../src/runtime/paths.js';
import { startDatabase } from '../../src/runtime/local/postgres/postgres.js';
import { progressLines } from '../../src/runtime/progress.js';
import { startTemporalServer } from '../../src/runtime/local/temporal/server.js';
import { createDatabaseOn, type TestDatabase } from './database.js';

export { uniqueName, type TestDatabase } from './database.js';

/**
 * The servers of the tests. `npm test` starts one PostgreSQL and one Temporal dev server for all
 * files and names them in the environment; a file that is run by hand starts its own when it first
 * needs one, and stops them at its end.
 */
const lifecycle = new Lifecycle();

/** An empty database of the caller's own. Drop it when done; connections to it are closed then. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return createDatabaseOn(await databaseServer());
}

export interface TestTemporal {
  readonly address: string;
  readonly namespace: string;
}

/**
 * A Temporal server that other tests use too: take task queues and workflow ids from `uniqueName`.
 */
export async function testTemporal(): Promise<TestTemporal> {
  return { address: await temporalServer(), namespace: 'default' };
}

export interface TestFolders extends UserFolders {
  remove(): Promise<void>;
}

/** Empty folders in place of the user's own. */
export async function createTestFolders(): Promise<TestFolders> {
  const base = await mkdtemp(join(tmpdir(), 'consentry-test-'));
  return {
    cache: join(base, 'cache'),
    data: join(base, 'data'),
    dataIsNamed: true,
    state: join(base, 'state'),
    remove: () => rm(base, { recursive: true, force: true }),
  };
}

/**
 * A configuration that names no server of the user's, whatever the environment says; only where
 * programs are found is taken from there.
 */
export function testConfig(): Config {
  const { PATH, TEMPORAL_CLI_PATH } = process.env;
  return loadConfig({ PATH, TEMPORAL_CLI_PATH, HOME: join(tmpdir(), 'nobody-lives-here') });
}

const databaseServer = once(async () => {
  const given = process.env['CONSENTRY_TEST_DATABASE_URL'];
  if (given !== undefined) return given;
  const folders = userFolders(loadConfig());
  const database = await startDatabase({ databaseUrl: null, folders, keep: false });
  // The runner's last hook, which stops it, comes only when nothing keeps the process alive.
  database.unref();
  lifecycle.onStop('PostgreSQL', () => database.stop());
  return database.url;
});

const temporalServer = once(async () => {
  const given = process.env['CONSENTRY_TEST_TEMPORAL_ADDRESS'];
  if (given !== undefined) return given;
  const server = await startTemporalServer({
    config: testConfig(),
    folders: userFolders(loadConfig()),
    headless: true,
    dbFile: null,
    onProgress: progressLines(process.stderr),
  });
  server.unref();
  lifecycle.onStop('Temporal dev server', () => server.stop());
  return server.address;
});

// Registered when the file is loaded: a hook that is added during a test belongs to that test.
after(() => lifecycle.stop());

function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | null = null;
  return () => (started ??= start());
}
