import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { Metrics } from '../../../src/activities/temporal/metrics.js';
import type { Metric } from '../../../src/klaviyo/index.js';

const OLD = 'Unsubscribed from SMS';
const NEW = 'Unsubscribed from SMS Marketing';
const { signal } = new AbortController();

describe('the ids of metrics', () => {
  let now = 0;
  let account: Metric[];
  let calls: number;
  let failing: boolean;
  let answersAfterMs: number;
  let metrics: Metrics;
  beforeEach(() => {
    account = [];
    calls = 0;
    failing = false;
    answersAfterMs = 0;
    mock.method(performance, 'now', () => now);
    metrics = new Metrics({
      listMetrics: async () => {
        calls += 1;
        const fails = failing;
        now += answersAfterMs;
        await Promise.resolve();
        if (fails) throw new Error('cut');
        return account;
      },
    });
  });
  afterEach(() => mock.restoreAll());

  test('of one that the account did not have are known a second after its first event', async () => {
    assert.deepEqual(await metrics.idsOf([NEW, OLD], signal), []);
    account = [{ id: 'OLD1', name: OLD }];
    now += 1_000;
    assert.deepEqual(await metrics.idsOf([NEW, OLD], signal), ['OLD1']);
    account = [...account, { id: 'NEW1', name: NEW }];
    now += 1_000;
    assert.deepEqual(await metrics.idsOf([NEW, OLD], signal), ['OLD1']);
    assert.equal(calls, 2, 'who has one name may never get the other');
    now += 60_000;
    assert.deepEqual(await metrics.idsOf([NEW, OLD], signal), ['NEW1', 'OLD1']);
  });

  test('are asked for once, however many need them, and no more than once a second', async () => {
    for (let n = 0; n < 20; n += 1) {
      await Promise.all([1, 2, 3].map(() => metrics.idsOf([NEW], signal)));
      now += 100;
    }
    assert.equal(calls, 2);
  });

  test('are not waited for twice where the answer takes longer than a second', async () => {
    answersAfterMs = 3_000;
    assert.deepEqual(await metrics.idsOf([NEW], signal), []);
    assert.equal(calls, 1);
  });

  test('are asked for again by whoever waited for a call that failed', async () => {
    failing = true;
    const [first, second] = [metrics.idsOf([NEW], signal), metrics.idsOf([NEW], signal)];
    failing = false;
    account = [{ id: 'NEW1', name: NEW }];
    await assert.rejects(first, /cut/);
    assert.deepEqual(await second, ['NEW1']);
  });
});
