import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from './terminal.js';

const VERBS = [
  'demo',
  'dev',
  'sandbox',
  'worker',
  'check',
  'map',
  'migrate',
  'status',
  'report',
  'approve',
  'pause',
  'resume',
  'set-share',
  'cancel',
  'retry-failed',
];

describe('consentry without anything that runs', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    for (const name of Object.keys(process.env)) {
      if (/^(TEMPORAL_|KLAVIYO_|DATABASE_URL$|LOG_LEVEL$)/.test(name)) delete process.env[name];
    }
    Object.assign(process.env, {
      CONSENTRY_STATE_DIR: folder,
      XDG_CONFIG_HOME: folder,
      HOME: folder,
      APPDATA: folder,
    });
  });
  after(() => rm(folder, { recursive: true }));

  it('lists its verbs and exit codes', async () => {
    const { code, stdout } = await run('--help');
    assert.equal(code, 0);
    for (const verb of VERBS) assert.match(stdout, new RegExp(`^  ${verb}\\b`, 'm'));
    assert.match(stdout, /Exit codes:\n {2}0 /);
  });

  for (const verb of VERBS) {
    it(`explains ${verb} with an example and the exit codes`, async () => {
      const { code, stdout, stderr } = await run(verb, '--help');
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.match(stdout, new RegExp(`Examples?:\\n.*consentry ${verb}`));
      assert.match(stdout, /--json/);
      assert.match(stdout, /Exit codes:/);
    });
  }

  it('says its version', async () => {
    assert.match((await run('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  for (const argv of [
    [],
    ['migrat'],
    ['migrate'],
    ['migrate', 'a.csv', '--channels', 'letter'],
    ['migrate', 'a.csv', '--undated', 'guess'],
    ['migrate', 'a.csv', '--confirm-within', '15'],
    ['migrate', 'a.csv', '--wait', '5s'],
    ['migrate', 'a.csv', '--detach', '--rejects', 'r.csv'],
    ['report', 'x', '--csv', '--ndjson'],
    ['report', '--csv', 'x'],
    ['sandbox', '--port', '70000'],
    ['demo', '--rows', '0'],
  ]) {
    it(`ends with 2 and words on stderr for: consentry ${argv.join(' ')}`, async () => {
      const { code, stdout, stderr } = await run(...argv);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.notEqual(stderr, '');
    });
  }

  for (const argv of [['status'], ['migrate', 'a.csv'], ['check'], ['worker'], ['cancel', 'x']]) {
    it(`says what to start for: consentry ${argv.join(' ')}`, async () => {
      const { code, stdout, stderr } = await run(...argv);
      assert.equal(code, 6);
      assert.equal(stdout, '');
      assert.match(stderr, /npx consentry dev/);
      assert.match(stderr, /DATABASE_URL/);
      assert.match(stderr, /TEMPORAL_ADDRESS/);
    });
  }

  it('wants a key for a dev stack on Klaviyo itself, before it starts anything', async () => {
    const { code, stderr } = await run('dev');
    assert.equal(code, 2);
    assert.match(stderr, /KLAVIYO_API_KEY/);
    assert.match(stderr, /dev --sandbox/);
  });

  it('names a setting that is wrong', async () => {
    process.env['DATABASE_URL'] = 'mysql://host/db';
    const { code, stderr } = await run('status');
    delete process.env['DATABASE_URL'];
    assert.equal(code, 2);
    assert.match(stderr, /DATABASE_URL/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  it('says that a sandbox port is taken, and that settings cannot be read', async () => {
    const { code, stderr } = await run('sandbox', '--settings', join(folder, 'none.json'));
    assert.equal(code, 2);
    assert.match(stderr, /--settings .*none\.json/);
  });
});
