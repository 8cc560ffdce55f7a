import { join } from 'node:path';
import type { SandboxOptions } from 'klaviyo-sandbox';
import type { DemoStack, KlaviyoAddress } from '../../src/demo/stack.js';
import type { Lifecycle } from '../../src/runtime/lifecycle.js';
import { progressLines, type OnProgress } from '../../src/runtime/progress.js';
import type { ServerFacts } from '../measure/server-facts.js';
import { writePeople } from './people.js';
import { withServers, type Servers } from './servers.js';

/** The list of the sandbox that everybody is brought onto: single opt-in. */
export const LIST = 'Bench1';

export const LISTS = [
  { id: LIST, name: 'Benchmark', opt_in_process: 'single_opt_in' },
] as const satisfies SandboxOptions['lists'];

/** No limits that matter, and hardly any delays, so that only our own work remains. */
export const LIFTED = {
  rateLimitFactor: 1_000,
  delays: 'fast',
} as const satisfies SandboxOptions;

export interface BenchStack extends DemoStack {
  /** A source of so many people who consented to e-mail. */
  readonly file: string;
  readonly lifecycle: Lifecycle;
  readonly servers: Servers;
  readonly facts: ServerFacts;
  /** The sandbox's address and key. */
  readonly klaviyo: KlaviyoAddress;
}

/** Sandbox, worker, PostgreSQL and Temporal in processes of their own, while `measure` runs. */
export async function withStack<T>(
  rows: number,
  sandboxOptions: SandboxOptions,
  measure: (stack: BenchStack) => Promise<T>,
  onProgress: OnProgress = progressLines(process.stderr),
): Promise<T> {
  return withServers(async (servers) => {
    const { folder, lifecycle, connected, temporal, databaseUrl, facts } = servers;
    const file = join(folder, 'people.csv');
    await writePeople(file, rows);
    const { control, ...klaviyo } = await servers.startSandbox({
      lists: [...LISTS],
      ...sandboxOptions,
    });
    const worker = await servers.startWorker(klaviyo);
    return measure({
      servers,
      facts,
      klaviyo,
      file,
      lifecycle,
      connected,
      temporal,
      sandbox: control,
      workerPid: worker.pid,
      addresses: {
        webUi: null,
        sandbox: klaviyo.url,
        databaseUrl,
        temporalAddress: temporal.address,
      },
    });
  }, onProgress);
}
