import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { ConsentDates } from '../../../src/importers/values/consent-date.js';
import { NOW } from '../../support/sources.js';

describe('ConsentDates', () => {
  const NEW_YORK = 'America/New_York';
  const valid: [string, string | null, string][] = [
    ['2021-03-04 05:06:07', 'UTC', '2021-03-04T05:06:07Z'],
    ['2021-03-04 05:06:07', NEW_YORK, '2021-03-04T10:06:07Z'],
    ['2021-07-04 05:06:07', NEW_YORK, '2021-07-04T09:06:07Z'],
    ['2021-03-04T05:06:07Z', null, '2021-03-04T05:06:07Z'],
    ['2021-03-04T05:06:07.891Z', null, '2021-03-04T05:06:07Z'],
    ['2021-03-04t05:06z', null, '2021-03-04T05:06:00Z'],
    ['2021-03-04T05:06:07+02:00', null, '2021-03-04T03:06:07Z'],
    ['2021-03-04T05:06:07-0530', NEW_YORK, '2021-03-04T10:36:07Z'],
    ['2021-03-04 05:06:07 UTC', NEW_YORK, '2021-03-04T05:06:07Z'],
    ['2021-03-04 05:06:07+02', null, '2021-03-04T03:06:07Z'],
    ['2021-03-04 05:06:07+14:00', null, '2021-03-03T15:06:07Z'],
    ['2021-03-04 05:06:07-12:00', null, '2021-03-04T17:06:07Z'],
    ['2021-03-04', 'UTC', '2021-03-04T12:00:00Z'],
    ['2021-03-04', NEW_YORK, '2021-03-04T17:00:00Z'],
    ['2024-02-29', 'UTC', '2024-02-29T12:00:00Z'],
    // The clocks went from 02:00 to 03:00.
    ['2021-03-14 02:30:00', NEW_YORK, '2021-03-14T07:30:00Z'],
    ['2025-12-31 23:59:59', 'UTC', '2025-12-31T23:59:59Z'],
    // Today, before noon: the day has begun, its noon is still to come.
    ['2026-01-01', 'UTC', '2026-01-01T00:00:00Z'],
    ['2026-01-01', 'Asia/Tokyo', '2025-12-31T15:00:00Z'],
  ];
  for (const [raw, zone, at] of valid) {
    it(`reads ${raw} in ${String(zone)}`, () => {
      assert.deepEqual(new ConsentDates(zone, NOW).read(raw), {
        kind: 'valid',
        at,
        clamped: false,
      });
    });
  }

  const others: [string, string | null, string][] = [
    ['', 'UTC', 'missing'],
    ['  ', null, 'missing'],
    ['2021-03-04 05:06:07', null, 'zone_needed'],
    ['2021-03-04', null, 'zone_needed'],
    ['2021-02-29', 'UTC', 'invalid'],
    ['2021-13-01', 'UTC', 'invalid'],
    ['2021-00-10', 'UTC', 'invalid'],
    ['0000-00-00 00:00:00', 'UTC', 'invalid'],
    ['2021-03-04 24:00:00', 'UTC', 'invalid'],
    ['2021-03-04 05:60', 'UTC', 'invalid'],
    ['2021-03-04T05:06:07+99:99', null, 'invalid'],
    ['2021-03-04T05:06:07+14:01', null, 'invalid'],
    ['2021-03-04T05:06:07-12:30', null, 'invalid'],
    ['2021-03-04T05:06:07+02:75', null, 'invalid'],
    ['03/04/2021', 'UTC', 'invalid'],
    ['2021', 'UTC', 'invalid'],
    ['2021-W05', 'UTC', 'invalid'],
    ['yesterday', null, 'invalid'],
    ['2026-01-01 00:00:01', 'UTC', 'future'],
    ['2025-12-31 23:00:00', NEW_YORK, 'future'],
    ['2026-01-01', NEW_YORK, 'future'],
    ['2026-01-02', 'UTC', 'future'],
    ['9999-12-31', NEW_YORK, 'future'],
  ];
  for (const [raw, zone, kind] of others) {
    it(`finds "${raw}" in ${String(zone)} ${kind}`, () => {
      assert.deepEqual(new ConsentDates(zone, NOW).read(raw), { kind });
    });
  }

  it('moves what is older than 1990 to 1990', () => {
    for (const raw of ['1989-12-31 23:59:59', '1970-01-01', '1066-10-14 09:00:00']) {
      assert.deepEqual(new ConsentDates('UTC', NOW).read(raw), {
        kind: 'valid',
        at: '1990-01-01T00:00:00Z',
        clamped: true,
      });
    }
    assert.deepEqual(new ConsentDates(NEW_YORK, NOW).read('1989-12-31 20:00:00'), {
      kind: 'valid',
      at: '1990-01-01T01:00:00Z',
      clamped: false,
    });
  });

  it('agrees with luxon in every zone, also around clock changes', () => {
    const zones = [
      NEW_YORK,
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'America/Sao_Paulo',
      'Pacific/Apia',
    ];
    const readers = new Map(zones.map((zone) => [zone, new ConsentDates(zone, NOW)]));
    const minutes = fc.integer({ min: 0, max: 35 * 366 * 24 * 60 });
    fc.assert(
      fc.property(minutes, fc.constantFrom(...zones), (minute, zone) => {
        const wall = new Date(Date.UTC(1990, 0, 3) + minute * 60_000).toISOString().slice(0, 16);
        const expected = DateTime.fromISO(wall, { zone }).toUTC();
        const reading = readers.get(zone)?.read(wall);
        assert.equal(
          reading?.kind === 'valid' ? reading.at : reading?.kind,
          expected > DateTime.fromJSDate(NOW) ? 'future' : `${expected.toISO()?.slice(0, 19)}Z`,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees with luxon for each half hour of days on which clocks change', () => {
    const days: [string, string][] = [
      [NEW_YORK, '2021-03-13'],
      [NEW_YORK, '2021-11-06'],
      ['America/Sao_Paulo', '2018-11-03'],
      ['Pacific/Apia', '2011-12-28'],
    ];
    for (const [zone, first] of days) {
      const dates = new ConsentDates(zone, NOW);
      for (let half = 0; half < 4 * 48; half++) {
        const wall = new Date(Date.parse(`${first}T00:00:00Z`) + half * 1_800_000)
          .toISOString()
          .slice(0, 19);
        const expected = DateTime.fromISO(wall, { zone }).toUTC().toISO()?.slice(0, 19);
        assert.deepEqual(dates.read(wall), { kind: 'valid', at: `${expected}Z`, clamped: false });
      }
    }
  });
});
