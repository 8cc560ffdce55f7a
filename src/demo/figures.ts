import { readFile } from 'node:fs/promises';
import { Client } from '@temporalio/client';
import { workflowIds } from '../contracts/names.js';
import { runExecutable } from '../runtime/local/executables.js';
import type { TemporalTarget } from '../runtime/local/temporal/server.js';
import { connectToTemporal } from '../starter/connect.js';
import type { Act } from './acts.js';

export interface Figures {
  /**
   * Rows of the main act per second from the start to the last outcome, including the wait for
   * clicks.
   */
  readonly rowsPerSecond: number;
  /** History events of the main act's workflow, and of its jobs. */
  readonly migrationEvents: number;
  readonly jobEvents: { readonly mean: number; readonly most: number };
  /** The worker's memory, the peak if the system reports it; null if it reports none. */
  readonly workerBytes: number | null;
}

export async function readFigures(
  act: Pick<Act, 'report' | 'runMs'>,
  temporal: TemporalTarget,
  workerPid: number,
): Promise<Figures> {
  const { id, rows, jobs } = act.report;
  const connection = await connectToTemporal(temporal);
  try {
    const { workflow } = new Client({ connection, namespace: temporal.namespace });
    const events = async (workflowId: string): Promise<number> =>
      (await workflow.getHandle(workflowId).describe()).historyLength;
    const ofJobs = await Promise.all(
      Array.from({ length: jobs.total }, (_, index) => events(workflowIds.job(id, index + 1))),
    );
    return {
      rowsPerSecond: (rows * 1_000) / act.runMs,
      migrationEvents: await events(workflowIds.migration(id)),
      jobEvents: {
        mean: ofJobs.reduce((sum, of) => sum + of, 0) / Math.max(1, ofJobs.length),
        most: Math.max(0, ...ofJobs),
      },
      workerBytes: await memoryOf(workerPid),
    };
  } finally {
    await connection.close();
  }
}

async function memoryOf(pid: number): Promise<number | null> {
  if (process.platform === 'linux') {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return kilobytes(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]);
  }
  if (process.platform === 'win32') return null;
  const { output, failure } = await runExecutable('ps', ['-o', 'rss=', '-p', String(pid)], {
    withinMs: 5_000,
  });
  return failure === null ? kilobytes(output) : null;
}

function kilobytes(text: string | undefined): number | null {
  const value = Number.parseInt(text ?? '', 10);
  return Number.isNaN(value) ? null : value * 1_024;
}
