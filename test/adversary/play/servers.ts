import { loadConfig } from '../../../src/runtime/config.js';
import type { Lifecycle } from '../../../src/runtime/lifecycle.js';
import { startDatabase } from '../../../src/runtime/local/postgres/postgres.js';
import { findTemporalCli } from '../../../src/runtime/local/temporal/cli.js';
import { startTemporalServer } from '../../../src/runtime/local/temporal/server.js';
import { userFolders } from '../../../src/runtime/paths.js';
import { progressLines } from '../../../src/runtime/progress.js';
import { createDatabaseOn } from '../../support/database.js';
import { connectTo, type World } from './stage.js';

/** Servers of the campaign's own: never the user's. */
export async function startWorld(lifecycle: Lifecycle): Promise<World> {
  const given = loadConfig();
  const folders = userFolders(given);
  const onProgress = progressLines(process.stderr);
  const database = await startDatabase({ databaseUrl: null, folders, keep: false });
  lifecycle.onStop('PostgreSQL', () => database.stop());
  const cli = await findTemporalCli({ config: given, folders, onProgress });
  const temporal = await startTemporalServer({
    config: { ...given, temporal: { variables: {}, cliPath: cli.path } },
    folders,
    headless: true,
    dbFile: null,
    onProgress,
  });
  lifecycle.onStop('Temporal dev server', () => temporal.stop());
  const at = { address: temporal.address, namespace: 'default' };
  const connections = await connectTo(at);
  lifecycle.onStop('connections', async () => {
    await connections.connection.close();
    await connections.native.close();
  });
  return {
    temporal: at,
    connections,
    createDatabase: () => createDatabaseOn(database.url),
  };
}
