import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTestDatabase, testTemporal } from '../support/stack.js';
import { judge } from './oracle.js';
import { scenarioOf } from './scenario.js';
import { play } from './stage.js';

/** The other tests run beside it. */
const SLACK = 3;

/** A few of the scenarios that `npm run adversary` plays by the hundred. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const AT_ONCE = 4;

describe('the adversary', { concurrency: AT_ONCE }, () => {
  for (const seed of SEEDS) {
    test(`breaks no promise with seed ${seed}`, async () => {
      const temporal = await testTemporal();
      const chronicle = await play(scenarioOf(seed), {
        temporal,
        slack: SLACK,
        createDatabase: createTestDatabase,
      });
      assert.deepEqual(judge(chronicle).violations, []);
    });
  }
});
