import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxOptions } from 'klaviyo-sandbox';
import { startProgram } from '../../src/demo/child.js';
import { SandboxControl } from '../../src/demo/sandbox-control.js';
import {
  startSandbox,
  startWorker,
  temporaryFolder,
  type KlaviyoAddress,
} from '../../src/demo/stack.js';
import { loadConfig } from '../../src/runtime/config.js';
import { Lifecycle } from '../../src/runtime/lifecycle.js';
import type { ServerProcess } from '../../src/runtime/local/server-process.js';
import {
  startTemporalServer,
  type TemporalServer,
} from '../../src/runtime/local/temporal/server.js';
import type { OnProgress } from '../../src/runtime/progress.js';
import { connectTo, type Connected } from '../../src/starter/connect.js';
import { programAt } from '../measure/machine.js';
import { readServerFacts, type ServerFacts } from '../measure/server-facts.js';
import { benchFolders, startDurableDatabase } from './database.js';

export interface SandboxAccount extends KlaviyoAddress {
  readonly control: SandboxControl;
}

/** PostgreSQL and Temporal, and what starts the other parts, each as a process of its own. */
export class Servers {
  private constructor(
    readonly folder: string,
    readonly lifecycle: Lifecycle,
    readonly databaseUrl: string,
    readonly temporal: TemporalServer,
    readonly connected: Connected,
    readonly facts: ServerFacts,
  ) {}

  static async start(lifecycle: Lifecycle, onProgress: OnProgress): Promise<Servers> {
    const folder = await temporaryFolder(lifecycle);
    const databaseUrl = await startDurableDatabase(folder, lifecycle);
    const given = loadConfig();
    const temporal = await startTemporalServer({
      config: { ...given, temporal: { ...given.temporal, variables: {} } },
      folders: benchFolders(),
      headless: true,
      dbFile: join(folder, 'temporal', 'temporal.db'),
      onProgress,
    });
    lifecycle.onStop('Temporal', () => temporal.stop());
    const connected = await connectTo({ databaseUrl, temporal, uiUrl: null, account: null });
    lifecycle.onStop('connections', () => connected.close());
    const facts = await readServerFacts(databaseUrl, temporal.address);
    return new Servers(folder, lifecycle, databaseUrl, temporal, connected, facts);
  }

  /** An account of the simulated Klaviyo. */
  async startSandbox(options: SandboxOptions): Promise<SandboxAccount> {
    const folder = await mkdtemp(join(this.folder, 'sandbox-'));
    const { process, url, apiKey } = await startSandbox(folder, options, benchFolders().state);
    this.lifecycle.onStop('sandbox', () => process.stop());
    return { url, apiKey, control: new SandboxControl(url) };
  }

  /**
   * The echo in place of Klaviyo; see `bench/echo/server.ts`.
   *
   * @param showsAfter how many people must have been sent before it shows anybody
   * @param profiles that it has from the start
   */
  async startEcho({ showsAfter = 0, profiles = 0 } = {}): Promise<KlaviyoAddress> {
    const args = [programAt('echo/server'), String(showsAfter), String(profiles)];
    const started = await startProgram(
      { label: 'echo', args, environment: {} },
      benchFolders().state,
    );
    this.lifecycle.onStop('echo', () => started.process.stop());
    const { url, apiKey } = started.ready as { url: string; apiKey: string };
    return { url, apiKey };
  }

  /** A worker of the key's account. */
  async startWorker(klaviyo: KlaviyoAddress): Promise<ServerProcess> {
    const folder = join(this.folder, 'worker');
    await mkdir(folder, { recursive: true });
    const worker = await startWorker(
      {
        folder,
        databaseUrl: this.databaseUrl,
        temporal: this.temporal,
        stateFolder: benchFolders().state,
      },
      klaviyo,
    );
    this.lifecycle.onStop('worker', () => worker.stop(), 40_000);
    return worker;
  }
}

/** Servers while `measure` runs. */
export async function withServers<T>(
  measure: (servers: Servers) => Promise<T>,
  onProgress: OnProgress,
): Promise<T> {
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  try {
    return await measure(await Servers.start(lifecycle, onProgress));
  } finally {
    await lifecycle.stop();
  }
}
