import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../src/runtime/config.js';
import { temporaryFolder } from '../../src/demo/stack.js';
import { Lifecycle } from '../../src/runtime/lifecycle.js';
import { userFolders, type UserFolders } from '../../src/runtime/paths.js';
import { startDatabase } from '../../src/runtime/local/postgres/postgres.js';

/**
 * The built-in PostgreSQL as `consentry dev` runs it, in a process of its own: with every commit on
 * disk. A temporary one, as tests and the demo have, would be faster than any real ledger.
 *
 * @param folder where it keeps its data; not deleted here
 * @returns its URL
 */
export async function startDurableDatabase(folder: string, lifecycle: Lifecycle): Promise<string> {
  const data = join(folder, 'data');
  await mkdir(data, { recursive: true });
  // If root starts it, PostgreSQL runs as another user, who has to get to its data.
  for (const path of [folder, data]) await chmod(path, 0o711);
  const database = await startDatabase({
    databaseUrl: null,
    folders: { ...benchFolders(), data, dataIsNamed: true },
    keep: true,
  });
  lifecycle.onStop('PostgreSQL', () => database.stop(), 60_000);
  return database.url;
}

/** A durable PostgreSQL alone while `measure` runs. */
export async function withDatabase<T>(
  measure: (url: string, folder: string) => Promise<T>,
): Promise<T> {
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  try {
    const folder = await temporaryFolder(lifecycle);
    return await measure(await startDurableDatabase(folder, lifecycle), folder);
  } finally {
    await lifecycle.stop();
  }
}

/** The user's folders of programs and of processes to end. */
export function benchFolders(): UserFolders {
  return userFolders(loadConfig());
}
