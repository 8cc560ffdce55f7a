import { Client } from '@temporalio/client';
import { workflowIds } from '../../src/contracts/names.js';
import { connectToTemporal } from '../../src/starter/connect.js';
import type { TemporalTarget } from '../../src/runtime/local/temporal/server.js';
import type { Scenario } from '../scenario.js';
import { curvesOfRun, detailsOfRun, figuresOfRun, runMigration } from '../stack/migration-run.js';
import { LIFTED, withStack } from '../stack/stack.js';
import { LIFTED_TIMING } from './lifted.js';

/** So that a thousand jobs need few people: what is measured is one history per job. */
const ROWS_PER_JOB = 2;
/** As `jobsPerBatch` is by default. */
const JOBS_PER_BATCH = 250;

export const events: Scenario = {
  name: 'events',
  line: 'history events of 1,000 jobs, of their batches and of their migration',
  rows: 1_000 * ROWS_PER_JOB,
  floors: [
    { figure: 'jobEventsMost', is: 'at most', limit: 25 },
    { figure: 'longestHistory', is: 'at most', limit: 3_000 },
    { figure: 'unconfirmedRows', is: 'at most', limit: 0 },
  ],
  run: ({ rows, note }) =>
    withStack(rows, LIFTED, async (stack) => {
      note(`migrating ${rows} people in jobs of ${ROWS_PER_JOB}`);
      const run = await runMigration(stack, {
        rowsPerJob: ROWS_PER_JOB,
        jobsPerBatch: JOBS_PER_BATCH,
        timing: LIFTED_TIMING,
      });
      const { id, jobs } = run.report;
      const batches = await eventsOfBatches(id, jobs.total, stack.temporal);
      const { migrationEvents, jobEvents } = run.workflow;
      const all = [...batches, migrationEvents];
      return {
        servers: stack.facts,
        figures: {
          ...figuresOfRun(run),
          jobs: jobs.total,
          batchEventsMost: Math.max(...batches),
          longestHistory: Math.max(...all, jobEvents.most),
          eventsOfAllHistories:
            all.reduce((sum, of) => sum + of, 0) + Math.round(jobEvents.mean * jobs.total),
        },
        details: detailsOfRun(run),
        curves: curvesOfRun(run),
      };
    }),
};

async function eventsOfBatches(
  id: string,
  jobs: number,
  temporal: TemporalTarget,
): Promise<number[]> {
  const connection = await connectToTemporal(temporal);
  try {
    const { workflow } = new Client({ connection, namespace: temporal.namespace });
    const count = Math.ceil(jobs / JOBS_PER_BATCH);
    return await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const handle = workflow.getHandle(workflowIds.batch(id, index + 1));
        return (await handle.describe()).historyLength;
      }),
    );
  } finally {
    await connection.close();
  }
}
