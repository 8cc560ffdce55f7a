import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EndpointPausedError } from '../../../src/klaviyo/index.js';
import { EndpointPacing, type Pass } from '../../../src/klaviyo/transport/endpoint-pacing.js';
import { DEFAULT_PATIENCE, type Patience } from '../../../src/klaviyo/transport/patience.js';

const PATIENCE: Patience = {
  ...DEFAULT_PATIENCE,
  failuresInRow: 3,
  pauseMs: 20,
  longestPauseMs: 40,
  holdMs: 5_000,
};

/** An endpoint that has just failed three times in a row. */
async function failingPacing(patience: Partial<Patience> = {}): Promise<EndpointPacing> {
  const pacing = new EndpointPacing({ ...PATIENCE, ...patience });
  for (let n = 0; n < 3; n++) (await pacing.enter('get_profiles')).end('failed');
  return pacing;
}

/** Many callers at once; `passes` are those that were let in so far. */
function callersOf(pacing: EndpointPacing, count: number) {
  const passes: Pass[] = [];
  const all = Array.from({ length: count }, () =>
    pacing.enter('get_profiles').then((pass) => passes.push(pass)),
  );
  const next = async (): Promise<Pass> => {
    while (passes.length === 0) await Promise.race(all);
    return passes.shift() as Pass;
  };
  return { passes, all: Promise.all(all), next };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('calls of an endpoint that keeps failing', () => {
  it('go one at a time until one works, and then all', async () => {
    const pacing = await failingPacing();
    const entered: number[] = [];
    let out = 0;
    const call = async (n: number): Promise<void> => {
      const pass = await pacing.enter('get_profiles');
      entered.push(n);
      out += 1;
      if (entered.length <= 3) {
        assert.equal(out, 1, 'a probe is not alone');
        await turn();
        pass.end(entered.length < 3 ? 'failed' : 'worked');
      }
      out -= 1;
    };
    await Promise.all(Array.from({ length: 200 }, (_, n) => call(n)));
    assert.equal(entered.length, 200);
  });

  it('do not keep others waiting', async () => {
    const pacing = await failingPacing({ pauseMs: 60_000, longestPauseMs: 60_000 });
    const others = await Promise.all(
      Array.from({ length: 10 }, () => pacing.enter('get_profiles_for_list')),
    );
    assert.equal(others.length, 10);
  });

  it('are given back with the time to come again, where they would be held for long', async () => {
    const pacing = await failingPacing({ pauseMs: 60_000, longestPauseMs: 60_000 });
    const error = await pacing.enter('get_profiles').then(
      () => assert.fail('was let in'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof EndpointPausedError);
    assert.equal(error.failure, 'KlaviyoUnavailable');
    assert.equal(error.ambiguous, false);
    assert.ok(error.retryAfterMs > 29_000 && error.retryAfterMs <= 60_000);
    assert.match(error.message, /^get_profiles .*keeps failing.*nothing was sent/);
  });

  it('are given back as well where the probe does not come back', async () => {
    const pacing = await failingPacing({ pauseMs: 1, longestPauseMs: 1_000, holdMs: 50 });
    await pacing.enter('get_profiles');
    await assert.rejects(
      pacing.enter('get_profiles'),
      (error: unknown) => error instanceof EndpointPausedError && error.retryAfterMs === 2,
    );
  });

  it('end at once when they are cancelled, and leave the others waiting', async () => {
    const pacing = await failingPacing({ pauseMs: 1 });
    const probe = await pacing.enter('get_profiles');
    const abort = new AbortController();
    const reason = new Error('cancelled by the operator');
    const cancelled = pacing.enter('get_profiles', abort.signal);
    const { next } = callersOf(pacing, 1);
    const began = performance.now();
    abort.abort(reason);
    await assert.rejects(cancelled, reason);
    assert.ok(performance.now() - began < PATIENCE.holdMs / 2, 'waited to the end');
    probe.end('worked');
    assert.ok((await next()).holds());
    await assert.rejects(pacing.enter('get_profiles', abort.signal), reason);
  });

  it('go on with another probe where one was cancelled', async () => {
    const pacing = await failingPacing({ pauseMs: 1 });
    const probe = await pacing.enter('get_profiles');
    const { passes, next } = callersOf(pacing, 2);
    await turn();
    assert.equal(passes.length, 0);
    probe.end('undecided');
    const second = await next();
    await turn();
    assert.equal(passes.length, 0);
    second.end('worked');
    assert.ok((await next()).holds());
  });

  it('are not made where they were let in before and waited for the limiter', async () => {
    const pacing = new EndpointPacing(PATIENCE);
    const waiting = await pacing.enter('get_profiles');
    assert.equal(waiting.holds(), true);
    for (let n = 0; n < 3; n++) (await pacing.enter('get_profiles')).end('failed');
    assert.equal(waiting.holds(), false);
  });
});
