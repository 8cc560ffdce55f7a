import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxOptions } from 'klaviyo-sandbox';
import { loadConfig } from '../runtime/config.js';
import type { Lifecycle } from '../runtime/lifecycle.js';
import { userFolders } from '../runtime/paths.js';
import { startDatabase } from '../runtime/local/postgres/postgres.js';
import type { OnProgress } from '../runtime/progress.js';
import {
  startTemporalServer,
  type TemporalServer,
  type TemporalTarget,
} from '../runtime/local/temporal/server.js';
import { connectTo, type Connected } from '../starter/connect.js';
import type { ServerProcess } from '../runtime/local/server-process.js';
import { startVerb } from './child.js';
import { SandboxControl } from './sandbox-control.js';

/** Everything that the demo needs: each part is a separate process, and all of it is temporary. */
export interface DemoStack {
  readonly connected: Connected;
  readonly sandbox: SandboxControl;
  readonly temporal: TemporalTarget;
  readonly workerPid: number;
  /** Addresses for use in other terminals. */
  readonly addresses: {
    readonly webUi: string | null;
    readonly sandbox: string;
    readonly databaseUrl: string;
    readonly temporalAddress: string;
  };
}

export async function temporaryFolder(lifecycle: Lifecycle): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'consentry-demo-'));
  lifecycle.onStop('temporary folder', () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Starts PostgreSQL, Temporal, the simulated Klaviyo and a worker, whatever the environment names:
 * a demo never uses a real account, database or Temporal server.
 */
export async function startStack(
  folder: string,
  sandboxOptions: SandboxOptions,
  lifecycle: Lifecycle,
  onProgress: OnProgress,
): Promise<DemoStack> {
  const given = loadConfig();
  const config = { ...given, temporal: { ...given.temporal, variables: {} } };
  const folders = userFolders(config);
  const starting = [
    startDatabase({ databaseUrl: null, folders, keep: false }).then((started) => {
      lifecycle.onStop('PostgreSQL', () => started.stop());
      return started;
    }),
    startTemporalServer({ config, folders, headless: false, dbFile: null, onProgress }).then(
      (started) => {
        lifecycle.onStop('Temporal', () => started.stop());
        return started;
      },
    ),
    startSandbox(folder, sandboxOptions, folders.state).then((started) => {
      lifecycle.onStop('sandbox', () => started.process.stop());
      return started;
    }),
  ] as const;
  // Wait for all, so that the lifecycle knows every started part before a failure is thrown.
  await Promise.allSettled(starting);
  const [database, temporal, sandbox] = await Promise.all(starting);
  const worker = await startWorker(
    { folder, databaseUrl: database.url, temporal, stateFolder: folders.state },
    sandbox,
  );
  lifecycle.onStop('worker', () => worker.stop());
  const connected = await connectTo({
    databaseUrl: database.url,
    temporal,
    uiUrl: temporal.uiUrl,
    account: null,
  });
  lifecycle.onStop('connections', () => connected.close());
  return {
    connected,
    sandbox: new SandboxControl(sandbox.url),
    temporal,
    workerPid: worker.pid,
    addresses: {
      webUi: temporal.uiUrl,
      sandbox: sandbox.url,
      databaseUrl: database.url,
      temporalAddress: temporal.address,
    },
  };
}

/** Where a key is valid: the simulated Klaviyo, or what stands in for it. */
export interface KlaviyoAddress {
  readonly url: string;
  readonly apiKey: string;
}

/**
 * The simulated Klaviyo as a separate process.
 *
 * @param folder of its settings; a folder has one sandbox
 */
export async function startSandbox(
  folder: string,
  options: SandboxOptions,
  stateFolder: string,
): Promise<KlaviyoAddress & { readonly process: ServerProcess }> {
  const settings = join(folder, 'sandbox.json');
  await writeFile(settings, JSON.stringify(options));
  const started = await startVerb(['sandbox', '--settings', settings], {}, stateFolder);
  const { url, apiKey } = started.ready;
  if (typeof url !== 'string' || typeof apiKey !== 'string') {
    throw new Error('The sandbox did not report its address and key.');
  }
  return { process: started.process, url, apiKey };
}

/** A worker of the key's account as a separate process, when it is ready to take work. */
export async function startWorker(
  at: {
    readonly folder: string;
    readonly databaseUrl: string;
    readonly temporal: Pick<TemporalServer, 'address' | 'namespace'>;
    readonly stateFolder: string;
  },
  klaviyo: KlaviyoAddress,
): Promise<ServerProcess> {
  const { process } = await startVerb(
    ['worker'],
    {
      KLAVIYO_API_KEY: klaviyo.apiKey,
      KLAVIYO_BASE_URL: klaviyo.url,
      DATABASE_URL: at.databaseUrl,
      TEMPORAL_ADDRESS: at.temporal.address,
      TEMPORAL_NAMESPACE: at.temporal.namespace,
      TEMPORAL_CONFIG_FILE: await emptyProfile(join(at.folder, 'temporal.toml')),
      LOG_LEVEL: 'warn',
    },
    at.stateFolder,
  );
  return process;
}

/** Keeps the user's own Temporal profile away from the worker. */
async function emptyProfile(path: string): Promise<string> {
  await writeFile(path, '[profile.default]\n');
  return path;
}
