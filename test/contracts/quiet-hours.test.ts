import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { quietForMs, type QuietHours } from '../../src/contracts/quiet-hours.js';

const NIGHT: QuietHours = { from: '21:00', to: '08:00', timeZone: 'Europe/Berlin' };
const NOON: QuietHours = { from: '12:00', to: '13:30', timeZone: 'America/New_York' };

describe('quiet hours', () => {
  for (const [what, hours, at, minutes] of [
    ['begin with their first minute', NIGHT, '2026-01-10T20:00:00Z', 660],
    ['have not begun a moment before', NIGHT, '2026-01-10T19:59:59.999Z', 0],
    ['last after midnight', NIGHT, '2026-01-11T00:30:00Z', 390],
    ['are over with their last minute', NIGHT, '2026-01-11T07:00:00Z', 0],
    ['last to the second', NIGHT, '2026-01-11T06:59:30Z', 0.5],
    ['may be of one day', NOON, '2026-07-01T16:15:00Z', 75],
    ['are not the rest of that day', NOON, '2026-07-01T20:00:00Z', 0],
    // The clocks go from 2:00 to 3:00 in that night, and from 3:00 to 2:00 in the other.
    ['are an hour shorter when summer time begins', NIGHT, '2026-03-28T20:00:00Z', 600],
    ['are an hour longer when it ends', NIGHT, '2026-10-24T19:00:00Z', 720],
  ] as const) {
    it(what, () => assert.equal(quietForMs(hours, new Date(at)), minutes * 60_000));
  }
});
