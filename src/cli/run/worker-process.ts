import { setFlagsFromString } from 'node:v8';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { connectToTemporal } from '../../starter/connect.js';
import type { Config } from '../../runtime/config.js';
import { createLogger } from '../../runtime/logger.js';
import { ensureSearchAttributes } from '../../runtime/search-attributes.js';
import { temporalLogger } from '../../runtime/temporal-logger.js';
import type { TemporalTarget } from '../../runtime/local/temporal/server.js';
import { createWorker, type WorkerRole } from '../../worker.js';
import { packageVersion } from '../version.js';

export interface KlaviyoAccess {
  readonly apiKey: string;
  readonly baseUrl: string;
}

export interface StartWorkerOptions {
  readonly temporal: TemporalTarget;
  readonly databaseUrl: string;
  readonly role: WorkerRole;
  /** Null for a worker without a key. */
  readonly klaviyo: KlaviyoAccess | null;
  /** The account to work for; null for the account of the key. */
  readonly account: string | null;
  /** Called while the key cannot be checked because Klaviyo does not answer. */
  readonly onWait: (why: string) => void;
  readonly config: Pick<Config, 'logLevel' | 'klaviyo'>;
}

export interface RunningWorker {
  readonly accountId: string;
  readonly taskQueue: string;
  /** Settles when the worker has ended; rejects when it failed. */
  readonly ended: Promise<void>;
  /** Takes no new tasks, lets running ones finish, and closes the connections. */
  stop(): Promise<void>;
}

/**
 * Look-ups leave garbage, a quarter of a megabyte each. It is collected when the heap is 40 %
 * larger than the live objects; by default it may grow fourfold. This bounds the memory without a
 * hard limit.
 */
const HEAP_GROWTH = '--heap-growing-percent=40';

/**
 * Starts a worker in this process, at most once per process.
 *
 * @throws TemporalUnreachableError, LedgerUnavailableError, KlaviyoKeyRefusedError,
 *   KlaviyoScopeMissingError, ConfigError, Error for search attributes
 */
export async function startWorker(options: StartWorkerOptions): Promise<RunningWorker> {
  setFlagsFromString(HEAP_GROWTH);
  Runtime.install({
    logger: temporalLogger(createLogger(options.config.logLevel)),
    // The verb handles signals: it stops its parts in order.
    shutdownSignals: [],
  });
  const client = await connectToTemporal(options.temporal);
  try {
    await ensureSearchAttributes(client, options.temporal.namespace);
  } finally {
    await client.close();
  }
  const connection = await NativeConnection.connect(options.temporal.connectionOptions);
  try {
    const worker = await createWorker({
      connection,
      namespace: options.temporal.namespace,
      role: options.role,
      databaseUrl: options.databaseUrl,
      apiKey: options.klaviyo?.apiKey ?? null,
      account: options.account,
      onWait: options.onWait,
      baseUrl: options.klaviyo?.baseUrl ?? options.config.klaviyo.baseUrl,
      version: packageVersion(),
    });
    const ended = worker.run().finally(() => connection.close());
    const { accountId, taskQueue } = worker;
    return {
      accountId,
      taskQueue,
      ended,
      async stop() {
        worker.shutdown();
        await ended;
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
