import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Persistence } from '../../../src/activities/temporal/persistence.js';
import { LimiterBusyError } from '../../../src/klaviyo/index.js';

const MINUTE = 60_000;

describe('a step that is short of calls', () => {
  /** Tries a step that is told to wait for a minute so often. */
  async function tried(times: number): Promise<{ tries: number; waits: number[]; ended: boolean }> {
    const waits: number[] = [];
    let tries = 0;
    const step = () => {
      tries += 1;
      return tries <= times
        ? Promise.reject(new LimiterBusyError('get_profiles', MINUTE))
        : Promise.resolve();
    };
    const wait = (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    };
    const persistence = new Persistence(new AbortController().signal, wait);
    const ended = await persistence.whileShort(step).then(
      () => true,
      (error: unknown) => {
        assert.ok(error instanceof LimiterBusyError);
        return false;
      },
    );
    return { tries, waits, ended };
  }

  test('waits as long as it is told to, and goes on', async () => {
    assert.deepEqual(await tried(2), { tries: 3, waits: [MINUTE, MINUTE], ended: true });
  });

  test('is given up after some attempts', async () => {
    const { tries, ended } = await tried(Infinity);
    assert.deepEqual({ tries, ended }, { tries: 6, ended: false });
  });

  test('ends at once where something else is wrong', async () => {
    const persistence = new Persistence(new AbortController().signal);
    const wrong = () => Promise.reject(new RangeError('wrong'));
    await assert.rejects(persistence.whileShort(wrong), RangeError);
  });
});
