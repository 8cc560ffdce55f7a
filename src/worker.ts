import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import {
  CallMeter,
  createActivities,
  FailureMapping,
  LedgerLimiter,
  MeasuredCalls,
} from './activities/index.js';
import { TASK_QUEUE } from './contracts/names.js';
import { KlaviyoClient } from './klaviyo/index.js';
import { openLedger, type Ledger } from './ledger/index.js';

/**
 * What a worker process does: `workflow` decides and holds no key, `activity` talks to Klaviyo and
 * the ledger, `all` does both.
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
  readonly baseUrl: string;
  readonly version: string;
  readonly taskQueue?: string;
}

export interface ConsentryWorker {
  /** Ends after `shutdown`, or rejects when the worker fails. */
  run(): Promise<void>;
  shutdown(): void;
}

/** Builds a worker: the only place that sees workflows and activities together. */
export async function createWorker(options: ConsentryWorkerOptions): Promise<ConsentryWorker> {
  const activities = options.role === 'workflow' ? null : await openActivities(options);
  const worker = await Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: options.taskQueue ?? TASK_QUEUE,
    // A waiting job is a cached workflow of some 30 kB; more than these are replayed when woken.
    maxCachedWorkflows: 1_200,
    maxConcurrentActivityTaskExecutions: 60,
    // Cancellation reaches an activity with its heartbeats; every other wait here is shorter.
    maxHeartbeatThrottleInterval: '2s',
    shutdownGraceTime: '5s',
    ...(options.role === 'activity' ? {} : workflowSource()),
    ...(activities?.worker ?? {}),
  });
  return {
    async run() {
      try {
        await worker.run();
      } finally {
        await activities?.close();
      }
    },
    shutdown: () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}

async function openActivities(
  options: ConsentryWorkerOptions,
): Promise<{ worker: Partial<WorkerOptions>; close(): Promise<void> }> {
  if (options.apiKey === null) throw new Error('An activity worker needs KLAVIYO_API_KEY.');
  const ledger: Ledger = await openLedger(options.databaseUrl, { connections: 20 });
  const meter = new CallMeter();
  const klaviyo = new KlaviyoClient({
    apiKey: options.apiKey,
    baseUrl: options.baseUrl,
    limiter: new LedgerLimiter(ledger, options.apiKey, () => meter.current()),
    onCall: meter.record,
    version: options.version,
  });
  return {
    worker: {
      activities: createActivities({ ledger, klaviyo }),
      interceptors: {
        activity: [
          () => ({ inbound: new FailureMapping() }),
          () => ({ inbound: new MeasuredCalls(ledger, meter) }),
        ],
      },
    },
    async close() {
      await klaviyo.close();
      await ledger.close();
    },
  };
}

/** The bundle of the build where there is one; else Temporal bundles the sources at start. */
export function workflowSource(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const bundle = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  if (existsSync(bundle)) return { workflowBundle: { codePath: bundle } };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return {
    workflowsPath: fileURLToPath(new URL(`./workflows/index.${extension}`, import.meta.url)),
  };
}
