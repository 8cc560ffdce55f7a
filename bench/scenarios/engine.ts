import { join } from 'node:path';
import { progressLines } from '../../src/runtime/progress.js';
import type { Measured, RunOptions, Scenario } from '../scenario.js';
import { curvesOfRun, detailsOfRun, figuresOfRun, runMigration } from '../stack/migration-run.js';
import { writePeople } from '../stack/people.js';
import { withServers } from '../stack/servers.js';
import { LIFTED_TIMING } from './lifted.js';

export const engine: Scenario = {
  name: 'engine',
  line: 'a migration with an echo in place of Klaviyo, so that the sandbox does not slow it down',
  rows: 1_000_000,
  floors: [
    { figure: 'workerMemoryGrowth', is: 'at most', limit: 1.15 },
    { figure: 'unconfirmedRows', is: 'at most', limit: 0 },
  ],
  run,
};

function run({ rows, note }: RunOptions): Promise<Measured> {
  return withServers(async (servers) => {
    const file = join(servers.folder, 'people.csv');
    await writePeople(file, rows);
    const worker = await servers.startWorker(await servers.startEcho());
    note(`migrating ${rows} people`);
    const { connected, temporal } = servers;
    const migration = await runMigration(
      { file, connected, temporal, workerPid: worker.pid },
      { timing: LIFTED_TIMING },
    );
    return {
      servers: servers.facts,
      figures: figuresOfRun(migration),
      details: {
        'in place of Klaviyo': 'an echo: no limits, delays, opt-outs or errors',
        ...detailsOfRun(migration),
      },
      curves: curvesOfRun(migration),
    };
  }, progressLines(process.stderr));
}
