import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { ConsentDates } from '../../../src/importers/values/consent-date.js';
import { compileDateFormat, DateFormatError } from '../../../src/importers/values/date-format.js';
import { NOW } from '../../support/sources.js';

function read(format: string, text: string, zone: string | null = 'UTC'): string {
  const reading = new ConsentDates(zone, NOW, compileDateFormat(format)).read(text);
  return reading.kind === 'valid' ? reading.at : reading.kind;
}

describe('a date format', () => {
  const cases: [string, string, string][] = [
    ['dd.MM.yyyy', '04.03.2021', '2021-03-04T12:00:00Z'],
    ['d.M.yyyy H:mm', '4.3.2021 5:06', '2021-03-04T05:06:00Z'],
    ['MM/dd/yyyy HH:mm:ss', '03/04/2021 05:06:07', '2021-03-04T05:06:07Z'],
    ['M/d/yyyy h:mm a', '3/4/2021 12:06 AM', '2021-03-04T00:06:00Z'],
    ['M/d/yyyy h:mm a', '3/4/2021 12:06 p.m.', '2021-03-04T12:06:00Z'],
    ['M/d/yyyy h:mm a', '3/4/2021 1:06 pm', '2021-03-04T13:06:00Z'],
    ['MMM d, yyyy', 'Mar 4, 2021', '2021-03-04T12:00:00Z'],
    ['d MMMM yyyy', '4 march 2021', '2021-03-04T12:00:00Z'],
    ["dd MMM yyyy 'at' HH:mm", '04 Mar 2021 at 05:06', '2021-03-04T05:06:00Z'],
    ['yyyy-MM-dd HH:mm:ss ZZ', '2021-03-04 05:06:07 +02:00', '2021-03-04T03:06:07Z'],
    ['yyyy-MM-dd HH:mm ZZ', '2021-03-04 05:06 +99:99', 'invalid'],
    ['yyyyMMdd', '20210304', '2021-03-04T12:00:00Z'],
    ['unix', '1614834367', '2021-03-04T05:06:07Z'],
    ['unix_ms', '1614834367890', '2021-03-04T05:06:07Z'],
    ['dd.MM.yyyy', '4.3.2021', 'invalid'],
    ['dd.MM.yyyy', '31.02.2021', 'invalid'],
    ['dd.MM.yyyy', '04.03.21', 'invalid'],
    ['dd.MM.yyyy', '2021-03-04', 'invalid'],
    ['MMM d, yyyy', 'Foo 4, 2021', 'invalid'],
    ['M/d/yyyy h:mm a', '3/4/2021 13:06 pm', 'invalid'],
    ['unix', 'soon', 'invalid'],
    ['dd.MM.yyyy', '04.03.2999', 'future'],
    ['dd.MM.yyyy', ' ', 'missing'],
  ];
  for (const [format, text, expected] of cases) {
    it(`${format} reads "${text}" as ${expected}`, () => {
      assert.equal(read(format, text), expected);
    });
  }

  it('needs a zone like any other date, unless it has one', () => {
    assert.equal(read('dd.MM.yyyy HH:mm', '04.03.2021 05:06', null), 'zone_needed');
    assert.equal(
      read('dd.MM.yyyy HH:mm', '04.03.2021 05:06', 'Europe/Berlin'),
      '2021-03-04T04:06:00Z',
    );
    assert.equal(read('unix', '1614834367', null), '2021-03-04T05:06:07Z');
  });

  const wrong: [string, RegExp][] = [
    ['dd.MM.yy', /"yy".*yyyy, /],
    ['dd.MM', /no year/],
    ['yyyy-MM', /no day/],
    ['dd.MM.yyyy hh:mm', /needs h together with a/],
    ['dd.MM.yyyy HH:mm a', /needs h together with a/],
    ['dd.MM.yyyy dd', /the day twice/],
    ['on dd.MM.yyyy', /"o".*single quotes/],
    ['', /no year/],
  ];
  for (const [format, says] of wrong) {
    it(`"${format}" is refused`, () => {
      assert.throws(
        () => compileDateFormat(format),
        (error) => {
          assert.ok(error instanceof DateFormatError);
          assert.match(error.message, says);
          return true;
        },
      );
    });
  }

  it('reads what luxon writes in it', () => {
    const formats = [
      'dd.MM.yyyy HH:mm:ss',
      'M/d/yyyy h:mm a',
      'd MMMM yyyy H:mm',
      'yyyyMMdd HHmmss ZZ',
      'MMM d, yyyy hh:mm:ss a',
    ];
    const seconds = fc.integer({ min: Date.UTC(1990, 0, 2) / 1_000, max: NOW.getTime() / 1_000 });
    fc.assert(
      fc.property(seconds, fc.constantFrom(...formats), (second, format) => {
        const date = DateTime.fromSeconds(second, { zone: 'utc', locale: 'en-US' });
        const text = date.toFormat(format);
        const expected = DateTime.fromFormat(text, format, { zone: 'utc', locale: 'en-US' });
        assert.equal(read(format, text), `${expected.toUTC().toISO()?.slice(0, 19)}Z`);
      }),
      { numRuns: 500 },
    );
  });
});
