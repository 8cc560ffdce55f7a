import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connectTo } from '../adversary/play/stage.js';
import { findMariadb, startMariadb, type TestMariadb } from '../connectors/mariadb.js';
import { createTestDatabase, testTemporal } from '../support/stack.js';
import { playSync, type SyncWorldServers } from './campaign/play.js';
import { scenarioOf } from './campaign/scenario.js';
import { missedIn } from './campaign/tell-week.js';
import { liveThrough } from './campaign/week.js';

/** A few of the scenarios that `npm run syncs` plays by the hundred: on both servers. */
const SEEDS = [5, 13];

/** Of the week that `npm run syncs -- --week` lives through. */
const HOURS = 8;

describe('the life of a synced account', { concurrency: SEEDS.length + 1 }, () => {
  let world: SyncWorldServers;
  let mariadb: TestMariadb | null = null;
  before(async () => {
    const temporal = await testTemporal();
    const program = findMariadb();
    mariadb = program === null ? null : await startMariadb(program);
    world = {
      temporal,
      connections: await connectTo(temporal),
      createDatabase: createTestDatabase,
      mariadb: mariadb?.url ?? null,
    };
  });
  after(async () => {
    await world.connections.connection.close();
    await world.connections.native.close();
    await mariadb?.stop();
  });

  for (const seed of SEEDS) {
    test(`breaks no promise with seed ${seed}`, async () => {
      const { violations } = await playSync(scenarioOf(seed), world, seed);
      assert.deepEqual(violations, []);
    });
  }

  test(`leaves nothing for a sweep to find after ${HOURS} hours, but what no source shows`, async () => {
    const report = await liveThrough(HOURS, world, 3);
    assert.deepEqual(report.violations, []);
    assert.deepEqual(missedIn(report), []);
    assert.ok(report.changedByIncrements > 0 && report.sweeps > 0);
  });
});
