import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { CsvReader, CsvUnreadable, type CsvRecord } from '../../src/importers/csv-reader.js';

function read(text: string, pieces: readonly number[] = [], delimiter = ','): CsvRecord[] {
  const reader = new CsvReader(delimiter, 200);
  const records: CsvRecord[] = [];
  const drain = (): void => {
    for (let record = reader.next(); record !== null; record = reader.next()) records.push(record);
  };
  let at = 0;
  for (const size of pieces) {
    reader.push(text.slice(at, at + size));
    at += size;
    drain();
  }
  reader.push(text.slice(at));
  drain();
  reader.end();
  drain();
  return records;
}

describe('CsvReader', () => {
  const cases: [string, string, [number, string[] | null][]][] = [
    [
      'plain lines',
      'a,b\nc,d\n',
      [
        [1, ['a', 'b']],
        [2, ['c', 'd']],
      ],
    ],
    [
      'CRLF and no line end at the end',
      'a,b\r\nc,d',
      [
        [1, ['a', 'b']],
        [2, ['c', 'd']],
      ],
    ],
    [
      'empty fields',
      ',\n"",\n,""\n',
      [
        [1, ['', '']],
        [2, ['', '']],
        [3, ['', '']],
      ],
    ],
    [
      'blank lines, which are counted and left out',
      'a\n\n\r\nb\n',
      [
        [1, ['a']],
        [4, ['b']],
      ],
    ],
    ['delimiters and quotes in quotes', '"a,b","c""d"\n', [[1, ['a,b', 'c"d']]]],
    [
      'a quoted line feed',
      '"a\nb",c\nd,e\n',
      [
        [1, ['a\nb', 'c']],
        [3, ['d', 'e']],
      ],
    ],
    [
      'a quoted CRLF as one line',
      '"a\r\nb\r\nc",d\r\ne,f\r\n',
      [
        [1, ['a\r\nb\r\nc', 'd']],
        [4, ['e', 'f']],
      ],
    ],
    ['a quote inside a plain field as text', '5" pipe,b\n', [[1, ['5" pipe', 'b']]]],
    [
      'text after a closing quote as malformed',
      '"a" b,c\nd,e\n',
      [
        [1, null],
        [2, ['d', 'e']],
      ],
    ],
    [
      'rows after a forgotten quote',
      'x,"a\ny,"b"\nz,c\n',
      [
        [1, null],
        [2, ['y', 'b']],
        [3, ['z', 'c']],
      ],
    ],
    ['an empty last field at the end of the file', '"a",', [[1, ['a', '']]]],
    ['a carriage return after the last quote', '"a","b"\r', [[1, ['a', 'b']]]],
  ];
  for (const [name, text, expected] of cases) {
    it(`reads ${name}`, () => {
      const inPieces = Array.from(text, () => 1);
      for (const pieces of [[], inPieces]) {
        assert.deepEqual(
          read(text, pieces).map(({ line, fields }) => [line, fields]),
          expected,
        );
      }
    });
  }

  it('reads tabs and semicolons', () => {
    assert.deepEqual(read('a\t"b\tc"\n', [], '\t')[0]?.fields, ['a', 'b\tc']);
    assert.deepEqual(read('a;b,c\n', [], ';')[0]?.fields, ['a', 'b,c']);
  });

  it('names the line on which a quote opens that is never closed', () => {
    assert.throws(
      () => read('a,b\nc,d\n"e\nf","g\nh\n'),
      (error) => {
        assert.ok(error instanceof CsvUnreadable);
        assert.deepEqual([error.problem, error.line], ['quote_not_closed', 4]);
        return true;
      },
    );
  });

  it('gives up on a forgotten quote before it takes the memory of the whole file', () => {
    const reader = new CsvReader(',', 200);
    reader.push('a,b\nc,"d\n');
    assert.deepEqual(reader.next()?.line, 1);
    assert.throws(
      () => {
        for (let i = 0; i < 1_000; i++) {
          reader.push(`row ${i}\n`);
          assert.equal(reader.next(), null);
        }
      },
      (error) => error instanceof CsvUnreadable && error.line === 2,
    );
  });

  it('gives up on a line without an end', () => {
    assert.throws(
      () => read('x'.repeat(1_000), [500]),
      (error) => error instanceof CsvUnreadable && error.problem === 'record_too_long',
    );
  });

  const field = fc.string({
    unit: fc.constantFrom('a', 'é', '😀', ' ', ',', ';', '"', '\n', '\r\n', "'"),
    maxLength: 8,
  });
  const tables = fc
    .integer({ min: 2, max: 5 })
    .chain((width) =>
      fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1 }),
    );

  it('reads what csv-stringify writes as csv-parse does, however it is cut', () => {
    fc.assert(
      fc.property(
        tables,
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.integer({ min: 0, max: 20 })),
        (rows, lineEnd, pieces) => {
          const text = stringify(rows, { record_delimiter: lineEnd, quoted_match: /[\r\n]/ });
          const records = read(text, pieces);
          assert.deepEqual(
            records.map(({ fields }) => fields),
            parse(text, { record_delimiter: lineEnd }),
          );
          let line = 1;
          const begins = rows.map((row) => {
            const begin = line;
            line += 1 + row.join('').split('\n').length - 1;
            return begin;
          });
          assert.deepEqual(
            records.map((record) => record.line),
            begins,
          );
        },
      ),
    );
  });
});
