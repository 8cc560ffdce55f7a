import type { SyncResult } from '../../src/contracts/sync.js';
import type { Connected } from '../../src/starter/connect.js';
import { MemorySampler, type MemorySample } from '../measure/memory.js';

/** A sync into a table of the customer's, from its start to its end. */
export interface SyncRunMeasured {
  readonly result: SyncResult;
  readonly runMs: number;
  /** Of Klaviyo's API. */
  readonly calls: number;
  /** Of the worker. */
  readonly memory: readonly MemorySample[];
}

export async function runSync(
  { connected, workerPid }: { readonly connected: Connected; readonly workerPid: number },
  to: string,
): Promise<SyncRunMeasured> {
  const { syncs } = connected.consentry;
  const sampler = new MemorySampler(workerPid);
  try {
    const began = performance.now();
    const { runId, workflowId } = await syncs.start({ to });
    const result = await syncs.waitForEnd(workflowId);
    const runMs = performance.now() - began;
    const memory = await sampler.stop();
    const run = (await syncs.status()).flatMap(({ runs }) => runs).find(({ id }) => id === runId);
    if (run === undefined) throw new Error(`The ledger has no run ${runId}.`);
    return { result, runMs, calls: run.calls, memory };
  } finally {
    await sampler.stop();
  }
}
