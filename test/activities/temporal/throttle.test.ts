import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Throttle } from '../../../src/activities/temporal/throttle.js';

test('frequent changes are sent at once, and then rarely, with the latest state', async () => {
  const throttle = new Throttle(200);
  const sent: string[] = [];
  let state = 0;
  const change = (of: string) => {
    state += 1;
    return throttle.do(of, () => {
      sent.push(`${of} ${state}`);
      return Promise.resolve();
    });
  };
  for (let n = 0; n < 50; n += 1) await change('run');
  await change('other');
  assert.deepEqual(sent, ['run 1', 'other 51'], 'each at once');
  await delay(300);
  assert.deepEqual(sent, ['run 1', 'other 51', 'run 51'], 'the last state gets through');
  await delay(300);
  await change('run');
  assert.deepEqual(sent.at(-1), 'run 52', 'at once again after a silence');
});
