import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { instantOf, isoDate, spokenDate } from '../../src/time/dates.js';

it('writes dates like Klaviyo, with six fractional digits or none', () => {
  assert.equal(isoDate(Date.UTC(2023, 6, 28, 13, 26, 48, 852)), '2023-07-28T13:26:48.852000+00:00');
  assert.equal(isoDate(Date.UTC(2024, 1, 29, 0, 0, 9)), '2024-02-29T00:00:09+00:00');
  assert.equal(isoDate(Date.UTC(1969, 11, 31, 23, 59, 59, 7)), '1969-12-31T23:59:59.007000+00:00');
  assert.equal(spokenDate(Date.UTC(2025, 6, 22, 18, 22, 22)), '2025-07-22 18:22:22+00:00');
});

it('writes any moment so that it parses to the same moment', () => {
  const year = (of: number) => Date.UTC(of, 0, 1);
  fc.assert(
    fc.property(fc.integer({ min: year(1900), max: year(2200) }), (ms) => {
      assert.equal(instantOf(isoDate(ms)), ms);
      assert.equal(isoDate(ms).slice(0, 19), new Date(ms).toISOString().slice(0, 19));
    }),
  );
});
