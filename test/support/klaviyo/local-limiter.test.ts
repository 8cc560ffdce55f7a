import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ENDPOINTS, KlaviyoSettingsError, LimiterBusyError } from '../../../src/klaviyo/index.js';
import { createLocalLimiter } from './local-limiter.js';

const small = {
  ...ENDPOINTS,
  get_list: { ...ENDPOINTS.get_list, burst: 5, steady: 1_000 },
  get_lists: { ...ENDPOINTS.get_lists, burst: 100, steady: 30 },
};

describe('the local limiter', () => {
  it('never lets more than the burst through in any second, first come first served', async () => {
    const limiter = createLocalLimiter(small, 1);
    const granted: { caller: number; at: number }[] = [];
    const started = performance.now();
    await Promise.all(
      Array.from({ length: 13 }, async (_, caller) => {
        await limiter.acquire('get_list');
        granted.push({ caller, at: performance.now() });
      }),
    );
    assert.deepEqual(
      granted.map(({ caller }) => caller),
      Array.from({ length: 13 }, (_, i) => i),
    );
    granted.forEach(({ at }, i) => {
      const fiveBefore = granted[i - 5];
      // Callers note the time a little after the grant: allow for that, not for another window.
      if (fiveBefore !== undefined)
        assert.ok(at - fiveBefore.at > 1_000, `${at - fiveBefore.at} ms`);
    });
    const took = performance.now() - started;
    assert.ok(took >= 2_200 && took < 3_200, `13 calls at 5 a second took ${took} ms`);
  });

  it('holds the minute, and says how far away the next call is', async () => {
    const limiter = createLocalLimiter(small, 0.5, { maxWaitMs: 5_000 });
    for (let call = 0; call < 15; call++) await limiter.acquire('get_lists');
    await assert.rejects(limiter.acquire('get_lists'), (error: Error) => {
      assert.ok(error instanceof LimiterBusyError);
      assert.equal(error.failure, 'LimiterBusy');
      assert.ok(error.retryAfterMs > 55_000 && error.retryAfterMs <= 60_500);
      return true;
    });
    await limiter.acquire('get_list');
  });

  it('counts those who wait already', async () => {
    const limiter = createLocalLimiter(small, 1, { maxWaitMs: 1_500 });
    const calls = Array.from({ length: 10 }, () => limiter.acquire('get_list'));
    await assert.rejects(limiter.acquire('get_list'), LimiterBusyError);
    await Promise.all(calls);
  });

  it('grants at least one call of a small share', async () => {
    const limiter = createLocalLimiter(ENDPOINTS, 0.01, { maxWaitMs: 0 });
    await limiter.acquire('get_accounts');
    await assert.rejects(limiter.acquire('get_accounts'), LimiterBusyError);
  });

  it('closes an endpoint after a 429, also for those who wait, and no other', async () => {
    const limiter = createLocalLimiter(small, 1);
    for (let call = 0; call < 5; call++) await limiter.acquire('get_list');
    const waiting = limiter.acquire('get_list');
    const started = performance.now();
    await limiter.penalise('get_list', 1_400);
    await limiter.acquire('get_lists');
    assert.ok(performance.now() - started < 500);
    await waiting;
    assert.ok(performance.now() - started >= 1_400);
  });

  it('gives the place of a caller who gave up to the next', async () => {
    const limiter = createLocalLimiter(small, 1);
    for (let call = 0; call < 5; call++) await limiter.acquire('get_list');
    const abort = new AbortController();
    const reason = new Error('cancelled');
    const givenUp = Array.from({ length: 20 }, () => limiter.acquire('get_list', abort.signal));
    const patient = limiter.acquire('get_list');
    const started = performance.now();
    abort.abort(reason);
    for (const call of givenUp) await assert.rejects(call, reason);
    await patient;
    assert.ok(performance.now() - started < 1_900, 'it waited for calls that nobody made');
    await assert.rejects(limiter.acquire('get_list', AbortSignal.abort(reason)), reason);
  });

  for (const share of [0, -1, 1.1, Number.NaN]) {
    it(`has no share of ${share}`, () => {
      assert.throws(() => createLocalLimiter(ENDPOINTS, share), KlaviyoSettingsError);
    });
  }
});
