import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readRateLimits } from '../../../src/klaviyo/transport/rate-limit-headers.js';

describe('rate limit headers', () => {
  for (const [what, limit, remaining, reset, reading] of [
    ['the recorded form', '75, 75;w=1, 750;w=60', '74', '0', { remaining: 74, window: 1 }],
    [
      'a minute that is nearly used up',
      '75, 75;w=1, 750;w=60',
      '12',
      '31',
      { remaining: 12, window: 60 },
    ],
    ['more than a second has', '75, 75;w=1, 750;w=60', '700', '0', { remaining: 700, window: 60 }],
  ] as const) {
    it(`reads ${what}`, () => {
      assert.deepEqual(read(limit, remaining, reset), { burst: 75, steady: 750, ...reading });
    });
  }

  it('takes no number that is beyond all bounds', () => {
    const huge = '9'.repeat(400);
    assert.deepEqual(read(`75, ${huge};w=1, ${huge};w=60`, huge, '0'), {
      burst: 10_000,
      steady: 100_000,
      remaining: 100_000,
      window: 1,
    });
  });

  for (const [what, limit, remaining, reset] of [
    ['an answer without them, as a 429', undefined, undefined, undefined],
    ['limits of one window', '75', '74', '0'],
    ['a remainder that is no number', '75, 75;w=1, 750;w=60', 'many', '0'],
  ] as const) {
    it(`says nothing of ${what}`, () => assert.equal(read(limit, remaining, reset), null));
  }
});

function read(limit?: string, remaining?: string, reset?: string) {
  const headers: Record<string, string | undefined> = {
    'ratelimit-limit': limit,
    'ratelimit-remaining': remaining,
    'ratelimit-reset': reset,
  };
  return readRateLimits((name) => headers[name]);
}
