import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Problem } from '../../../src/starter/programs/file/problems.js';
import { run } from '../terminal.js';

const VALID = `
version: 1
accounts: { shop: { key: { env: NOT_SET_HERE } } }
connections: { crm: { url: { env: CONSENTRY_TEST_CRM } } }
programs:
  newsletter: { account: shop, list: News, source: { connection: crm, query: select 1 } }
`;

describe('config', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    process.env['CONSENTRY_TEST_CRM'] = 'postgres://reader:hunter2secret@db.shop.test/crm';
    await writeFile(at('valid.yaml'), VALID);
    await writeFile(at('wrong.yaml'), VALID.replace('list: News', 'lst: News'));
  });
  after(async () => {
    delete process.env['CONSENTRY_TEST_CRM'];
    await rm(folder, { recursive: true });
  });

  it('check says that a file is valid, without the key, which only a worker needs', async () => {
    const words = await run('config', 'check', '--config', at('valid.yaml'));
    assert.equal(words.code, 0, words.stderr);
    assert.equal(
      words.stdout,
      `${at('valid.yaml')} is valid: 1 account, 1 connection, 1 program.\n`,
    );
    const json = await run('config', 'check', '--config', at('valid.yaml'), '--json');
    assert.deepEqual(JSON.parse(json.stdout), {
      file: at('valid.yaml'),
      valid: true,
      problems: [],
      accounts: ['shop'],
      connections: ['crm'],
      programs: ['newsletter'],
    });
  });

  it('check names what is wrong and ends with 2; with --json as a document', async () => {
    const words = await run('config', 'check', '--config', at('wrong.yaml'));
    assert.deepEqual([words.code, words.stdout], [2, '']);
    assert.equal(
      words.stderr,
      `${at('wrong.yaml')}, line 6, column 32: programs.newsletter.lst is not known here. Did you mean list?\n`,
    );
    const json = await run('config', 'check', '--config', at('wrong.yaml'), '--json');
    assert.equal(json.code, 2);
    const { valid, problems } = JSON.parse(json.stdout) as { valid: boolean; problems: Problem[] };
    assert.equal(valid, false);
    assert.deepEqual(problems, [
      {
        line: 6,
        column: 32,
        key: 'programs.newsletter.lst',
        problem: 'is not known here',
        remedy: 'Did you mean list?',
      },
    ]);
  });

  it('check finds the file by CONSENTRY_CONFIG', async () => {
    process.env['CONSENTRY_CONFIG'] = at('valid.yaml');
    try {
      assert.equal((await run('config', 'check')).code, 0);
    } finally {
      delete process.env['CONSENTRY_CONFIG'];
    }
  });

  it('schema prints the JSON Schema', async () => {
    const { code, stdout } = await run('config', 'schema');
    assert.equal(code, 0);
    assert.equal((JSON.parse(stdout) as { title: string }).title, 'consentry.yaml');
  });

  it('a worker takes the key that the file refers to, and says where it is missing', async () => {
    const flags = ['worker', '--config', at('valid.yaml')];
    const missing = await run(...flags, '--config-account', 'shop');
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /accounts\.shop\.key\.env names the variable NOT_SET_HERE/);
    const unknown = await run(...flags, '--config-account', 'shpo');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /has no account shpo: it has shop\.$/m);
    const unsaid = await run(...flags);
    assert.equal(unsaid.code, 2);
    assert.match(unsaid.stderr, /say which account with --config-account/);
    process.env['NOT_SET_HERE'] = 'AbC123';
    try {
      const wrong = await run(...flags, '--config-account', 'shop');
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /^accounts\.shop\.key looks like the public API key/);
    } finally {
      delete process.env['NOT_SET_HERE'];
    }
  });
});
