import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, refused } from './control-support.js';
import { sandboxFor } from '../support.js';

const SECOND = 1_000;

function busyFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('while a lot is due, time advances in turns and every effect runs exactly once', async (t) => {
  const sandbox = await sandboxFor(t);
  const { clock, scheduler } = sandbox.account;
  const start = clock.now();
  const done: number[] = [];
  for (let i = 0; i < 200; i++) {
    scheduler.at(start + (i + 1) * SECOND, () => {
      busyFor(1);
      done.push(i);
    });
  }
  const seen = new Set<number>();
  let over = false;
  const look = () => {
    seen.add(done.length);
    if (!over) setImmediate(look);
  };
  setImmediate(look);
  await ask(sandbox, 'POST', '/clock/advance', { ms: 1_000 * SECOND });
  over = true;
  assert.deepEqual(
    done,
    [...done].sort((a, b) => a - b),
  );
  assert.equal(done.length, 200);
  const between = [...seen].filter((count) => count > 0 && count < 200);
  assert.ok(between.length >= 5, `others had their turn ${between.length} times only`);
  assert.ok(clock.now() >= start + 1_000 * SECOND);
});

test('what is due within a turn sees the time at which it was due', async (t) => {
  const sandbox = await sandboxFor(t);
  const { clock, scheduler } = sandbox.account;
  const start = clock.now();
  const times: number[] = [];
  scheduler.at(start + SECOND, () => {
    times.push(clock.now());
    scheduler.at(clock.in(SECOND), () => times.push(clock.now()));
  });
  await ask(sandbox, 'POST', '/clock/advance', { ms: 10 * SECOND });
  assert.deepEqual(times, [start + SECOND, start + 2 * SECOND]);
});

test('two calls at once skip the sum of both', async (t) => {
  const sandbox = await sandboxFor(t);
  const { clock, scheduler } = sandbox.account;
  const start = clock.now();
  // Enough work that the second call comes while the first still runs.
  for (let i = 0; i < 100; i++) scheduler.at(start + i, () => busyFor(1));
  const skip = () => ask(sandbox, 'POST', '/clock/advance', { ms: 60 * SECOND });
  await Promise.all([skip(), skip()]);
  const skipped = clock.now() - start;
  assert.ok(skipped >= 120 * SECOND && skipped < 130 * SECOND, `${skipped} ms`);
});

test('speed divides what is skipped', async (t) => {
  const sandbox = await sandboxFor(t, { speed: 60 });
  const { clock } = sandbox.account;
  const start = clock.now();
  await ask(sandbox, 'POST', '/clock/advance', { ms: 3_600 * SECOND });
  const skipped = clock.now() - start;
  assert.ok(skipped >= 60 * SECOND && skipped < 70 * SECOND, `${skipped} ms`);
});

for (const body of [{}, { ms: -1 }, { ms: '1' }, { seconds: 1 }]) {
  test(`time does not advance by ${JSON.stringify(body)}`, async (t) => {
    const sandbox = await sandboxFor(t);
    assert.match(await refused(sandbox, 'POST', '/clock/advance', body), /^400 .*ms/);
  });
}
