import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  anyOf,
  chunkLookUps,
  encodeQuery,
  joinedSince,
  LOOK_UP_FILTER_LENGTH,
  quoteLiteral,
  utcDatetime,
} from '../../../src/klaviyo/reads/filters.js';

/** Reads `any(<field>,[...])` by the grammar, knowing nothing of how it was written. */
function readAnyOf(filter: string): string[] {
  const body = /^any\((?:email|phone_number),\[(.*)\]\)$/su.exec(filter)?.[1];
  assert.ok(body !== undefined, `not an any(...) filter: ${filter}`);
  const values: string[] = [];
  let at = 0;
  while (at < body.length) {
    assert.equal(body[at], '"');
    let value = '';
    for (at++; body[at] !== '"'; at++) {
      assert.ok(at < body.length, 'literal is not closed');
      if (body[at] === '\\') at++;
      value += body[at];
    }
    values.push(value);
    at++;
    if (at < body.length) assert.equal(body[at++], ',');
  }
  return values;
}

const printable = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 80 })
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text));
const tricky = fc
  .array(
    fc.constantFrom('"', '\\', "'", ',', ')', ']', '(', '[', '%', '+', '&', '=', '#', ' ', 'a'),
  )
  .map((characters) => `x${characters.join('')}`);

describe('filters', () => {
  it('quotes strings so that every value is read back as it was, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(printable, tricky), { maxLength: 20 }), (values) => {
        assert.deepEqual(readAnyOf(anyOf('email', values)), values);
      }),
    );
  });

  it('survives percent-encoding and decoding by a server', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(printable, tricky), { maxLength: 20 }), (values) => {
        const query = encodeQuery({ filter: anyOf('email', values), 'page[size]': '100' });
        assert.match(query, /^[\x21-\x7e]*$/);
        const decoded = new URLSearchParams(query);
        assert.deepEqual(readAnyOf(decoded.get('filter') ?? ''), values);
        assert.equal(decoded.get('page[size]'), '100');
      }),
    );
  });

  it('escapes a quote and a backslash by one backslash', () => {
    assert.equal(quoteLiteral('a"b\\c@example.com'), '"a\\"b\\\\c@example.com"');
    assert.equal(quoteLiteral("o'neill@example.com"), '"o\'neill@example.com"');
  });

  for (const [name, value] of [
    ['line breaks', 'a\nb'],
    ['NUL', 'a\0b'],
    ['half a surrogate pair', 'a\ud800b'],
  ] as const) {
    it(`refuses ${name}, without repeating the value`, () => {
      assert.throws(
        () => quoteLiteral(value),
        (error: Error) => error instanceof RangeError && !error.message.includes(value),
      );
    });
  }

  const datetimes: readonly [string, string][] = [
    ['2026-07-01T00:00:00Z', '2026-07-01T00:00:00Z'],
    ['2023-07-28T13:26:48.852051+00:00', '2023-07-28T13:26:48.852051Z'],
    ['2023-07-28T23:30:00.000009-04:00', '2023-07-29T03:30:00.000009Z'],
    ['2024-02-29T00:30:00+05:30', '2024-02-28T19:00:00Z'],
  ];
  for (const [given, expected] of datetimes) {
    it(`writes ${given} as ${expected}`, () => assert.equal(utcDatetime(given), expected));
  }

  for (const given of [
    '2026-07-01T00:00:00',
    '2026-07-01',
    '2026-13-01T00:00:00Z',
    'yesterday',
    '',
  ]) {
    it(`refuses "${given}" as a datetime`, () => {
      assert.throws(() => utcDatetime(given), RangeError);
    });
  }

  it('does not quote datetimes', () => {
    assert.equal(
      joinedSince('2026-07-01T00:00:00.000001+00:00'),
      'greater-or-equal(joined_group_at,2026-07-01T00:00:00.000001Z)',
    );
  });
});

describe('chunks of look-ups', () => {
  it('keeps every value in order, under 100 a chunk and under the length of a URL', () => {
    const address = fc
      .tuple(fc.oneof(printable, tricky), fc.integer({ min: 0, max: 230 }))
      .map(([start, length]) => `${start}${'é'.repeat(length)}@example.com`);
    fc.assert(
      fc.property(fc.array(address, { maxLength: 300 }), (values) => {
        const chunks = chunkLookUps('email', values);
        assert.deepEqual(chunks.flat(), values);
        for (const chunk of chunks) {
          assert.ok(chunk.length >= 1 && chunk.length <= 100);
          const length = encodeURIComponent(anyOf('email', chunk)).length;
          assert.ok(length <= LOOK_UP_FILTER_LENGTH || chunk.length === 1, `length ${length}`);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('puts 100 phone numbers or usual addresses into one call', () => {
    const phones = Array.from(
      { length: 100 },
      (_, i) => `+1201555${String(i + 100).padStart(4, '0')}`,
    );
    assert.deepEqual(
      chunkLookUps('phone_number', phones).map((chunk) => chunk.length),
      [100],
    );
    const emails = Array.from({ length: 250 }, (_, i) => `customer.number.${i}@shop.example.com`);
    assert.deepEqual(
      chunkLookUps('email', emails).map((chunk) => chunk.length),
      [100, 100, 50],
    );
  });

  it('makes fewer of long addresses', () => {
    const emails = Array.from({ length: 100 }, (_, i) => `${'x'.repeat(200)}${i}@example.com`);
    const sizes = chunkLookUps('email', emails).map((chunk) => chunk.length);
    assert.ok(sizes.length > 1 && Math.max(...sizes) >= 30, `sizes ${sizes.join(',')}`);
  });

  it('has no call for no values', () => assert.deepEqual(chunkLookUps('email', []), []));
});
