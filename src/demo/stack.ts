import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxOptions } from 'klaviyo-sandbox';
import { loadConfig } from '../runtime/config.js';
import type { Lifecycle } from '../runtime/lifecycle.js';
import { userFolders } from '../runtime/paths.js';
import { startDatabase } from '../runtime/local/postgres/postgres.js';
import type { OnProgress } from '../runtime/progress.js';
import { startTemporalServer, type TemporalTarget } from '../runtime/local/temporal/server.js';
import { connectTo, type Connected } from '../starter/connect.js';
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
  const worker = await startVerb(
    ['worker'],
    {
      KLAVIYO_API_KEY: sandbox.apiKey,
      KLAVIYO_BASE_URL: sandbox.url,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      TEMPORAL_CONFIG_FILE: await emptyProfile(join(folder, 'temporal.toml')),
      LOG_LEVEL: 'warn',
    },
    folders.state,
  );
  lifecycle.onStop('worker', () => worker.process.stop());
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
    workerPid: worker.process.pid,
    addresses: {
      webUi: temporal.uiUrl,
      sandbox: sandbox.url,
      databaseUrl: database.url,
      temporalAddress: temporal.address,
    },
  };
}

async function startSandbox(folder: string, options: SandboxOptions, stateFolder: string) {
  const settings = join(folder, 'sandbox.json');
  await writeFile(settings, JSON.stringify(options));
  const started = await startVerb(['sandbox', '--settings', settings], {}, stateFolder);
  const { url, apiKey } = started.ready;
  if (typeof url !== 'string' || typeof apiKey !== 'string') {
    throw new Error('The sandbox did not report its address and key.');
  }
  return { process: started.process, url, apiKey };
}

/** Keeps the user's own Temporal profile away from the worker. */
async function emptyProfile(path: string): Promise<string> {
  await writeFile(path, '[profile.default]\n');
  return path;
}
