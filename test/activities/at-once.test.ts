import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce } from '../../src/activities/at-once.js';

const NEVER = new AbortController().signal;

/** Ends when it is aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

test('does all of them, and no more at once than it may', async () => {
  const done: number[] = [];
  let [now, most] = [0, 0];
  await atOnce([1, 2, 3, 4, 5], 2, NEVER, async (item) => {
    now += 1;
    most = Math.max(most, now);
    await new Promise(setImmediate);
    now -= 1;
    done.push(item);
  });
  assert.deepEqual([done.sort(), most], [[1, 2, 3, 4, 5], 2]);
});

test('after a failure nothing more begins, and what is going on has ended when it is told', async () => {
  const begun: string[] = [];
  const ended: string[] = [];
  const failed = atOnce(['a', 'b', 'c', 'd', 'e'], 3, NEVER, async (item, signal) => {
    begun.push(item);
    try {
      if (item === 'b') throw new Error('no');
      await aborted(signal);
    } finally {
      await new Promise(setImmediate);
      ended.push(item);
    }
  });
  await assert.rejects(failed, /^Error: no$/);
  assert.deepEqual(begun, ['a', 'b', 'c']);
  assert.deepEqual(ended.sort(), ['a', 'b', 'c']);
});

test('begins nothing once it is cancelled, and says why', async () => {
  const cancel = new AbortController();
  const begun: number[] = [];
  const cancelled = atOnce([1, 2, 3], 1, cancel.signal, (item, signal) => {
    begun.push(item);
    const end = aborted(signal);
    cancel.abort(new Error('cancelled'));
    return end;
  });
  await assert.rejects(cancelled, /cancelled/);
  assert.deepEqual(begun, [1]);
});
