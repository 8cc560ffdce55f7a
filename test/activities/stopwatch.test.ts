import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { stopwatch } from '../../src/activities/stopwatch.js';

describe('a stopwatch', () => {
  it('counts what either clock counted, whichever is more', () => {
    let [monotonic, wall] = [1_000, 1_700_000_000_000];
    const clocks = [
      mock.method(performance, 'now', () => monotonic),
      mock.method(Date, 'now', () => wall),
    ];
    try {
      const tookMs = stopwatch();
      monotonic += 200;
      wall += 60_000;
      assert.equal(tookMs(), 60_000, 'the machine slept');
      wall -= 3_600_000;
      assert.equal(tookMs(), 200, 'the clock was set back');
    } finally {
      for (const clock of clocks) clock.mock.restore();
    }
  });
});
