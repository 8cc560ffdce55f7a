import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'csv-stringify/sync';
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { hasTextAfterClosingQuote } from '../../src/connectors/files/closing-quote.js';
import { CsvUnreadable, readCsv, type CsvRecord } from '../../src/connectors/files/csv-reader.js';

/** The records of a text that is fed in pieces of these sizes, the last piece being the rest. */
async function read(
  text: string,
  pieces: readonly number[] = [],
  delimiter = ',',
): Promise<CsvRecord[]> {
  const all: CsvRecord[] = [];
  for await (const records of readCsv(cut(text, pieces), delimiter, 200)) all.push(...records);
  return all;
}

async function* cut(text: string, sizes: readonly number[]): AsyncGenerator<string> {
  const characters = Array.from(text);
  for (const size of sizes) yield characters.splice(0, size).join('');
  yield characters.join('');
}

/** How csv-parse ends on a text if it takes quotes strictly. */
function strictly(text: string): string {
  try {
    const records = parse(text, { record_delimiter: ['\r\n', '\n'], relax_column_count: true });
    return records.length === 1 ? 'one record' : 'others';
  } catch (error) {
    if (error instanceof CsvError) return error.records === 0 ? error.code : 'others';
    throw error;
  }
}

describe('readCsv', () => {
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
    [
      'rows after forgotten quotes, one after the other and at the end',
      '1,"a\r\n\r\n2,"b\r\n3,"c"\r\n4,"d\r\n5,"e"',
      [
        [1, null],
        [3, null],
        [4, ['3', 'c']],
        [5, null],
        [6, ['5', 'e']],
      ],
    ],
    [
      'a field of several lines that begins with a quoted word',
      '"""a""\nb",5" pipe\nd,e\n',
      [
        [1, ['"a"\nb', '5" pipe']],
        [3, ['d', 'e']],
      ],
    ],
    ['an empty last field at the end of the file', '"a",', [[1, ['a', '']]]],
    ['a carriage return after the last quote', '"a","b"\r', [[1, ['a', 'b']]]],
  ];
  for (const [name, text, expected] of cases) {
    it(`reads ${name}`, async () => {
      const inPieces = Array.from(text, () => 1);
      for (const pieces of [[], inPieces]) {
        const records = await read(text, pieces);
        assert.deepEqual(
          records.map(({ line, fields }) => [line, fields]),
          expected,
        );
      }
    });
  }

  it('reads tabs and semicolons', async () => {
    assert.deepEqual((await read('a\t"b\tc"\n', [], '\t'))[0]?.fields, ['a', 'b\tc']);
    assert.deepEqual((await read('a;b,c\n', [], ';'))[0]?.fields, ['a', 'b,c']);
  });

  const neverClosed: [string, string, number][] = [
    ['in a first field', 'a,b\r\n\r\n"c\r\nd,e\r\n', 3],
    ['after an empty field', 'a,b\n,"c\nd,e\n', 2],
    ['after a field of several lines', 'a,b\nc,d\n"e\r\nf","g\nh\n', 4],
    ['after a forgotten one', 'a,"b\nc,"d\n"e\n', 3],
  ];
  for (const [name, text, line] of neverClosed) {
    it(`names the line on which a quote opens that is never closed, ${name}`, async () => {
      for (const pieces of [[], Array.from(text, () => 1)]) {
        await assert.rejects(read(text, pieces), (error) => {
          assert.ok(error instanceof CsvUnreadable);
          assert.deepEqual([error.problem, error.line], ['quote_not_closed', line]);
          return true;
        });
      }
    });
  }

  it('gives the records before the one that it cannot read', async () => {
    const reading = readCsv(cut('a,b\nc,"d\n', []), ',', 200);
    assert.deepEqual((await reading.next()).value, [{ line: 1, fields: ['a', 'b'] }]);
    await assert.rejects(async () => {
      while ((await reading.next()).done !== true);
    }, CsvUnreadable);
  });

  const endless: [string, string, CsvUnreadable['problem']][] = [
    ['a forgotten quote', 'a,"b\n', 'quote_not_closed'],
    ['a first field without an end', 'xxxxx', 'record_too_long'],
    ['delimiters without an end', ',,,,,', 'record_too_long'],
    ['empty fields in quotes without an end', '"","",', 'record_too_long'],
  ];
  for (const [name, start, problem] of endless) {
    it(`gives up on ${name} before it takes the memory of the whole file`, async () => {
      let pieces = 0;
      const more = start.endsWith('\n') ? 'row\n' : start;
      const source = (async function* () {
        yield `a,b\n${start}`;
        for (; pieces < 1_000; pieces++) yield more;
      })();
      await assert.rejects(
        async () => {
          for await (const records of readCsv(source, ',', 200)) assert.ok(records.length < 2);
        },
        (error) => {
          assert.ok(error instanceof CsvUnreadable);
          assert.deepEqual([error.problem, error.line], [problem, 2]);
          return true;
        },
      );
      assert.ok(pieces < 250, `${pieces} pieces were read`);
    });
  }

  it('finds text after a closing quote wherever csv-parse does', () => {
    const record = fc.string({ unit: fc.constantFrom('a', ',', '"', '"', '\n', '\r\n', '\r') });
    const seen = new Set<string>();
    fc.assert(
      fc.property(record, (text) => {
        const found = hasTextAfterClosingQuote(Buffer.from(text), ',');
        const result = strictly(text);
        // A record that ends within the text is not one record; a quote in plain text stops csv-parse.
        if (result === 'one record') assert.equal(found, false);
        if (result === 'CSV_INVALID_CLOSING_QUOTE') assert.equal(found, true);
        seen.add(result);
      }),
      { numRuns: 2_000 },
    );
    assert.ok(seen.has('one record') && seen.has('CSV_INVALID_CLOSING_QUOTE'));
    for (const [text, found] of [
      ['"a"b', true],
      ['"a""b"\n', false],
      ['a,"b" ,c', true],
      ['a,"b\nc""",d\r\n', false],
      ['a,"b"\rc', true],
      ['a "b" c', false],
      ['', false],
      ['"', false],
    ] as const) {
      assert.equal(hasTextAfterClosingQuote(Buffer.from(text), ','), found, text);
    }
  });

  it('reads on after more blank lines than a record may be long', async () => {
    assert.deepEqual(await read(`${'\r\n'.repeat(2_000)}a,b\n`, Array(20).fill(150)), [
      { line: 2_001, fields: ['a', 'b'] },
    ]);
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

  it('reads what csv-stringify writes, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        tables,
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.integer({ min: 0, max: 20 })),
        async (rows, lineEnd, pieces) => {
          const text = stringify(rows, { record_delimiter: lineEnd, quoted_match: /[\r\n]/ });
          let line = 1;
          const expected = rows.map((fields) => {
            const begin = line;
            line += fields.join('').split('\n').length;
            return { line: begin, fields };
          });
          assert.deepEqual(await read(text, pieces), expected);
        },
      ),
    );
  });
});
