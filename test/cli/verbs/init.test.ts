import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parseFile } from '../../../src/starter/programs/file/parse.js';
import { programsOf, type Program } from '../../../src/starter/programs/program.js';
import { run, runTyping } from '../terminal.js';

const DOWN = '\u001B[B';
const ENTER = '\r';

describe('init', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    path = join(folder, 'consentry.yaml');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function written(): Promise<{ text: string; program: Program }> {
    const text = await readFile(path, 'utf8');
    const [program] = programsOf(parseFile(text, path).settings);
    assert.ok(program !== undefined);
    return { text, program };
  }

  it('writes a commented file by flags alone, with its schema for editors beside it', async () => {
    const { code, stdout, stderr } = await run(
      'init',
      ...['--config', path, '--program', 'vip', '--list', 'Vips: all', '--opt-in', 'double'],
      ...['--url-env', 'CRM_URL', '--query', "select 'a: #b' as email", '--channels', 'sms,email'],
      ...[
        '--account',
        'AbC123',
        '--country',
        'us',
        '--statement',
        'We "mail" you',
        '--method',
        'form',
      ],
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /consentry program run vip --dry-run/);
    const { text, program } = await written();
    const [first = ''] = text.split('\n');
    assert.equal(first, '# yaml-language-server: $schema=./consentry.schema.json');
    const schema = await readFile(join(folder, 'consentry.schema.json'), 'utf8');
    assert.equal((JSON.parse(schema) as { title: string }).title, 'consentry.yaml');
    const { name, account, source, channels, list, optIn, country, proof } = program;
    assert.deepEqual(
      { name, account, source, channels: channels.value, list: list.value, optIn: optIn.value },
      {
        name: 'vip',
        account: { name: 'shop', id: 'AbC123', whatsapp: false },
        source: { connection: 'crm', query: "select 'a: #b' as email" },
        channels: ['email', 'sms'],
        list: 'Vips: all',
        optIn: 'double',
      },
    );
    assert.deepEqual(country, { value: 'US', from: 'account' });
    assert.deepEqual(proof, { statement: 'We "mail" you', method: 'form' });
  });

  it('replaces no file, whatever is in the way', async () => {
    await writeFile(path, 'mine');
    const ran = await run('init', '--config', path, '--source', 'a.csv', '--list', 'L');
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /consentry\.yaml already exists: nothing was written/);
    assert.equal(await readFile(path, 'utf8'), 'mine');
    await rm(path);
    await writeFile(join(folder, 'consentry.schema.json'), '{"title": "mine"}');
    const beside = await run('init', '--config', path, '--source', 'a.csv', '--list', 'L');
    assert.equal(beside.code, 2);
    assert.match(beside.stderr, /consentry\.schema\.json already exists: nothing was written/);
    assert.deepEqual(await readdir(folder), ['consentry.schema.json']);
  });

  it('says without a terminal what it needs', async () => {
    const nothing = await run('init', '--config', path);
    assert.equal(nothing.code, 2);
    assert.match(nothing.stderr, /--source PATH, or --url-env NAME and --query SQL; --list ID, or/);
    const half = await run('init', '--config', path, '--url-env', 'CRM_URL', '--list', 'L');
    assert.match(half.stderr, /A database needs --url-env NAME/);
    const proof = await run(
      'init',
      '--config',
      path,
      '--source',
      'a',
      '--list',
      'L',
      '--method',
      'x',
    );
    assert.match(proof.stderr, /needs --statement TEXT and --method TEXT/);
    assert.deepEqual(await readdir(folder), []);
  });

  it('writes nothing that would not be valid', async () => {
    const ran = await run(
      ...['init', '--config', path, '--source', 'a.csv', '--list', 'L', '--channels', 'whatsapp'],
    );
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /does not say that WhatsApp is connected/);
    assert.deepEqual(await readdir(folder), []);
  });

  it('asks a person for what flags do not say', async () => {
    const { code, stderr } = await runTyping(
      [
        [/What is the program called/, `news${ENTER}`],
        [/Where are its people/, DOWN + ENTER],
        [/variable with the address/, ENTER],
        [/Query that selects/, `select 1${ENTER}`],
        [/Which channels/, `email, whatsapp${ENTER}`],
        [/is WhatsApp connected/, `y${ENTER}`],
        [/Which list/, ENTER],
        [/opt-in process does the account have/, DOWN + ENTER],
        [/Country of phone numbers/, `us${ENTER}`],
        [/What did people agree to/, `terms${ENTER}`],
        [/How did they agree/, ENTER],
      ],
      ...['init', '--config', path],
    );
    assert.equal(code, 0, stderr);
    const { program } = await written();
    assert.deepEqual(program.source, { connection: 'crm', query: 'select 1' });
    assert.deepEqual(
      [program.name, program.channels.value, program.account.whatsapp, program.country.value],
      ['news', ['email', 'whatsapp'], true, 'US'],
    );
    assert.deepEqual(
      [program.list.value, program.optIn, program.proof],
      [null, { value: 'single', from: 'account' }, { statement: 'terms', method: 'sign-up form' }],
    );
  });

  it('writes nothing where the person breaks off', async () => {
    const { code, stderr } = await runTyping(
      [[/Where are its people/, '\u0003']],
      ...['init', '--config', path, '--program', 'news'],
    );
    assert.equal(code, 130);
    assert.match(stderr, /Nothing was written/);
    assert.deepEqual(await readdir(folder), []);
  });
});
