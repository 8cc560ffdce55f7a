import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  Runtime,
  Worker,
  type ActivityInterceptorsFactory,
  type NativeConnection,
  type WorkerOptions,
} from '@temporalio/worker';
import {
  CallMeter,
  createActivities,
  FailureMapping,
  HeldRuns,
  LedgerLimiter,
  MeasuredCalls,
  proveKey,
  Watchdog,
  type WatchdogOutlets,
  type Activities,
} from './activities/index.js';
import { SourceError } from './connectors/source-error.js';
import type { SecretReference, SyncSettings } from './contracts/sync.js';
import { DestinationError, type Destination } from './destinations/destination.js';
import { queueBeside, QUEUES_BESIDE, TASK_QUEUES, taskQueueOf } from './contracts/names.js';
import { KlaviyoClient } from './klaviyo/index.js';
import { openDestination } from './destinations/open-destination.js';
import { ConfigError } from './runtime/config.js';
import { readSecret } from './runtime/secrets.js';
import { sendNotice } from './runtime/send-notice.js';
import { noteAccount, openLedger, type Ledger } from './ledger/index.js';

/**
 * What a worker process runs: `workflow` decides and has no key, `activity` calls Klaviyo and the
 * ledger, `all` does both.
 */
export const WORKER_ROLES = ['workflow', 'activity', 'all'] as const;
export type WorkerRole = (typeof WORKER_ROLES)[number];

export interface ConsentryWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly role: WorkerRole;
  readonly databaseUrl: string;
  /** Private API key; only an activity worker has one. */
  readonly apiKey: string | null;
  /**
   * Klaviyo's id of the account to work for. A worker without a key needs it; a worker with a key
   * refuses to start if the key is of another account.
   */
  readonly account: string | null;
  readonly baseUrl: string;
  readonly version: string;
  /** Prefix of the names of the task queues. @default 'consentry' */
  readonly taskQueues?: string;
  /** Called while Klaviyo does not answer, so that the key cannot be checked yet. */
  readonly onWait?: (why: string) => void;
}

export interface ConsentryWorker {
  /** The account that it works for: the one of its key. */
  readonly accountId: string;
  readonly taskQueue: string;
  /** Ends after `shutdown`, or rejects when the worker fails. */
  run(): Promise<void>;
  shutdown(): void;
}

/**
 * Builds a worker: the only place that sees workflows and activities together. It checks its key
 * before it takes any task: a bad key would fail other people's runs.
 *
 * @throws KlaviyoKeyRefusedError, KlaviyoScopeMissingError; ConfigError if the key is of another
 * account
 */
export async function createWorker(options: ConsentryWorkerOptions): Promise<ConsentryWorker> {
  const activities = options.role === 'workflow' ? null : await openActivities(options);
  const accountId = activities?.accountId ?? options.account;
  if (accountId === null) {
    throw new ConfigError(
      'A worker without a key needs the account whose workflows it runs: give --account or CONSENTRY_ACCOUNT.',
    );
  }
  const taskQueue = taskQueueOf(accountId, options.taskQueues ?? TASK_QUEUES);
  try {
    const workers = await openWorkers(options, taskQueue, activities);
    return {
      accountId,
      taskQueue,
      async run() {
        activities?.watchdog.start();
        try {
          await runAll(workers);
        } finally {
          await activities?.watchdog.stop();
          await activities?.close();
        }
      },
      shutdown: () => shutDown(workers),
    };
  } catch (error) {
    await activities?.close();
    throw error;
  }
}

/** Activities of the account's own task queue that run at once: nearly all wait for Klaviyo. */
const SLOTS = 60;

/** The same for each queue beside it: its activities are short, and people ask for few. */
const SLOTS_BESIDE = 10;

/**
 * A cached workflow takes 0.3 MB (docs/performance.md). A run has up to 100,000 open jobs, which only wait;
 * those that are not cached are replayed when they wake, some 15 events each.
 */
const CACHED_WORKFLOWS = 100;

/**
 * One for the account's own task queue, and for each queue beside it one that only takes activities.
 */
async function openWorkers(
  options: ConsentryWorkerOptions,
  taskQueue: string,
  activities: OpenActivities | null,
): Promise<Worker[]> {
  const source = options.role === 'activity' ? null : workflowSource();
  const common = {
    connection: options.connection,
    namespace: options.namespace,
    // An activity learns of its cancellation with a heartbeat; every other wait here is shorter.
    maxHeartbeatThrottleInterval: '2s',
    shutdownGraceTime: '5s',
    ...(activities === null ? {} : { activities: activities.activities }),
  } satisfies Partial<WorkerOptions>;
  const own = await Worker.create({
    ...common,
    taskQueue,
    maxCachedWorkflows: CACHED_WORKFLOWS,
    maxConcurrentActivityTaskExecutions: SLOTS,
    ...(source === null ? {} : source.workflows),
    interceptors: {
      ...(activities === null ? {} : { activity: activities.interceptors }),
      ...(source === null ? {} : { workflowModules: source.interceptorModules }),
    },
  });
  if (activities === null) return [own];
  const beside = QUEUES_BESIDE.map((queue) =>
    Worker.create({
      ...common,
      taskQueue: queueBeside(taskQueue, queue),
      maxConcurrentActivityTaskExecutions: SLOTS_BESIDE,
      maxConcurrentActivityTaskPolls: 2,
      interceptors: { activity: activities.interceptors },
    }),
  );
  return [own, ...(await Promise.all(beside))];
}

/** Ends when all have ended. If one fails, the others are shut down: none works alone. */
async function runAll(workers: readonly Worker[]): Promise<void> {
  const ended = await Promise.allSettled(
    workers.map((worker) =>
      worker.run().catch((error: unknown) => {
        shutDown(workers);
        throw error;
      }),
    ),
  );
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}

function shutDown(workers: readonly Worker[]): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

interface OpenActivities {
  readonly accountId: string;
  readonly activities: Activities;
  readonly interceptors: ActivityInterceptorsFactory[];
  readonly watchdog: Watchdog;
  close(): Promise<void>;
}

async function openActivities(options: ConsentryWorkerOptions): Promise<OpenActivities> {
  if (options.apiKey === null) throw new Error('An activity worker needs KLAVIYO_API_KEY.');
  const ledger: Ledger = await openLedger(options.databaseUrl, { connections: 20 });
  const meter = new CallMeter();
  const limiter = new LedgerLimiter(ledger, () => meter.current());
  const klaviyo = new KlaviyoClient({
    apiKey: options.apiKey,
    baseUrl: options.baseUrl,
    limiter,
    onCall: meter.record,
    version: options.version,
  });
  const close = async () => {
    await klaviyo.close();
    await ledger.close();
  };
  try {
    const { id: accountId } = await proveKey(klaviyo, options.onWait ?? (() => undefined));
    if (options.account !== null && options.account !== accountId) {
      throw new ConfigError(
        `KLAVIYO_API_KEY is of account ${accountId}, but this worker is for ${options.account}: ` +
          'use a key of that account, or correct --account or CONSENTRY_ACCOUNT.',
      );
    }
    limiter.proved(accountId);
    await noteAccount(ledger.db, accountId);
    return {
      accountId,
      activities: createActivities({
        ledger,
        klaviyo,
        accountId,
        openDestination: (sync, ofRun) => openSynced(options.databaseUrl, sync, ofRun),
        addressOf,
      }),
      watchdog: new Watchdog({ ledger, accountId }, watchdogOutlets()),
      interceptors: [
        ({ info }) => ({ inbound: new FailureMapping(info.activityType) }),
        () => ({ inbound: new MeasuredCalls(ledger, meter) }),
        HeldRuns.of(ledger, meter),
      ],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Notices go to the operator's address, measurements to Temporal's metrics. */
function watchdogOutlets(): WatchdogOutlets {
  const { metricMeter, logger } = Runtime.instance();
  const age = metricMeter.createGauge(
    'consentry_sync_success_age',
    'int',
    's',
    'Time since the last success of a sync',
  );
  const late = metricMeter.createGauge(
    'consentry_sync_late',
    'int',
    undefined,
    '1 while a sync has had no success for too long',
  );
  const programAge = metricMeter.createGauge(
    'consentry_program_success_age',
    'int',
    's',
    'Time since the last success of a segment that runs by itself',
  );
  const programLate = metricMeter.createGauge(
    'consentry_program_late',
    'int',
    undefined,
    '1 while a segment that runs by itself has had no success for too long',
  );
  return {
    async send(to, notice) {
      const address = await readSecret(to, () => Promise.resolve(null));
      if (address.is === 'missing') throw new Error(address.why);
      await sendNotice(address.value, notice);
    },
    measure(of, name, account, seconds, isLate) {
      const tags = { [of]: name, account };
      (of === 'sync' ? age : programAge).set(seconds, tags);
      (of === 'sync' ? late : programLate).set(isLate ? 1 : 0, tags);
    },
    warn: (message) => {
      logger.warn(message);
    },
  };
}

/** The address of the database with the people of a segment; a secret that this process can read. */
async function addressOf(url: SecretReference): Promise<string> {
  const address = await readSecret(url, () => Promise.resolve(null));
  if (address.is === 'there') return address.value;
  throw new SourceError('database_url_invalid', { file: 'The source' }, address.why, '');
}

/** Opens the table of a sync; its address is a secret that this process can read. */
async function openSynced(
  ledgerUrl: string,
  { id, settings: { to } }: { readonly id: string; readonly settings: Pick<SyncSettings, 'to'> },
  ofRun: () => Promise<string | null>,
): Promise<Destination> {
  if (to.kind === 'files') {
    // Files cannot be changed row by row: they are written from a table beside the ledger's.
    const table = `consentry.files_${id.replaceAll('-', '_')}`;
    const lists = to.lists === true ? `${table}_lists` : null;
    return openDestination(ledgerUrl, { ...to, table, history: null, lists, columns: {} });
  }
  const { url, ...tables } = to;
  const address = await readSecret(url, ofRun);
  if (address.is === 'missing') throw new DestinationError(address.why, false);
  return openDestination(address.value, tables);
}

export interface WorkflowSource {
  readonly workflows: Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'>;
  /** For workflows that are not bundled yet; a bundle contains its own. */
  readonly interceptorModules: string[];
}

/** The bundle of the build if there is one; else Temporal bundles the sources at the start. */
export function workflowSource(): WorkflowSource {
  const bundle = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  if (existsSync(bundle)) {
    return { workflows: { workflowBundle: { codePath: bundle } }, interceptorModules: [] };
  }
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const pathOf = (name: string) =>
    fileURLToPath(new URL(`./workflows/${name}.${extension}`, import.meta.url));
  return { workflows: { workflowsPath: pathOf('index') }, interceptorModules: [pathOf('run')] };
}
