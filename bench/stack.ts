import { join } from 'node:path';
import { startStack, temporaryFolder, type DemoStack } from '../src/demo/stack.js';
import { Lifecycle } from '../src/runtime/lifecycle.js';
import { progressLines, type OnProgress } from '../src/runtime/progress.js';
import { writePeople } from './people.js';

/** The list of the sandbox that everybody is brought onto: single opt-in. */
export const LIST = 'Bench1';

export interface BenchStack extends DemoStack {
  /** A source of so many people who consented to e-mail. */
  readonly file: string;
  readonly lifecycle: Lifecycle;
}

/** Sandbox, worker, PostgreSQL and Temporal in processes of their own, while `measure` runs. */
export async function withStack<T>(
  rows: number,
  sandbox: Parameters<typeof startStack>[1],
  measure: (stack: BenchStack) => Promise<T>,
  onProgress: OnProgress = progressLines(process.stderr),
): Promise<T> {
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  try {
    const folder = await temporaryFolder(lifecycle);
    const file = join(folder, 'people.csv');
    await writePeople(file, rows);
    const lists = [{ id: LIST, name: 'Benchmark', opt_in_process: 'single_opt_in' as const }];
    const stack = await startStack(folder, { lists, ...sandbox }, lifecycle, onProgress);
    return await measure({ ...stack, file, lifecycle });
  } finally {
    await lifecycle.stop();
  }
}
