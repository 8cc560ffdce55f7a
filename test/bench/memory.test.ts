import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { curveOf, growthOf, peakOf, residentBytes } from '../../bench/measure/memory.js';

const samples = (megabytes: (n: number) => number, count = 100) =>
  Array.from({ length: count }, (_, n) => ({ seconds: n, megabytes: megabytes(n) }));

describe('the memory of a benchmark', () => {
  it('is flat if only the start is lower', () => {
    assert.equal(growthOf(samples((n) => (n < 10 ? 10 * n : 100))), 1);
  });

  it('grows by what the last quarter’s peak is above the first quarter’s', () => {
    // After the tenth that warms up, the quarters are 10 to 31 and 78 to 99.
    assert.equal(growthOf(samples((n) => 100 + n)), 199 / 131);
  });

  it('is unknown with too few samples', () => {
    assert.equal(growthOf(samples(() => 100, 19)), null);
    assert.equal(peakOf([]), null);
  });

  it('is kept as a curve that loses no peak', () => {
    const curve = curveOf(samples((n) => (n === 777 ? 500 : 100), 1_000));
    assert.equal(curve.length, 200);
    assert.equal(peakOf(curve), 500);
  });

  it('is that of a process, and none once the process has ended', async () => {
    assert.ok((await residentBytes(process.pid))! > 10_000_000);
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    assert.equal(await residentBytes(child.pid!), null);
  });
});
