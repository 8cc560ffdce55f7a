import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  EndpointPausedError,
  KlaviyoKeyRefusedError,
  KlaviyoRateLimitedError,
  KlaviyoRefusedError,
  KlaviyoScopeMissingError,
  KlaviyoUnavailableError,
  LimiterBusyError,
} from '../../../src/klaviyo/index.js';
import { DEFAULT_PATIENCE } from '../../../src/klaviyo/transport/patience.js';
import {
  FIRST_USUAL_MS,
  timeoutOfTry,
  usualAfter,
  waitBeforeRetry,
} from '../../../src/klaviyo/transport/read-retries.js';

const endpoint = 'get_profiles';
const baseUrl = 'https://klaviyo.test';
const unavailable = (retryAfterMs: number | null = null) =>
  new KlaviyoUnavailableError('it answered 503', {
    endpoint,
    status: 503,
    ambiguous: false,
    retryAfterMs,
  });

describe('a read that failed', () => {
  for (const [tryNumber, random, waitMs] of [
    [1, 1, 250],
    [2, 1, 500],
    [3, 1, 1_000],
    [1, 0, 0],
    [3, 0.5, 500],
  ] as const) {
    it(`waits ${waitMs} ms after try ${tryNumber}, by chance ${random}`, () => {
      assert.equal(waitBeforeRetry(unavailable(), tryNumber, DEFAULT_PATIENCE, random), waitMs);
    });
  }

  it('is not tried a fifth time', () => {
    assert.equal(waitBeforeRetry(unavailable(), 4, DEFAULT_PATIENCE, 0), null);
  });

  it('waits for as long as a 503 asks, and some more, so that not all come back at once', () => {
    assert.equal(waitBeforeRetry(unavailable(2_000), 1, DEFAULT_PATIENCE, 0), 2_000);
    assert.equal(waitBeforeRetry(unavailable(2_000), 1, DEFAULT_PATIENCE, 1), 2_250);
  });

  it('is given back where that is longer than a caller is held', () => {
    assert.equal(waitBeforeRetry(unavailable(10_001), 1, DEFAULT_PATIENCE, 0), null);
  });

  for (const error of [
    new KlaviyoKeyRefusedError({ endpoint, baseUrl }),
    new KlaviyoScopeMissingError({ endpoint, baseUrl, fromKlaviyo: true }),
    new KlaviyoRefusedError({ endpoint, status: 400, errors: [] }),
    new KlaviyoRateLimitedError({ endpoint, retryAfterMs: 1_000 }),
    new LimiterBusyError(endpoint, 6_000),
    new EndpointPausedError(endpoint, 2_000),
    new Error('cancelled'),
  ]) {
    it(`is not tried again after ${error.name}`, () => {
      assert.equal(waitBeforeRetry(error, 1, DEFAULT_PATIENCE, 0), null);
    });
  }
});

describe('the time-out of a read', () => {
  it('grows to all of it', () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((tryNumber) => timeoutOfTry(tryNumber, 4, 30_000)),
      [3_200, 6_400, 12_800, 30_000],
    );
  });

  it('is all of it for the last try, however many there are', () => {
    assert.equal(timeoutOfTry(1, 1, 30_000), 30_000);
    assert.equal(timeoutOfTry(2, 2, 30_000), 30_000);
    assert.equal(timeoutOfTry(5, 8, 30_000), 30_000);
  });

  it('is shorter where the endpoint answers quickly, and twice as long with each try', () => {
    const tries = (usualMs: number) =>
      [1, 2, 3, 4].map((tryNumber) => timeoutOfTry(tryNumber, 4, 30_000, usualMs));
    assert.deepEqual(tries(2), [2_000, 4_000, 8_000, 30_000]);
    assert.deepEqual(tries(400), [3_200, 6_400, 12_800, 30_000]);
    assert.deepEqual(tries(5_000), [6_000, 10_000, 20_000, 30_000], 'never longer than without');
    assert.equal(timeoutOfTry(1, 4, 1_000, 2), 200, 'nor than its share of a short one');
  });

  it('follows answers that become slow', () => {
    let usual = FIRST_USUAL_MS;
    for (let answer = 0; answer < 100; answer += 1) usual = usualAfter(usual, 100);
    assert.equal(Math.round(usual), 100);
    usual = usualAfter(usual, 3_000);
    assert.ok(timeoutOfTry(1, 4, 30_000, usual) > 3_000, 'the next is waited for');
    for (let answer = 0; answer < 30; answer += 1) usual = usualAfter(usual, 3_000);
    assert.equal(timeoutOfTry(1, 4, 30_000, usual), 6_000);
  });
});
