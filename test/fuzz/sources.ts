import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { openSource } from '../../src/importers/open-source.js';
import { suggestMapping } from '../../src/importers/mapping/suggest.js';
import { readSample } from '../../src/importers/sample.js';
import { SourceError } from '../../src/connectors/source-error.js';
import { GENERIC_COLUMNS, OPTIONS, withFile } from '../support/sources.js';
import { zipOf } from '../support/zip.js';
import { held, share, type Kind } from './kinds.js';

/** What cells hold in life and at its edges. */
const CELL = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'ada@example.com',
      'KATE@example.com',
      '\u212Aate@example.com',
      '\u0131ris@example.com',
      ' bob@example.com\u200B',
      '+12015550123',
      '(201) 555-0123',
      'tel:+12015550123',
      'p:+12015550123',
      '＋１２０１５５５０１２３',
      'mailto:ada@example.com',
      'Ada <ada@example.com>',
      'bob@example.com <ada@example.com>',
      'yes',
      'YES',
      'unsubscribed',
      'no',
      'perhaps',
      '2021-03-04',
      '2021-03-04T05:06:07+99:99',
      '0000-00-00',
      '2999-01-01',
      '1e999',
      'null',
      '',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
);

/** What breaks formats, put anywhere. */
const DEBRIS = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '"',
      '""',
      "'",
      ',',
      ';',
      '\t',
      '\n',
      '\r',
      '\r\n',
      '\0',
      '\uFEFF',
      '\u200B',
      '\u2028',
      '\\',
      '{',
      '}',
      '[',
      ':',
      '"email_consent":"yes",',
      '"email":{"email":"x"},',
      '"a":{',
      '[{"email_consent":',
      'unsubscribed',
      ' '.repeat(2_000),
      '"\n'.repeat(300),
      ','.repeat(3_000),
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  // What has to be read in time that grows with its length: a megabyte of it held the reader up.
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.array(
          fc.constantFrom(
            ' ',
            ',',
            '"',
            '""',
            '\n',
            '\r',
            '\t',
            'a',
            '7',
            '.',
            '@',
            '\u200B',
            'e+',
          ),
          { minLength: 1, maxLength: 6 },
        ),
        fc.constantFrom(100, 500, 2_000),
      )
      .map(([pieces, times]) => pieces.join('').repeat(times)),
  },
);

interface Mutation {
  /** From 0 to 1: where in the text. */
  readonly at: number;
  /** Characters that are taken out there. */
  readonly without: number;
  readonly debris: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: share,
  without: fc.constantFrom(0, 0, 1, 5),
  debris: DEBRIS,
});

export const sources = fc.record({
  json: fc.boolean(),
  packed: fc.constantFrom('no', 'no', 'no', 'gzip', 'zip'),
  /** Where a bit of the file is turned, if it is packed. */
  turned: fc.option(share),
  /** Of what is Latin-1 alone, `latin1` is Windows-1252. */
  encoding: fc.constantFrom('utf8', 'utf8', 'utf8', 'utf16le', 'latin1'),
  named: fc.constantFrom(false, false, false, true),
  rows: fc.array(fc.tuple(CELL, CELL, CELL, CELL, CELL, fc.constantFrom('', '', 'yes', 'x')), {
    minLength: 1,
    maxLength: 6,
  }),
  mutations: fc.array(mutation, { maxLength: 4 }),
  /** Bytes that are cut off its end. */
  cut: fc.constantFrom(0, 0, 0, 0, 1, 30),
});
type Source = typeof sources extends fc.Arbitrary<infer T> ? T : never;

function textOf({ json, named, rows, mutations }: Source): string {
  const lines = json
    ? rows.map((cells) =>
        JSON.stringify(Object.fromEntries(GENERIC_COLUMNS.map((c, n) => [c, cells[n]]))),
      )
    : [
        ...(named ? ['sep=,'] : []),
        GENERIC_COLUMNS.join(),
        ...rows.map((cells) => cells.map(quoted).join()),
      ];
  let text = `${lines.join('\n')}\n`;
  for (const { at, without, debris } of mutations) {
    const place = Math.floor(at * text.length);
    text = text.slice(0, place) + debris + text.slice(place + without);
  }
  return text;
}

const quoted = (cell: string): string =>
  /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;

/** What else than `yes` may say yes, as a word of its own. */
const OTHER_YES = /(^|[^a-z0-9])(1|y|true|subscribed?|opt(ed)?_in)([^a-z0-9]|$)/i;

/**
 * Reads a source. Whatever is in it: either it is refused as a whole with words that help, or each
 * person who is to be subscribed stands in it letter by letter. Where every yes in it is an opt-out
 * instead, or is said in JSON beside an opt-out of the same key, nobody is subscribed.
 *
 * @throws Error where that is not so
 */
export async function readAnySource(source: Source): Promise<Kind> {
  const text = textOf(source);
  const leaving = text.replace(/yes/gi, 'unsubscribed');
  const { subscribed } = await read(leaving, source);
  held(subscribed.length === 0 || OTHER_YES.test(leaving));
  if (source.json && source.mutations.length === 0) {
    const both = text.replace(/"(email_consent|sms_consent)":/g, '"$1":"unsubscribed",$&');
    held((await read(both, source)).subscribed.length === 0);
  }
  const { kind, subscribed: people } = await read(text, source);
  // In Latin-1 some characters become others.
  const written = Buffer.from(text, source.encoding).toString(source.encoding);
  held(people.every((email) => standsIn(written, email)));
  return kind;
}

async function bytesOf(text: string, { packed, turned, encoding }: Source): Promise<Buffer> {
  const plain = Buffer.from(text, encoding);
  if (packed === 'no') return plain;
  const bytes = packed === 'gzip' ? gzipSync(plain) : await zipOf({ 'export.csv': plain });
  const place = Math.floor((turned ?? 0) * bytes.length);
  if (turned !== null) bytes[place] = (bytes[place] ?? 0) ^ 4;
  return bytes;
}

interface Reading {
  readonly kind: Kind;
  /** Addresses, and numbers of those who have none; null for nobody. */
  readonly subscribed: readonly (string | null)[];
}

async function read(text: string, source: Source): Promise<Reading> {
  const { cut } = source;
  const bytes = await bytesOf(text, source);
  return withFile(bytes.subarray(0, bytes.length - cut), async (file) => {
    try {
      const opened = await openSource(file, { ...OPTIONS, channels: ['email', 'sms'] });
      try {
        await opened.sha256();
        const { columns, rows } = await readSample(file);
        suggestMapping(columns, rows, ['email', 'sms']);
        const subscribed: (string | null)[] = [];
        for await (const batch of opened.intents) {
          for (const { email, phoneNumber, parts } of batch) {
            for (const { operation, channel, rejected, consentedAt } of parts) {
              if (rejected !== null || operation !== 'subscribe') continue;
              held(consentedAt === null || Date.parse(consentedAt) <= OPTIONS.now.getTime());
              held(channel !== 'sms' || phoneNumber !== null);
              if (channel === 'email') subscribed.push(email);
              else subscribed.push(phoneNumber?.slice(-4) ?? null);
            }
          }
        }
        return { kind: 'read', subscribed };
      } finally {
        await opened.close();
      }
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      held(error.message.length < 10_000 && error.remedy !== '');
      return { kind: `refused: ${error.code}`, subscribed: [] };
    }
  });
}

/** A to Z in either case, and nothing that only looks like it. JSON may write letters as escapes. */
function standsIn(text: string, person: string | null): boolean {
  if (person === null) return false;
  const unescaped = text.replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  const folded = unescaped
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0));
  return folded.includes(person) || folded.replace(/[\\"]/g, '').includes(person);
}
