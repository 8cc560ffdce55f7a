import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createTestDatabase, testTemporal, type TestTemporal } from '../support/stack.js';
import { judge } from './judge/oracle.js';
import { scenarioOf } from './scenarios/scenarios.js';
import { connectTo, play, type Connections } from './play/stage.js';

/** The other tests run beside it. */
const SLACK = 3;

/** A few of the scenarios that `npm run adversary` plays by the hundred. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 15, 17, 53, 90];
const AT_ONCE = 4;

describe('the adversary', { concurrency: AT_ONCE }, () => {
  let temporal: TestTemporal;
  let connections: Connections;
  before(async () => {
    temporal = await testTemporal();
    connections = await connectTo(temporal);
  });
  after(async () => {
    await connections.connection.close();
    await connections.native.close();
  });

  for (const seed of SEEDS) {
    test(`breaks no promise with seed ${seed}`, async () => {
      const chronicle = await play(scenarioOf(seed), {
        temporal,
        connections,
        slack: SLACK,
        createDatabase: createTestDatabase,
      });
      assert.deepEqual(judge(chronicle).violations, []);
    });
  }
});
