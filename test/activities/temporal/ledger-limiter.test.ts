import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LedgerLimiter } from '../../../src/activities/temporal/ledger-limiter.js';
import { LimiterBusyError, type RateLimitReading } from '../../../src/klaviyo/index.js';
import { setShare, type Ledger } from '../../../src/ledger/index.js';
import { store, openTestLedger } from '../../support/ledger.js';

/** Look-ups: Klaviyo documents 75 a second and 750 a minute, of which Consentry leaves a twentieth. */
const ENDPOINT = 'get_profiles';

/** Calls that become free a second later must not count as one second's. */
const SECOND_MS = 999;

describe('the limiter of a worker', { concurrency: 4 }, () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger({ connections: 20 });
  });
  after(() => ledger.close());

  /** The limiter as it serves one run of an account. */
  async function limiterOf(account: string, id: string, share: number) {
    await store(ledger, id, [], {}, account);
    await setShare(ledger.db, id, share);
    const run = { kind: 'migration' as const, id, held: false, answeredWhileHeld: false };
    const limiter = new LedgerLimiter(ledger, () => run);
    limiter.proved(account);
    return limiter;
  }

  const calls = (limiter: LedgerLimiter, count: number) =>
    Promise.all(Array.from({ length: count }, () => limiter.acquire(ENDPOINT)));

  /** The moments of an account's calls, in milliseconds; of one run where it is named. */
  async function momentsOf(account: string, run: string | null = null): Promise<number[]> {
    const { rows } = await ledger.pool.query<{ at: string }>(
      `select extract(epoch from granted_at) * 1000 as at from consentry.granted_call
        where account = $1 and ($2::text is null or run = $2) order by granted_at`,
      [account, run],
    );
    return rows.map(({ at }) => Number(at));
  }

  /** The most calls in any second, wherever it begins. */
  function densest(moments: readonly number[]): number {
    return Math.max(
      ...moments.map((from) => moments.filter((at) => at >= from && at < from + SECOND_MS).length),
    );
  }

  /** As if the calls made so far had been made so much earlier. */
  async function pass(account: string, ms: number): Promise<void> {
    await ledger.pool.query(
      `update consentry.granted_call set granted_at = granted_at - make_interval(secs => $2 / 1000.0)
        where account = $1`,
      [account, ms],
    );
  }

  /** As if all calls so far had just been made, however long the test has taken. */
  async function asIfNow(account: string): Promise<void> {
    await ledger.pool.query(
      'update consentry.granted_call set granted_at = clock_timestamp() where account = $1',
      [account],
    );
  }

  test('a run of another account than that of the key makes no call, and says whose key it needs', async () => {
    const limiter = await limiterOf('RunAcc', 'of-another', 1);
    limiter.proved('KeyAcc');
    await assert.rejects(limiter.acquire(ENDPOINT), {
      type: 'AccountMismatch',
      nonRetryable: true,
      message:
        /account RunAcc.*key of account KeyAcc: no call was made\. Start a worker with a key/,
    });
    assert.deepEqual(await momentsOf('RunAcc'), []);
    assert.deepEqual(await momentsOf('KeyAcc'), []);
  });

  test('a run with a tenth makes 7 calls a second while another goes on at full pace', async () => {
    const slow = await limiterOf('pk_two', 'two-slow', 0.1);
    const full = await limiterOf('pk_two', 'two-full', 1);
    const began = performance.now();
    const slowCalls = calls(slow, 21);
    await calls(full, 40);
    const took = performance.now() - began;
    assert.ok(took < 2_000, `40 calls beside a waiting run took ${took} ms`);
    await Promise.all([slowCalls, calls(full, 100)]);
    assert.equal(densest(await momentsOf('pk_two', 'two-slow')), 7);
    const all = await momentsOf('pk_two');
    assert.equal(all.length, 161);
    assert.equal(densest(all), 71, 'both together keep to 95 %, and use them');
  });

  test('a tenth is 75 calls a minute too, and the next is not waited for here', async () => {
    const slow = await limiterOf('pk_minute', 'minute-slow', 0.1);
    const full = await limiterOf('pk_minute', 'minute-full', 1);
    const began = performance.now();
    for (let second = 0; second < 10; second++) {
      await calls(slow, 7);
      await pass('pk_minute', 2_000);
    }
    await calls(slow, 5);
    await pass('pk_minute', 2_000);
    await assert.rejects(slow.acquire(ENDPOINT), (error: Error) => {
      assert.ok(error instanceof LimiterBusyError);
      // The first of the 75 were made 22 s ago, and as long as this test took.
      const tookMs = performance.now() - began;
      assert.ok(error.retryAfterMs < 38_600, error.message);
      assert.ok(error.retryAfterMs > 38_400 - tookMs, `${error.message} It took ${tookMs} ms.`);
      return true;
    });
    assert.equal((await momentsOf('pk_minute')).length, 75);
    await calls(full, 10);
  });

  test('a share that is set in the middle counts from the next call on', async () => {
    const limiter = await limiterOf('pk_change', 'change', 0.1);
    await calls(limiter, 7);
    await assertWaits(limiter, 'pk_change', 'an eighth call of seven a second');
    await setShare(ledger.db, 'change', 0.2);
    await asIfNow('pk_change');
    await calls(limiter, 8);
    assert.equal(densest(await momentsOf('pk_change', 'change')), 15);

    await pass('pk_change', 61_000);
    await setShare(ledger.db, 'change', 0.02);
    await calls(limiter, 1);
    await assertWaits(limiter, 'pk_change', 'a second call of one a second');
    await setShare(ledger.db, 'change', 1);
    await calls(limiter, 60);
  });

  /** Asks for one call more than is free now, and takes the asking back. */
  async function assertWaits(limiter: LedgerLimiter, account: string, what: string): Promise<void> {
    const before = await momentsOf(account);
    const asking = new AbortController();
    const waiting = assert.rejects(limiter.acquire(ENDPOINT, asking.signal), `${what} was granted`);
    setTimeout(() => asking.abort(), 300);
    await waiting;
    assert.deepEqual(
      await momentsOf(account),
      before,
      'a call that waits for its share is not reserved',
    );
  }

  const LOWER: RateLimitReading = { burst: 20, steady: 150, remaining: 1, window: 1 };
  const HIGHER: RateLimitReading = { burst: 150, steady: 1_500, remaining: 1, window: 1 };
  for (const [says, learned, share, perSecond] of [
    ['documented limits', null, 1, 71],
    ['learned limits that are lower', LOWER, 1, 19],
    ['learned limits that are higher', HIGHER, 1, 142],
    ['a tenth of documented limits', null, 0.1, 7],
    ['a tenth of learned limits that are lower', LOWER, 0.1, 2],
    ['a tenth of learned limits that are higher', HIGHER, 0.1, 15],
    ['a share too small for one call', LOWER, 0.01, 1],
    ['nearly all of the limits: a twentieth is left free', null, 0.98, 71],
  ] as const) {
    test(`${says}: ${perSecond} calls a second`, async () => {
      const account = `pk ${says}`;
      const limiter = await limiterOf(account, says, share);
      if (learned !== null) limiter.learn(ENDPOINT, learned);
      await calls(limiter, perSecond + 1);
      assert.equal(densest(await momentsOf(account)), perSecond);
    });
  }

  test('learned limits are those of their endpoint alone', async () => {
    const limiter = await limiterOf('pk_other', 'other', 1);
    limiter.learn('get_list', { burst: 1, steady: 2, remaining: 0, window: 60 });
    await calls(limiter, 60);
    assert.equal(densest(await momentsOf('pk_other')), 60);
  });
});
