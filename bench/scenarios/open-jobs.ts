import { join } from 'node:path';
import { progressLines } from '../../src/runtime/progress.js';
import { peakOf } from '../measure/memory.js';
import type { Measured, RunOptions, Scenario } from '../scenario.js';
import { curvesOfRun, detailsOfRun, figuresOfRun, runMigration } from '../stack/migration-run.js';
import { writePeople } from '../stack/people.js';
import { withServers } from '../stack/servers.js';

/** Memory depends on the jobs, so they have few people. */
const ROWS_PER_JOB = 10;

/** Longer than the scenario: nothing is looked up, and no job ends by its deadline. */
const DAY_MS = 24 * 3_600_000;

export const openJobs: Scenario = {
  name: 'open-jobs',
  line: 'the worker’s memory while all jobs of a run wait for Klaviyo: 10 people each',
  rows: 10_000,
  floors: [
    { figure: 'workerPeakMegabytes', is: 'at most', limit: 400 },
    { figure: 'unconfirmedRows', is: 'at most', limit: 0 },
  ],
  run,
};

/** The echo shows nobody until everybody was sent. Then it shows all, and every job wakes up. */
function run({ rows, note }: RunOptions): Promise<Measured> {
  return withServers(async (servers) => {
    const file = join(servers.folder, 'people.csv');
    await writePeople(file, rows);
    const worker = await servers.startWorker(await servers.startEcho({ showsAfter: rows }));
    const jobs = Math.ceil(rows / ROWS_PER_JOB);
    note(`sending ${jobs} jobs, then settling them`);
    const { connected, temporal } = servers;
    const migration = await runMigration(
      { file, connected, temporal, workerPid: worker.pid },
      {
        rowsPerJob: ROWS_PER_JOB,
        timing: { eventsSilentMs: DAY_MS, confirmWithinMs: DAY_MS, readEveryMs: 2_000 },
      },
    );
    const { submit = 0 } = migration.phases;
    return {
      servers: servers.facts,
      figures: {
        ...figuresOfRun(migration),
        openJobs: jobs,
        // What a worker of a long life has is its peak; `VmHWM` includes the start.
        workerPeakMegabytes: peakOf(migration.memory),
        jobsPerSecond: (jobs * 1_000) / submit,
      },
      details: detailsOfRun(migration),
      curves: curvesOfRun(migration),
    };
  }, progressLines(process.stderr));
}
