import { loadConfig, withApiKey, type Config } from '../../runtime/config.js';
import { resolveEnvironment, type Environment } from '../../runtime/local/dev-state.js';
import { Lifecycle } from '../../runtime/lifecycle.js';
import { userFolders } from '../../runtime/paths.js';
import type { WorkerRole } from '../../worker.js';
import { UsageError } from '../ended.js';
import type { Output } from '../terminal/terminal.js';
import { startWorker, type KlaviyoAccess } from './worker-process.js';

/** A private key that `consentry.yaml` refers to. */
export interface KeyOfFile {
  readonly value: string;
  /** Where the file refers to it, for messages. */
  readonly name: string;
}

/**
 * Runs a worker until a signal stops it or it fails.
 *
 * @param key replaces the key of the environment
 */
export async function runWorker(
  role: WorkerRole,
  account: string | null,
  output: Output,
  key: KeyOfFile | null = null,
): Promise<void> {
  const loaded = loadConfig();
  const config = key === null ? loaded : withApiKey(loaded, key.value, key.name);
  const environment = await resolveEnvironment(config, userFolders(config));
  const klaviyo = role === 'workflow' ? null : await klaviyoAccess(config, environment);
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals((signal) => output.note(`${signal}: finishing running tasks`));
  const worker = await startWorker({
    ...environment,
    role,
    klaviyo,
    account:
      account ?? config.klaviyo.account ?? (role === 'workflow' ? environment.account : null),
    onWait: (why) => output.note(`The key could not be checked yet; trying again: ${why}`),
    config,
  });
  lifecycle.onStop('worker', () => worker.stop(), 60_000);
  const { address = 'localhost:7233' } = environment.temporal.connectionOptions;
  const { namespace } = environment.temporal;
  output.event(
    {
      event: 'ready',
      role,
      address,
      namespace,
      klaviyo: klaviyo?.baseUrl ?? null,
      account: worker.accountId,
      taskQueue: worker.taskQueue,
    },
    `Worker (${role}) is ready for account ${worker.accountId}: Temporal ${address}, namespace ${namespace}, ` +
      `task queue ${worker.taskQueue}${klaviyo === null ? '' : `, Klaviyo ${klaviyo.baseUrl}`}. Ctrl-C stops it.`,
  );
  try {
    await worker.ended;
  } finally {
    await lifecycle.stop();
  }
}

/**
 * The dev stack's sandbox if there is one: a real key is never used with a dev stack that simulates
 * Klaviyo.
 */
async function klaviyoAccess(config: Config, { sandboxUrl }: Environment): Promise<KlaviyoAccess> {
  if (sandboxUrl !== null) {
    const { SANDBOX_KEY } = await import('klaviyo-sandbox');
    return { apiKey: SANDBOX_KEY, baseUrl: sandboxUrl };
  }
  const { apiKey, baseUrl } = config.klaviyo;
  if (apiKey !== null) return { apiKey, baseUrl };
  throw new UsageError(
    'KLAVIYO_API_KEY is not set: a worker needs a private API key (it begins with pk_) to talk to ' +
      'Klaviyo. Set it, or use --role workflow for a worker without a key.',
  );
}
