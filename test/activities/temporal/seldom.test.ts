import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Seldom } from '../../../src/activities/temporal/seldom.js';

test('what changes all the time is told at once, and then seldom, as it is by then', async () => {
  const telling = new Seldom(200);
  const told: string[] = [];
  let state = 0;
  const change = (of: string) => {
    state += 1;
    return telling.do(of, () => {
      told.push(`${of} ${state}`);
      return Promise.resolve();
    });
  };
  for (let n = 0; n < 50; n += 1) await change('run');
  await change('other');
  assert.deepEqual(told, ['run 1', 'other 51'], 'each at once');
  await delay(300);
  assert.deepEqual(told, ['run 1', 'other 51', 'run 51'], 'the last state gets through');
  await delay(300);
  await change('run');
  assert.deepEqual(told.at(-1), 'run 52', 'at once again after a silence');
});
