import fc from 'fast-check';
import { parseMapping } from '../../src/importers/mapping/mapping-file.js';
import type { Mapping } from '../../src/importers/mapping/schema.js';
import { openSource } from '../../src/importers/open-source.js';
import { SourceError } from '../../src/connectors/source-error.js';
import { OPTIONS, withFile } from '../support/sources.js';
import { held, share, type Kind } from './kinds.js';

const LINES = [
  'email: Mail',
  'phone: Phone',
  'timezone: Europe/Berlin',
  'channels:',
  '  email:',
  '    consent:',
  '      column: News',
  '      subscribed: [ja, 1]',
  '      unsubscribed: [nein]',
  '    date: { column: Since, format: dd.MM.yyyy }',
  'suppressed: { column: Off, values: [x] }',
];

const DEBRIS = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '&a ',
      '*a',
      '<<: *a',
      '!!js/function ',
      '!!binary ',
      '? ',
      ': ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '#',
      '|',
      '\n',
      '\t',
      '\0',
      '---\n',
      '...\n',
      '%YAML 9.9\n',
      '__proto__: ',
      'constant: subscribed',
      'attested: form',
      'null',
      '.nan',
      '1e999',
      '['.repeat(500),
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
);

export const mappings = fc
  .record({
    lines: fc.shuffledSubarray(LINES, { minLength: 5 }).chain((some) =>
      // In their order as a rule, or hardly any of them would be one.
      fc.constantFrom(
        LINES,
        LINES.filter((line) => some.includes(line)),
        some,
      ),
    ),
    mutations: fc.array(
      fc.record({
        at: share,
        without: fc.constantFrom(0, 0, 1, 8),
        debris: DEBRIS,
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ lines, mutations }) => {
    let text = lines.join('\n');
    for (const { at, without, debris } of mutations) {
      const place = Math.floor(at * text.length);
      text = text.slice(0, place) + debris + text.slice(place + without);
    }
    return text;
  });

const WORDS = ['ja', '1', 'nein', 'x', '', 'subscribed', 'null', 'true'];
const SOURCE = [
  'Mail,Phone,News,Since,Off',
  ...WORDS.flatMap((word, n) =>
    ['', 'x'].map((off) => `p${n}${off}@example.com,+12015550123,${word},01.02.2021,${off}`),
  ),
].join('\n');

/**
 * Reads a mapping, and a source with it. Either it is refused with words that help, or nobody is to be
 * subscribed whose word the mapping does not name for that.
 *
 * @throws Error where that is not so
 */
export async function readAnyMapping(text: string): Promise<Kind> {
  let mapping: Mapping;
  try {
    mapping = parseMapping(text, 'mapping.yaml');
  } catch (error) {
    return refusal(error);
  }
  return withFile(SOURCE, async (file) => {
    try {
      const opened = await openSource(file, { ...OPTIONS, mapping });
      try {
        for await (const batch of opened.intents) {
          for (const { line, parts } of batch) {
            const sent = parts.some(
              ({ operation, rejected }) => operation === 'subscribe' && rejected === null,
            );
            if (sent) held(saysYes(mapping, line));
          }
        }
      } finally {
        await opened.close();
      }
      return 'read';
    } catch (error) {
      return refusal(error);
    }
  });
}

function refusal(error: unknown): Kind {
  if (!(error instanceof SourceError)) throw error;
  held(error.message.length < 5_000 && error.remedy !== '');
  return `refused: ${error.code}`;
}

/** By the line of `SOURCE`: the word of consent means it, and that of suppression does not forbid it. */
function saysYes({ channels: { email }, suppressed }: Mapping, line: number): boolean {
  if (email === undefined) return false;
  if (suppressed !== undefined && suppressed.values.includes(cell(suppressed.column, line))) {
    return false;
  }
  if (email.consent === undefined) return false;
  const { constant, column, subscribed = [] } = email.consent;
  if (constant !== undefined) return constant === 'subscribed';
  return subscribed.includes(cell(column ?? '', line));
}

function cell(column: string, line: number): string {
  const rows = SOURCE.split('\n').map((row) => row.split(','));
  const place = rows[0]?.findIndex((name) => name.toLowerCase() === column.toLowerCase()) ?? -1;
  return (rows[line - 1]?.[place] ?? '').toLowerCase();
}
