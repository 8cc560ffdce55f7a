import { Connection } from '@temporalio/client';
import { workflowIds } from '../contracts/names.js';
import { openLedger } from '../ledger/index.js';
import { loadConfig, type Variables } from '../runtime/config.js';
import { resolveEnvironment, type Environment } from '../runtime/local/dev-state.js';
import { userFolders } from '../runtime/paths.js';
import { Consentry } from './consentry.js';

/** Where `connect` finds the Temporal server and the ledger. */
export interface ConnectOptions {
  /**
   * Environment variables with the addresses: `DATABASE_URL`, and `TEMPORAL_ADDRESS` or what else
   * Temporal's own tools read. An address that is not set comes from a running `consentry dev`.
   *
   * @default process.env
   */
  readonly variables?: Variables;
}

/** A `Consentry` and its connections. The process does not end before `close`. */
export interface Connected {
  readonly consentry: Consentry;
  /** Link to a migration in Temporal's Web UI; null if the address of the UI is not known. */
  webUi(migrationId: string): string | null;
  /** Closes the connections. Runs go on. */
  close(): Promise<void>;
}

/** The Temporal server does not answer, or does not give access to the namespace. */
export class TemporalUnreachableError extends Error {
  override readonly name = 'TemporalUnreachableError';
}

const CONNECT_WITHIN = '5s';

/**
 * Connects to the Temporal server and the ledger, and brings the ledger's schema up to date.
 *
 * @example
 * const { consentry, webUi, close } = await connect();
 * try {
 *   for (const { id, phase } of await consentry.migrations.list()) console.log(phase, webUi(id));
 * } finally {
 *   await close();
 * }
 *
 * @throws ConfigError if a variable is wrong
 * @throws NoEnvironmentError if an address is missing and no `consentry dev` runs
 * @throws TemporalUnreachableError
 * @throws LedgerUnavailableError
 */
export async function connect(options: ConnectOptions = {}): Promise<Connected> {
  const config = loadConfig(options.variables);
  return connectTo(await resolveEnvironment(config, userFolders(config)));
}

/** Connects to these addresses. Throws what `connect` throws, except for errors of the configuration. */
export async function connectTo({
  temporal,
  databaseUrl,
  uiUrl,
  account,
}: Pick<Environment, 'temporal' | 'databaseUrl' | 'uiUrl' | 'account'>): Promise<Connected> {
  const ledger = await openLedger(databaseUrl, { connections: 4 });
  try {
    const connection = await connectToTemporal(temporal);
    return {
      consentry: new Consentry(connection, temporal.namespace, ledger, { account }),
      webUi: (migrationId) =>
        uiUrl === null
          ? null
          : `${uiUrl}/namespaces/${temporal.namespace}/workflows/${encodeURIComponent(workflowIds.migration(migrationId))}`,
      async close() {
        await connection.close();
        await ledger.close();
      },
    };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

/** @throws TemporalUnreachableError */
export async function connectToTemporal(temporal: Environment['temporal']): Promise<Connection> {
  const { connectionOptions, namespace } = temporal;
  const address = connectionOptions.address ?? 'localhost:7233';
  try {
    const connection = await Connection.connect({
      ...connectionOptions,
      connectTimeout: CONNECT_WITHIN,
    });
    try {
      await connection.workflowService.describeNamespace({ namespace });
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  } catch (error) {
    throw new TemporalUnreachableError(
      `The Temporal server at ${address} does not give access to namespace "${namespace}" (${messageOf(error)}). ` +
        'Check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and TEMPORAL_API_KEY, and that the server is running.',
      { cause: error },
    );
  }
}

function messageOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (!(at.cause instanceof Error)) return at.message;
  }
  return String(error);
}
