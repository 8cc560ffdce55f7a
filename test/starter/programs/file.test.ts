import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ConfigFileError } from '../../../src/starter/programs/file/problems.js';
import { fileJsonSchema } from '../../../src/starter/programs/file/json-schema.js';
import { loadPrograms, type Programs } from '../../../src/starter/programs/load.js';
import { requestOf } from '../../../src/starter/programs/request.js';

const PASSWORD = 'hunter2secret';
const ADDRESS = `postgres://reader:${PASSWORD}@db.shop.test:5432/crm`;
const VARIABLES = { CRM_URL: ADDRESS, BROKEN_URL: `postgres:/${PASSWORD}`, EMPTY: '' };

const WHOLE = `
version: 1
accounts:
  shop: { id: AbC123, country: us, default_opt_in: double }
connections:
  crm: { url: { env: CRM_URL } }
defaults:
  shop: { list: Newsletter, opt_in: double, channels: [email] }
programs:
  ambassadors:
    account: shop
    source: { connection: crm, query: select 1 }
    channels: [sms, email]
    list: Ambassadors
    opt_in: single
    proof: { statement: "https://shop.test/terms#mail", method: sign-up form }
  newsletter:
    account: shop
    source: { file: people.csv, mapping: maps/people.yaml, timezone: Europe/Berlin }
  everybody:
    account: shop
    source: { file: all.csv, country: GB, preset: generic }
    list: null
  nobody:
    account: shop
    source: { file: none.csv }
    channels: []
`;

const hooked = (webhooks: string): string =>
  `syncs:\n  nightly: { account: shop, to: { connection: crm }, webhooks: ${webhooks} }\n`;

describe('a file of programs', () => {
  let folder: string;
  let written = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    await mkdir(join(folder, 'maps'));
    await writeFile(
      join(folder, 'maps', 'people.yaml'),
      'email: E-Mail\nchannels: { email: { consent: { column: ok, subscribed: [ja] } } }\n',
    );
    await writeFile(join(folder, 'broken.yaml'), 'email: [\n');
    await writeFile(join(folder, 'empty.txt'), '\n');
    await writeFile(join(folder, 'url.txt'), `${ADDRESS}\n`);
  });
  after(() => rm(folder, { recursive: true }));

  async function load(text: string): Promise<Programs> {
    const path = join(folder, `programs-${(written += 1)}.yaml`);
    await writeFile(path, text);
    return loadPrograms(path, VARIABLES);
  }

  async function messageOf(text: string): Promise<string> {
    try {
      await load(text);
    } catch (error) {
      if (!(error instanceof ConfigFileError)) throw error;
      assert.ok(
        error.problems.every(({ remedy }) => /[.?!]$/.test(remedy)),
        error.message,
      );
      return error.message.replaceAll(`${error.file}, `, '').replaceAll(`${error.file}: `, '');
    }
    assert.fail('the file is taken as valid');
  }

  it('says for each setting of a program where it comes from', async () => {
    const { programs } = await load(WHOLE);
    const settings = programs.map(({ name, channels, list, optIn, country }) => [
      name,
      ...[channels, list, optIn, country].map(({ value, from }) => `${String(value)} (${from})`),
    ]);
    assert.deepEqual(settings, [
      [
        'ambassadors',
        'email,sms (program)',
        'Ambassadors (program)',
        'single (program)',
        'US (account)',
      ],
      [
        'newsletter',
        'email (defaults)',
        'Newsletter (defaults)',
        'double (defaults)',
        'US (account)',
      ],
      ['everybody', 'email (defaults)', 'null (program)', 'double (account)', 'GB (program)'],
      ['nobody', ' (program)', 'Newsletter (defaults)', 'double (defaults)', 'US (account)'],
    ]);
  });

  it('has defaults of its own where neither program nor account says anything', async () => {
    const { programs } = await load(`
version: 1
accounts: { shop: {} }
programs: { a: { account: shop, source: { file: a.csv }, list: L } }`);
    const [{ channels, list, optIn, historical, smsCountries, smsWithoutSender, country }] =
      programs as [(typeof programs)[number]];
    assert.deepEqual(
      { channels, list, optIn, historical, smsCountries, smsWithoutSender, country },
      {
        channels: { value: ['email'], from: 'built in' },
        list: { value: 'L', from: 'program' },
        optIn: { value: null, from: 'built in' },
        historical: { value: false, from: 'built in' },
        smsCountries: { value: null, from: 'built in' },
        smsWithoutSender: { value: 'stop', from: 'built in' },
        country: { value: null, from: 'built in' },
      },
    );
  });

  it('takes quiet hours of a program or its defaults, and says what is wrong with them', async () => {
    const text = (hours: string) => `
version: 1
accounts: { shop: {} }
defaults: { shop: { quiet_hours: { from: "22:00", to: "07:30", time_zone: UTC } } }
programs:
  a: { account: shop, source: { file: a.csv }, list: L, opt_in: double${hours} }`;
    const hoursOf = async (hours: string) => {
      const { file, secrets, programs } = await load(text(hours));
      return requestOf(file, secrets, programs[0]!).quietHours;
    };
    assert.deepEqual(await hoursOf(''), { from: '22:00', to: '07:30', timeZone: 'UTC' });
    assert.equal(await hoursOf(', quiet_hours: null'), null);
    const wrong = (from: string, to: string, zone: string) =>
      messageOf(text(`, quiet_hours: { from: ${from}, to: ${to}, time_zone: ${zone} }`));
    assert.match(await wrong('"24:00"', '"08:00"', 'UTC'), /from.*Give a time of the day as 21:00/);
    assert.match(await wrong('21', '"08:00"', 'UTC'), /from.*Give a time of the day as 21:00/);
    assert.match(await wrong('"21:00"', '"08:00"', 'Berlin'), /time_zone.*Europe\/Berlin/);
    assert.match(await wrong('"21:00"', '"21:00"', 'UTC'), /quiet_hours.*Give two different times/);
    assert.match(
      await messageOf(text(', quiet_hours: { from: "21:00" }')),
      /quiet_hours\.(to|time_zone)/,
    );
  });

  it('makes the request of a migration of a program', async () => {
    const { file, secrets, programs } = await load(WHOLE);
    const [first, second] = programs
      .slice(0, 2)
      .map((program) => requestOf(file, secrets, program));
    assert.deepEqual(
      [first?.file, first?.query, first?.channels, first?.listId, first?.optIn, first?.account],
      [ADDRESS, 'select 1', ['email', 'sms'], 'Ambassadors', 'single', 'AbC123'],
    );
    assert.equal(first?.customSource, 'sign-up form: https://shop.test/terms#mail');
    assert.deepEqual(
      [second?.file, second?.mapping, second?.timezone, second?.customSource, second?.country],
      [
        join(folder, 'people.csv'),
        join(folder, 'maps', 'people.yaml'),
        'Europe/Berlin',
        null,
        'US',
      ],
    );
  });

  it('reads a secret from a file', async () => {
    const { secrets } = await load(WHOLE.replace('{ env: CRM_URL }', '{ file: url.txt }'));
    assert.equal(secrets.get('crm'), ADDRESS);
  });

  const replaced = (from: string, to: string): string => {
    assert.ok(WHOLE.includes(from), from);
    return WHOLE.replace(from, to);
  };
  const wrong: readonly (readonly [what: string, text: () => string, message: string])[] = [
    [
      'an unknown key',
      () => replaced('opt_in: single', 'opt-in: single'),
      'line 15, column 5: programs.ambassadors.opt-in is not known here. Did you mean opt_in?',
    ],
    [
      'an unknown key that is like no other',
      () => replaced('version: 1', 'version: 1\nflows: 3'),
      'line 3, column 1: flows is not known here. Known are version, accounts, connections, defaults, programs, syncs.',
    ],
    [
      'a value that is none of its choices',
      () => replaced('opt_in: single', 'opt_in: doble'),
      "line 15, column 5: programs.ambassadors.opt_in is 'doble'. Give single or double.",
    ],
    [
      'a wrong type',
      () => replaced('channels: [sms, email]', 'channels: sms'),
      "line 13, column 5: programs.ambassadors.channels is 'sms'. Give one or more of email, sms, sms_transactional, whatsapp, push.",
    ],
    [
      'an unknown channel',
      () => replaced('channels: [sms, email]', 'channels: [sms, fax]'),
      "line 13, column 21: programs.ambassadors.channels.1 is 'fax'. Give one or more of email, sms, sms_transactional, whatsapp, push.",
    ],
    [
      'null where it is no answer',
      () => replaced('channels: [sms, email]', 'channels: null'),
      'line 13, column 5: programs.ambassadors.channels is null. Give one or more of email, sms, sms_transactional, whatsapp, push.',
    ],
    [
      'a key without a value, also where null is an answer',
      () => replaced('list: Ambassadors', 'list:'),
      'line 14, column 5: programs.ambassadors.list is blank. Give a value, or leave the key out; null has to be written as such.',
    ],
    [
      'another version',
      () => replaced('version: 1', 'version: 2'),
      'line 2, column 1: version is 2. Give 1: this version of Consentry reads version: 1.',
    ],
    [
      'a program without a source',
      () => replaced('    source: { connection: crm, query: select 1 }\n', ''),
      'line 10, column 3: programs.ambassadors.source is missing. Give { file: PATH } or { connection: NAME, query: SQL }.',
    ],
    [
      'a source that says nothing',
      () => replaced('{ connection: crm, query: select 1 }', '{}'),
      'line 12, column 5: programs.ambassadors.source is not complete. Give { file: PATH } or { connection: NAME, query: SQL }.',
    ],
    [
      'two sources',
      () => replaced('{ file: all.csv', '{ file: all.csv, connection: crm, query: select 1'),
      "line 22, column 30: programs.everybody.source.connection is 'crm'. Give file or connection, not both.",
    ],
    [
      'a connection without a query',
      () => replaced('connection: crm, query: select 1', 'connection: crm'),
      'line 12, column 5: programs.ambassadors.source.query is missing. Give the SQL SELECT that selects the people.',
    ],
    [
      'an address with a password as a file',
      () => replaced('{ file: all.csv,', `{ file: "${ADDRESS}",`),
      "line 22, column 15: programs.everybody.source.file is 'postgres://reader:[secret]@db.shop.test:5432/crm'. Give a database as { connection: NAME, query: SQL }, with its address in connections.",
    ],
    [
      'an unknown account',
      () => replaced('account: shop', 'account: shoop'),
      'line 11, column 5: programs.ambassadors.account names the account shoop, which is not in accounts. Did you mean shop?',
    ],
    [
      'defaults of an unknown account',
      () => replaced('defaults:\n  shop:', 'defaults:\n  warehouse:'),
      'line 8, column 3: defaults.warehouse names the account warehouse, which is not in accounts. Add it to accounts, which has shop.',
    ],
    [
      'an unknown connection',
      () => replaced('connection: crm', 'connection: crn'),
      'line 12, column 15: programs.ambassadors.source.connection names the connection crn, which is not in connections. Did you mean crm?',
    ],
    [
      'a secret as it is',
      () => replaced('{ env: CRM_URL }', ADDRESS),
      'line 6, column 10: connections.crm.url is a text. A secret is never written in this file: give { env: NAME } or { file: PATH }.',
    ],
    [
      'a secret in place of the name of its variable',
      () => replaced('env: CRM_URL', 'env: pk_0123456789abcdef'),
      'line 6, column 17: connections.crm.url.env is a text. Give its name in capital letters, such as CRM_URL.',
    ],
    [
      'a secret in place of a reference, which YAML takes for a key',
      () => replaced('{ env: CRM_URL }', `{ ${PASSWORD}: 1 }`),
      'line 6, column 10: connections.crm.url has a key that is not known here. Give { env: NAME } or { file: PATH }.',
    ],
    [
      'a secret where nothing closes a quote',
      () => replaced('{ env: CRM_URL }', `"${ADDRESS} }`),
      'line 6, column 73: This is not YAML: Missing closing. Check indents, quotes and brackets there.',
    ],
    [
      'the secret of a webhook as it is',
      () => `${WHOLE}${hooked(`{ secret: ${PASSWORD} }`)}`,
      'line 29, column 66: syncs.nightly.webhooks.secret is a text. A secret is never written in this file: give { env: NAME } or { file: PATH }.',
    ],
    [
      'the secret of a webhook in place of a reference, which YAML takes for a key',
      () => `${WHOLE}${hooked(`{ secret: { ${PASSWORD}: 1 } }`)}`,
      'line 29, column 66: syncs.nightly.webhooks.secret has a key that is not known here. Give { env: NAME } or { file: PATH }.',
    ],
    [
      'the secret of a webhook in place of its keys',
      () => `${WHOLE}${hooked(PASSWORD)}`,
      'line 29, column 54: syncs.nightly.webhooks is a text. Give { secret: { env: NAME } }, the variable with the secret of the webhook.',
    ],
    [
      'a variable that is not set',
      () => replaced('CRM_URL', 'ERP_URL'),
      'line 6, column 17: connections.crm.url.env names the variable ERP_URL, which is not set. Set ERP_URL, or correct the name.',
    ],
    [
      'a variable that is empty',
      () => replaced('CRM_URL', 'EMPTY'),
      'line 6, column 17: connections.crm.url.env names the variable EMPTY, which is not set. Set EMPTY, or correct the name.',
    ],
    [
      'a variable that is no address',
      () => replaced('CRM_URL', 'BROKEN_URL'),
      'line 6, column 10: connections.crm.url is not usable: The database URL: It is not a valid URL (not shown here, since it may contain a password). Write it as postgres://user:password@host:5432/database or mysql://user:password@host:3306/database, with special characters of the password percent-encoded (@ is %40, # is %23, / is %2F, % is %25).',
    ],
    [
      'a secret file that does not exist',
      () => replaced('{ env: CRM_URL }', '{ file: none.txt }'),
      'line 6, column 17: connections.crm.url.file names none.txt, which does not exist. Check the path, and that this user may read it.',
    ],
    [
      'a secret file that cannot be read',
      () => replaced('{ env: CRM_URL }', '{ file: maps }'),
      'line 6, column 17: connections.crm.url.file names maps, which cannot be read (EISDIR). Check the path, and that this user may read it.',
    ],
    [
      'a secret file that is empty',
      () => replaced('{ env: CRM_URL }', '{ file: empty.txt }'),
      'line 6, column 17: connections.crm.url.file names empty.txt, which is empty. Write the secret alone into it.',
    ],
    [
      'a mapping that does not exist',
      () => replaced('maps/people.yaml', 'maps/none.yaml'),
      'line 19, column 33: programs.newsletter.source.mapping is not usable: FOLDER/maps/none.yaml: There is no such mapping file. Check the path of --map.',
    ],
    [
      'a preset beside a mapping',
      () => replaced('mapping: maps/people.yaml', 'mapping: maps/people.yaml, preset: generic'),
      "line 19, column 33: programs.newsletter.source.mapping is 'maps/people.yaml'. Only one can say what the columns mean: leave out preset or mapping.",
    ],
    [
      'an unknown time zone',
      () => replaced('Europe/Berlin', 'Mars'),
      'line 19, column 5: programs.newsletter.source is not usable: There is no time zone "Mars". Give timezone an IANA name such as Europe/Berlin, America/New_York or UTC.',
    ],
    [
      'what no migration may be asked for',
      () => replaced('preset: generic }', 'preset: generic, undated: list_only }'),
      'line 20, column 3: programs.everybody contradicts itself: undated: list_only needs a list. Give list: ID.',
    ],
    [
      'single and double opt-in on one list and channel',
      () => replaced('list: Ambassadors', 'list: Newsletter'),
      'line 17, column 3: programs.newsletter.opt_in is double, but programs.ambassadors expects single opt-in for email of list Newsletter. A list has one opt-in process: correct one of them, or use two lists.',
    ],
    [
      'another process than that of the account without a list',
      () => replaced('list: Ambassadors', 'list: null'),
      'line 15, column 5: programs.ambassadors.opt_in is single, but without a list the process of the account applies, and accounts.shop.default_opt_in is double. Correct one of them, or give a list.',
    ],
    [
      'a new list that no program has',
      () => replaced('default_opt_in: double', 'create_lists: [Newsletter, Ambasadors]'),
      'line 4, column 63: accounts.shop.create_lists.1 names the list "Ambasadors", which no program of the account has. Did you mean "Ambassadors"?',
    ],
    [
      'a new list that is like none of a program',
      () => replaced('default_opt_in: double', 'create_lists: [Old list]'),
      'line 4, column 51: accounts.shop.create_lists.0 names the list "Old list", which no program of the account has. Take it out, or give it to a program.',
    ],
    [
      'no process without a list',
      () => replaced(', default_opt_in: double', '').replace(', opt_in: double', ''),
      'line 20, column 3: programs.everybody.opt_in is not known: without a list the account’s own process applies, which the API does not show. Give accounts.shop.default_opt_in, or a list.',
    ],
    [
      'WhatsApp without the word of the operator',
      () => replaced('channels: [sms, email]', 'channels: [whatsapp]'),
      'line 13, column 5: programs.ambassadors.channels has whatsapp, but accounts.shop does not say that WhatsApp is connected: if it is not connected, Klaviyo stores these numbers without consent for ever: no API says whether it is, and no answer says that consent was dropped. Check it in Klaviyo and write whatsapp: true there, or leave the channel out.',
    ],
    [
      'a second account without an id',
      () =>
        replaced('  shop: { id: AbC123', '  eu: {}\n  shop: { id: AbC123').replace(
          'everybody:\n    account: shop',
          'everybody:\n    account: eu\n    opt_in: double',
        ),
      'line 4, column 3: accounts.eu has no id, but the programs and syncs are of several accounts. Give its id, the six characters that Klaviyo calls public API key or site id.',
    ],
    [
      'one account under two names',
      () => replaced('  shop: { id', '  eu: { id: AbC123 }\n  shop: { id'),
      'line 5, column 11: accounts.shop.id is also that of accounts.eu. Correct one of them, or make them one account.',
    ],
    [
      'a name that no file can have',
      () => replaced('  nobody:', '  a/b:'),
      'line 24, column 3: programs.a/b has a name that is not possible. Use letters, digits, - and _, at most 63 of them.',
    ],
    [
      'a key that is there twice',
      () => replaced('list: Ambassadors', 'channels: [email]'),
      'line 14, column 5: This is not YAML: The key channels is there twice. Check indents, quotes and brackets there.',
    ],
    [
      'an empty file',
      () => '',
      'line 1, column 1: is null. Give its keys, such as version: 1; consentry init writes such a file.',
    ],
  ];
  for (const [what, text, message] of wrong) {
    it(`refuses ${what}, with its place and a remedy`, async () => {
      const words = (await messageOf(text())).replaceAll(folder, 'FOLDER');
      assert.equal(words, message);
      assert.ok(!words.includes(PASSWORD) && !words.includes('pk_0'), words);
    });
  }

  it('tells everything that is wrong at once', async () => {
    const words = await messageOf(
      replaced('opt_in: single', 'opt_in: doble').replace('preset: generic', 'preset: excel'),
    );
    assert.match(words, /^line 15, .*\nline 22, /);
    assert.equal(words.split('\n').length, 2);
  });

  it('takes WhatsApp where the operator says that it is connected', async () => {
    const { programs } = await load(
      replaced('country: us', 'country: us, whatsapp: true').replace('[sms, email]', '[whatsapp]'),
    );
    assert.deepEqual(programs[0]?.channels.value, ['whatsapp']);
  });

  it('says where a file is looked for if there is none', async () => {
    await assert.rejects(
      loadPrograms(null, { CONSENTRY_CONFIG: join(folder, 'none.yaml') }),
      /none\.yaml: The file does not exist\. Write one with consentry init, or say where it is with --config PATH or CONSENTRY_CONFIG\.$/,
    );
  });

  it('has a JSON Schema with every key', () => {
    const { properties } = fileJsonSchema() as { properties: Record<string, unknown> };
    assert.deepEqual(Object.keys(properties), [
      'version',
      'accounts',
      'connections',
      'defaults',
      'programs',
      'syncs',
    ]);
    assert.match(JSON.stringify(properties), /"default_opt_in":\{.*"enum":\["single","double"\]/);
  });
});
