import { SettingsError } from '../migrations/request/settings-error.js';
import type { ProgramsFile } from '../programs/file/read.js';
import type { Reach } from '../reach.js';
import type { HookEvent } from './events.js';
import { HookServer, type HookServerOptions } from './hook-server.js';
import { listeningSyncs } from './listening-syncs.js';
import { receive } from './receiver.js';
import { WantedRuns, type Pace } from './wanted-runs.js';

export interface ListenOptions extends HookServerOptions {
  /** What it got and did. */
  readonly tell: (event: HookEvent) => void;
  readonly pace?: Pace;
}

/** A listener that takes requests. */
export interface HookListener {
  readonly port: number;
  /** Names of the syncs that webhooks may wake. */
  readonly syncs: readonly string[];
  /** Answers what has come, and ends. */
  stop(): Promise<void>;
}

/** Lets Klaviyo's webhooks start runs of syncs. */
export class Webhooks {
  constructor(private readonly reach: Reach) {}

  /**
   * Listens to the webhooks of syncs of a `consentry.yaml`.
   *
   * @param names of syncs; none for all that have `webhooks`
   * @throws ConfigFileError, SettingsError
   */
  async listen(
    file: ProgramsFile,
    names: readonly string[],
    { tell, pace, ...server }: ListenOptions,
  ): Promise<HookListener> {
    const { db } = this.reach.ledger;
    const syncs = await listeningSyncs(db, file, names);
    const runs = new WantedRuns(this.reach, syncs, tell, pace);
    const hooks = new HookServer(server, (request) => receive(db, syncs, request), tell);
    const port = await hooks.start().catch((error: NodeJS.ErrnoException) => {
      throw new SettingsError(cannotListen(server, error), { cause: error });
    });
    runs.start();
    return {
      port,
      syncs: syncs.map(({ name }) => name),
      async stop() {
        await hooks.stop();
        await runs.stop();
      },
    };
  }
}

function cannotListen({ host, port }: HookServerOptions, { code, message }: NodeJS.ErrnoException) {
  const where = `Nothing can listen on ${host}, port ${port}`;
  if (code === 'EADDRINUSE') return `${where}: another program does. Choose another --port.`;
  return `${where} (${code ?? message}). Choose another --host or --port.`;
}
