import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startHarness, type Harness } from '../support/harness.js';
import { liveThrough } from './campaign/life.js';

/** Some hours of the month that `npm run segments` lives through. */
describe('the life of a segment', { timeout: 300_000 }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({ sandbox: { rateLimitFactor: 100 } });
  });
  after(() => harness.close());

  it('leaves everybody as a second telling of the rules says', async () => {
    const report = await liveThrough(harness, {
      hours: 14,
      people: 120,
      seed: 7,
      worker: {
        restart: async () => {
          await harness.stopWorkers();
          await harness.startWorker();
        },
        kill: null,
      },
      ...(process.env['LIFE'] === undefined
        ? {}
        : { onHour: (hour, what) => console.log(hour, what) }),
    });
    assert.deepEqual(report.differences, []);
    assert.ok(report.entered > 0 && report.left > 0 && report.lostLedgers === 1);
  });
});
