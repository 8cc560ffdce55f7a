import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { describeMapping } from '../../../src/importers/mapping/describe.js';
import {
  parseMapping,
  readMapping,
  writeMapping,
} from '../../../src/importers/mapping/mapping-file.js';
import type { ImportOptions } from '../../../src/importers/options.js';
import { SourceError } from '../../../src/connectors/source-error.js';
import { inShort, intentOf, intentsOf } from '../../support/sources.js';

const FULL = `
version: 1
email: E-Mail
phone: Mobil
country: { constant: DE }
timezone: Europe/Berlin
date_of_birth: { column: Geburtstag, format: dd.MM.yyyy }
push: { token: Token, platform: System }
channels:
  email:
    consent:
      column: Newsletter
      subscribed: [ja, 1, yes, true]
      unsubscribed: [abgemeldet]
      list_only: [liste]
      never: [nein]
    date: { column: Seit, format: dd.MM.yyyy HH:mm }
  sms:
    consent: { column: SMS, subscribed: [ja] }
    date: { column: SMS seit, timezone: UTC }
  whatsapp:
    consent: { constant: subscribed, attested: 'signed form, May 2024' }
    date: { constant: 2024-05-01 }
  push:
    consent: { column: Push, subscribed: [an] }
suppressed: { column: Gesperrt, values: [x] }
`;
const COLUMNS = [
  'E-Mail',
  'Mobil',
  'Geburtstag',
  'Token',
  'System',
  'Newsletter',
  'Seit',
  'SMS',
  'SMS seit',
  'Push',
  'Gesperrt',
];

type Row = Readonly<Record<string, string>>;
type Options = Partial<ImportOptions>;

function source(row: Row, columns: readonly string[] = COLUMNS): string {
  return `${columns.join(';')}\n${columns.map((column) => row[column] ?? '').join(';')}\n`;
}

describe('a mapping', () => {
  const mapping = parseMapping(FULL, 'mapping.yaml');
  const ada: Row = { 'E-Mail': 'ADA@example.com', Mobil: '0151 23456789' };
  const email: Options = { mapping, timezone: null };
  const cases: [string, Row, Options, string[]][] = [
    [
      'reads words, dates in their format, and the zone',
      { ...ada, Newsletter: ' JA ', Seit: '04.03.2021 05:06' },
      email,
      ['email subscribe 2021-03-04T04:06:00Z'],
    ],
    [
      'reads words that YAML takes for other things',
      { ...ada, Newsletter: 'TRUE', Seit: '04.03.2021 05:06' },
      email,
      ['email subscribe 2021-03-04T04:06:00Z'],
    ],
    ['reads opt-outs', { ...ada, Newsletter: 'abgemeldet' }, email, ['email unsubscribe']],
    ['reads memberships', { ...ada, Newsletter: 'liste' }, email, ['list add_to_list']],
    ['takes a blank for never', ada, email, ['email nothing_asked']],
    [
      'refuses words that it does not name',
      { ...ada, Newsletter: 'no' },
      email,
      ['email consent_value_unknown'],
    ],
    [
      'refuses dates in another format',
      { ...ada, Newsletter: 'ja', Seit: '2021-03-04' },
      email,
      ['email consent_date_invalid'],
    ],
    [
      'refuses undated rows like any layout',
      { ...ada, Newsletter: 'ja' },
      email,
      ['email consent_date_missing'],
    ],
    [
      'suppresses before anything else',
      { ...ada, Newsletter: 'ja', Seit: '04.03.2021 05:06', Gesperrt: 'X' },
      email,
      ['suppression suppress'],
    ],
    [
      'reads each channel by its own columns',
      {
        ...ada,
        SMS: 'ja',
        'SMS seit': '2021-03-04 05:06',
        Push: 'an',
        Token: 't',
        System: 'android',
        Geburtstag: '29.02.1980',
      },
      { ...email, channels: ['sms', 'push'], undated: 'subscribe' },
      ['sms subscribe 2021-03-04T05:06:00Z', 'push subscribe'],
    ],
    [
      'subscribes every row with a number where that is attested, and says so',
      ada,
      { ...email, channels: ['whatsapp'] },
      ['whatsapp subscribe 2024-05-01T10:00:00Z consent_attested'],
    ],
    [
      'asks nothing of rows without one',
      { ...ada, Mobil: '' },
      { ...email, channels: ['whatsapp'] },
      ['whatsapp nothing_asked'],
    ],
    [
      'puts people on the list where consent is implicit',
      { ...ada, Newsletter: 'ja' },
      { ...email, consent: 'implicit' },
      ['list add_to_list implicit_consent'],
    ],
  ];
  for (const [name, row, options, expected] of cases) {
    it(name, async () => {
      assert.deepEqual(inShort(await intentOf(source(row), options)), expected);
    });
  }

  it('reads identifiers, country, day of birth and device', async () => {
    const row = {
      ...ada,
      SMS: 'ja',
      'SMS seit': '2021-03-04',
      Push: 'an',
      Token: 't',
      System: 'android',
      Geburtstag: '29.02.1980',
    };
    const intent = await intentOf(source(row), {
      mapping,
      channels: ['sms', 'push'],
      undated: 'subscribe',
    });
    assert.deepEqual(
      [intent.email, intent.phoneNumber, intent.country, intent.dateOfBirth, intent.push],
      [
        'ada@example.com',
        '+4915123456789',
        'DE',
        '1980-02-29',
        { token: 't', platform: 'android' },
      ],
    );
  });

  it('asks for a zone where neither it nor the run has one', async () => {
    const { timezone, ...zoneless } = mapping;
    assert.equal(timezone, 'Europe/Berlin');
    const row = { ...ada, Newsletter: 'ja', Seit: '04.03.2021 05:06' };
    await assert.rejects(intentOf(source(row), { mapping: zoneless, timezone: null }), {
      code: 'timezone_needed',
      column: 'Seit',
    });
  });

  const refused: [string, readonly string[], Options, string, string?][] = [
    ['a column that the source does not have', COLUMNS.slice(1), {}, 'column_missing', 'E-Mail'],
    [
      'a channel that it does not describe',
      COLUMNS,
      { channels: ['sms_transactional'] },
      'channel_not_in_source',
    ],
    ['a preset beside it', COLUMNS, { preset: 'generic' }, 'options_conflict'],
  ];
  for (const [name, columns, options, code, column] of refused) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(intentsOf(source(ada, columns), { mapping, ...options }), (error) => {
        assert.ok(error instanceof SourceError);
        assert.deepEqual([error.code, error.column], [code, column]);
        return true;
      });
    });
  }

  it('is described sentence by sentence', () => {
    const text = describeMapping(mapping);
    for (const sentence of [
      'E-mail address: column "E-Mail".',
      'Country of every row: DE.',
      'email: column "Newsletter": "ja" or "1" or "yes" or "true" subscribes, "abgemeldet" unsubscribes, "liste" is added to the list only, "nein" or a blank asks nothing, any other word is refused.',
      'email date: column "Seit", written dd.MM.yyyy HH:mm.',
      'sms date: column "SMS seit", in UTC.',
      'whatsapp: every row is subscribed, attested: signed form, May 2024.',
      'whatsapp date of every row: 2024-05-01.',
      'Suppressed: column "Gesperrt" is "x".',
    ]) {
      assert.ok(text.split('\n').includes(sentence), `${sentence}\nis not in\n${text}`);
    }
  });
});

describe('a mapping file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'consentry-mapping-'));
  after(() => rmSync(folder, { recursive: true }));
  const mapping = parseMapping(FULL, 'mapping.yaml');

  for (const name of ['mapping.yaml', 'mapping.json']) {
    it(`is read as it was written: ${name}`, async () => {
      const path = join(folder, name);
      await writeMapping(path, mapping);
      assert.deepEqual(await readMapping(path), mapping);
      if (name.endsWith('json')) JSON.parse(readFileSync(path, 'utf8'));
      await assert.rejects(writeMapping(path, mapping), { code: 'mapping_exists', file: path });
      await writeMapping(path, mapping, { overwrite: true });
    });
  }

  it('leaves nothing behind where it cannot be written', async () => {
    const path = join(folder, 'nowhere', 'mapping.yaml');
    await assert.rejects(writeMapping(path, mapping), { code: 'mapping_unreadable', file: path });
    assert.ok(!existsSync(join(folder, 'nowhere')));
  });

  it('that is not there is named', async () => {
    const path = join(folder, 'missing.yaml');
    await assert.rejects(readMapping(path), {
      code: 'mapping_unreadable',
      file: path,
      message: /no such mapping/,
    });
  });

  it('that is no YAML is named with its line', async () => {
    const path = join(folder, 'broken.yaml');
    writeFileSync(path, 'version: 1\nemail: "E-Mail\n');
    await assert.rejects(readMapping(path), { code: 'mapping_unreadable', line: 3 });
    writeFileSync(path, '{"email": "a",\n"phone" "b"}');
    await assert.rejects(readMapping(path), (error) => {
      assert.ok(error instanceof SourceError);
      assert.deepEqual([error.code, error.line], ['mapping_unreadable', 2]);
      return true;
    });
  });

  const channel = (text: string): string => `email: E\nphone: P\nchannels: { ${text} }`;
  const wrong: [string, string, RegExp][] = [
    ['nothing', '', /the whole file: /],
    [
      'a list without people',
      'channels: {}\nlist: { column: L, add: [yes] }',
      /email: name a column that identifies the people of the list/,
    ],
    [
      'a word of a list with two meanings',
      'email: E\nlist: { column: L, add: [yes], remove: [yes] }',
      /"yes" has two meanings/,
    ],
    [
      'a word of suppressions with two meanings',
      'email: E\nsuppressed: { column: S, values: [x], lifted: [x] }',
      /"x" has two meanings/,
    ],
    [
      'an unknown key',
      `emial: E\n${channel('email: { consent: { column: C, subscribed: [ja] } }')}`,
      /"emial" is not known here/,
    ],
    ['an unknown channel', channel('fax: {}'), /channels: "fax" is not known here/],
    ['a channel without consent', channel('email: {}'), /channels\.email\.consent: /],
    [
      'an empty column',
      'email: ""\nchannels: { email: { consent: { column: C, subscribed: [ja] } } }',
      /email: give the name of a column/,
    ],
    [
      'a column that is a number',
      'email: 5\nchannels: { email: { consent: { column: C, subscribed: [ja] } } }',
      /email: give the name of a column/,
    ],
    [
      'no column of e-mail addresses',
      'channels: { email: { consent: { column: C, subscribed: [ja] } } }',
      /email: name the column with the e-mail/,
    ],
    [
      'no column of numbers',
      'email: E\nchannels: { sms: { consent: { column: C, subscribed: [ja] } } }',
      /phone: name the column with the phone number, which sms needs/,
    ],
    [
      'column and constant',
      channel(
        'email: { consent: { column: C, subscribed: [ja], constant: subscribed, attested: me } }',
      ),
      /channels\.email\.consent: give column or constant, not both/,
    ],
    [
      'neither',
      channel('email: { consent: { subscribed: [ja] } }'),
      /channels\.email\.consent: give column, /,
    ],
    [
      'consent of every row that nobody attests',
      channel('email: { consent: { constant: subscribed } }'),
      /channels\.email\.consent\.attested: say who/,
    ],
    [
      'no words',
      channel('email: { consent: { column: C } }'),
      /channels\.email\.consent\.subscribed: give the words/,
    ],
    [
      'words that are no list',
      channel('email: { consent: { column: C, subscribed: ja } }'),
      /subscribed: give a list of words/,
    ],
    [
      'a word twice',
      channel('email: { consent: { column: C, subscribed: [ja], never: [JA] } }'),
      /"ja" has two meanings/,
    ],
    [
      'a date format that makes no sense',
      channel(
        'email: { consent: { column: C, subscribed: [ja] }, date: { column: D, format: dd.MM.yy } }',
      ),
      /channels\.email\.date\.format: "yy"/,
    ],
    [
      'a constant date that is none',
      channel('email: { consent: { column: C, subscribed: [ja] }, date: { constant: May } }'),
      /channels\.email\.date\.constant: give a date/,
    ],
    [
      'an unknown zone',
      `timezone: Mars\n${channel('email: { consent: { column: C, subscribed: [ja] } }')}`,
      /timezone: give an IANA time zone/,
    ],
    [
      'an unknown country',
      `country: { constant: Germany }\n${channel('email: { consent: { column: C, subscribed: [ja] } }')}`,
      /country\.constant: give two capital letters/,
    ],
    [
      'a version of the future',
      `version: 2\n${channel('email: { consent: { column: C, subscribed: [ja] } }')}`,
      /version: this version reads mappings of version 1/,
    ],
  ];
  for (const [name, text, says] of wrong) {
    it(`is refused with ${name}`, () => {
      assert.throws(
        () => parseMapping(text, 'm.yaml'),
        (error) => {
          assert.ok(error instanceof SourceError, String(error));
          assert.equal(error.code, 'mapping_invalid');
          assert.match(error.message, says);
          assert.match(error.message, /^m\.yaml: .*docs\/sources\.md/);
          return true;
        },
      );
    });
  }
});
