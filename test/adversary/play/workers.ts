import { setTimeout as delay } from 'node:timers/promises';
import type { NativeConnection } from '@temporalio/worker';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from 'klaviyo-sandbox';
import { startVerb } from '../../../src/demo/child.js';
import type { ServerProcess } from '../../../src/runtime/local/server-process.js';
import { createWorker, type ConsentryWorker } from '../../../src/worker.js';
import type { TestTemporal } from '../../support/stack.js';

export interface WorkerSettings {
  readonly temporal: TestTemporal;
  readonly databaseUrl: string;
  readonly sandbox: Sandbox;
}

/** The worker of an account, which can be stopped, or killed where it is a process of its own. */
export interface StagedWorker {
  restart(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** In this process: quick to start, and can't be killed. */
export async function workerHere(
  settings: WorkerSettings,
  connection: NativeConnection,
): Promise<StagedWorker> {
  const { temporal, databaseUrl, sandbox } = settings;
  const start = async () => {
    const worker = await createWorker({
      connection,
      namespace: temporal.namespace,
      role: 'all',
      databaseUrl,
      apiKey: sandbox.apiKey,
      account: null,
      baseUrl: sandbox.url,
      version: 'test',
    });
    return { worker, ended: worker.run() };
  };
  const end = async ({ worker, ended }: { worker: ConsentryWorker; ended: Promise<void> }) => {
    worker.shutdown();
    await ended;
  };
  let running = await start();
  // One change after the other: a restart may be asked for during another one.
  let changing: Promise<void> = Promise.resolve();
  const change = (work: () => Promise<void>) => (changing = changing.then(work));
  return {
    restart: () =>
      change(async () => {
        await end(running);
        running = await insist(start);
      }),
    kill: () => Promise.reject(new Error('a worker in this process cannot be killed')),
    stop: () => change(() => end(running)),
  };
}

/** A process of its own, as `consentry worker` is. */
export async function workerProcess(settings: WorkerSettings): Promise<StagedWorker> {
  const { temporal, databaseUrl, sandbox } = settings;
  const folder = await mkdtemp(join(tmpdir(), 'consentry-adversary-'));
  const profile = join(folder, 'temporal.toml');
  await writeFile(profile, '[profile.default]\n');
  const start = async (): Promise<ServerProcess> => {
    const { process } = await startVerb(
      ['worker'],
      {
        KLAVIYO_API_KEY: sandbox.apiKey,
        KLAVIYO_BASE_URL: sandbox.url,
        DATABASE_URL: databaseUrl,
        TEMPORAL_ADDRESS: temporal.address,
        TEMPORAL_NAMESPACE: temporal.namespace,
        TEMPORAL_CONFIG_FILE: profile,
        LOG_LEVEL: 'error',
      },
      folder,
    );
    return process;
  };
  let running = await start();
  let changing: Promise<void> = Promise.resolve();
  const change = (work: () => Promise<void>) => (changing = changing.then(work));
  const restart = () =>
    change(async () => {
      await running.stop();
      running = await insist(start);
    });
  return {
    restart,
    kill: () =>
      change(async () => {
        process.kill(running.pid, 'SIGKILL');
        await running.stop();
        running = await insist(start);
      }),
    stop: () =>
      change(async () => {
        await running.stop();
        await rm(folder, { recursive: true, force: true });
      }),
  };
}

/** A worker does not start while its key is refused: whoever runs it starts it again. */
async function insist<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === 300) throw error;
      await delay(100);
    }
  }
}
