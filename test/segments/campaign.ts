/**
 * Lives through days of a segment that runs each hour, while people come, go, change their addresses and
 * keys, unsubscribe and sign up, and loads are late, joins break, workers are restarted and killed, and the
 * ledger is lost. At the end, person by person, Klaviyo has to show what a second telling of the rules says.
 *
 *   npm run segments -- [--days 30] [--people 2000] [--seed 1] [--seeds 1]
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { TASK_QUEUES } from '../../src/contracts/names.js';
import { workerProcess } from '../adversary/play/workers.js';
import { startHarness } from '../support/harness.js';
import { testTemporal } from '../support/stack.js';
import { liveThrough } from './campaign/life.js';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '30' },
    people: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
  },
});

/** As a test: it has the servers of the tests, which end with it. */
test('the life of a segment', async () => {
  const first = whole('seed', values.seed);
  for (let seed = first; seed < first + whole('seeds', values.seeds); seed += 1) {
    await live(seed);
  }
});

async function live(seed: number): Promise<void> {
  const harness = await startHarness({
    sandbox: { rateLimitFactor: 100 },
    worker: false,
    taskQueues: TASK_QUEUES,
  });
  const { databaseUrl, sandbox } = harness;
  const worker = await workerProcess({ temporal: await testTemporal(), databaseUrl, sandbox });
  try {
    const began = Date.now();
    const { differences, ...counts } = await liveThrough(harness, {
      hours: whole('days', values.days) * 24,
      people: whole('people', values.people),
      seed,
      worker,
      onHour: (hour, what) => {
        if (hour % 24 === 0) console.log(`day ${hour / 24}, ${what}`);
      },
    });
    const took = Math.round((Date.now() - began) / 1_000);
    console.log(`seed ${seed}, ${took} s: ${JSON.stringify(counts)}`);
    assert.deepEqual(differences, []);
  } finally {
    await worker.stop();
    await harness.close();
  }
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`--${name} must be a whole number from 1; got "${text}"`);
}
