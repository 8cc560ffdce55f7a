import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isMissed, judge, type Floor } from '../../bench/measure/floors.js';

const atMost = (limit: number, times?: 'before' | 'scales'): Floor => ({
  figure: 'seconds',
  is: 'at most',
  limit,
  ...(times === undefined ? {} : { times }),
});
const atLeast: Floor = { figure: 'rowsPerSecond', is: 'at least', limit: 100 };
const measured = (seconds: number | null, rows = 1_000) => ({
  rows,
  figures: { seconds, rowsPerSecond: 100 },
});
const held = (...args: Parameters<typeof judge>) => judge(...args).map((floor) => floor.held);

describe('the floor of a benchmark', () => {
  it('is held by a figure on the limit, and missed by one beyond it', () => {
    assert.deepEqual(held([atMost(2)], measured(2), {}), [true]);
    assert.deepEqual(held([atMost(2)], measured(2.01), {}), [false]);
    assert.deepEqual(held([atLeast], { rows: 1, figures: { rowsPerSecond: 100 } }, {}), [true]);
    assert.deepEqual(held([atLeast], { rows: 1, figures: { rowsPerSecond: 99.9 } }, {}), [false]);
  });

  it('is a multiple of the same figure before', () => {
    const before = measured(10);
    assert.deepEqual(held([atMost(0.35, 'before')], measured(3.5), { before }), [true]);
    assert.deepEqual(held([atMost(0.35, 'before')], measured(3.6), { before }), [false]);
  });

  it('compares the larger run with the smaller one, whichever is given', () => {
    const [small, large] = [measured(10, 1_000), measured(14, 10_000)];
    assert.deepEqual(held([atMost(1.3, 'scales')], large, { scales: small }), [false]);
    assert.deepEqual(held([atMost(1.3, 'scales')], small, { scales: large }), [false]);
    assert.deepEqual(held([atMost(1.5, 'scales')], large, { scales: small }), [true]);
  });

  it('is not checked without the result that it is compared with', () => {
    const floors = judge([atMost(0.35, 'before'), atMost(2)], measured(1), {});
    assert.deepEqual(
      floors.map((floor) => floor.held),
      [null, true],
    );
    assert.match(floors[0]!.says, /--before FILE/);
    assert.equal(isMissed(floors), false);
  });

  it('is missed by a figure that could not be measured, now or before', () => {
    assert.deepEqual(held([atMost(2)], measured(null), {}), [false]);
    const before = measured(null);
    assert.deepEqual(held([atMost(2, 'before')], measured(1), { before }), [false]);
  });

  it('must be about a figure that the benchmark has', () => {
    const misspelled = { ...atMost(2), figure: 'secnds' };
    assert.throws(() => judge([misspelled], measured(1), {}), /secnds/);
  });
});
