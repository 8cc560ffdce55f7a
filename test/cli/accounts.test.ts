import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Sandbox, startSandbox } from 'klaviyo-sandbox';
import { startVerb } from '../../src/demo/child.js';
import type { Report } from '../../src/starter/migrations/report.js';
import { verbEnvironment } from '../support/processes/verb-environment.js';
import { createTestDatabase, type TestDatabase } from '../support/stack.js';
import { run } from './terminal.js';

/** Known to nobody else on this Temporal server. */
const [US, EU] = [`U${process.pid}`, `E${process.pid}`] as const;
const LIST = 'NEWSLT';

describe('several accounts on one Temporal and one ledger', { timeout: 120_000 }, () => {
  let folder: string;
  let database: TestDatabase;
  const sandboxes: Sandbox[] = [];
  const workers: { stop(): Promise<void> }[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    database = await createTestDatabase();
    const environment = await verbEnvironment(folder, database);
    Object.assign(process.env, environment);
    for (const id of [US, EU]) {
      const sandbox = await startSandbox({
        delays: 'fast',
        account: { id },
        lists: [{ id: LIST, name: 'Newsletter', opt_in_process: 'single_opt_in' }],
      });
      sandboxes.push(sandbox);
      const key = { KLAVIYO_API_KEY: sandbox.apiKey, KLAVIYO_BASE_URL: sandbox.url };
      const { process: worker } = await startVerb(['worker'], { ...environment, ...key }, folder);
      workers.push(worker);
    }
  });
  after(async () => {
    for (const worker of workers) await worker.stop();
    for (const sandbox of sandboxes) await sandbox.close();
    await database.drop();
    await rm(folder, { recursive: true });
  });

  async function migrate(email: string, ...flags: string[]): Promise<Report> {
    const file = join(folder, `${email}.csv`);
    await writeFile(file, `email,email_consent\n${email},subscribed\n`);
    const ran = await run('migrate', file, '--list', LIST, '--json', ...flags);
    assert.equal(ran.code, 0, ran.stderr);
    return JSON.parse(ran.stdout) as Report;
  }

  const subscribed = () =>
    sandboxes.map(({ account }) => [...account.subscribed()].map(({ email }) => email));

  it('a verb that does not say which one it means is told the ids, and does nothing', async () => {
    const file = join(folder, 'unsaid.csv');
    await writeFile(file, 'email,email_consent\nunsaid@example.com,subscribed\n');
    for (const asked of [
      ['check', '--list', LIST],
      ['migrate', file, '--list', LIST],
      ['show', 'unsaid@example.com'],
    ]) {
      const { code, stdout, stderr } = await run(...asked);
      assert.equal(code, 2, stdout + stderr);
      assert.match(stderr, /2 Klaviyo accounts use this ledger.*--account or CONSENTRY_ACCOUNT/);
      assert.ok(stderr.includes(US) && stderr.includes(EU), stderr);
    }
    assert.deepEqual(subscribed(), [[], []]);
  });

  it('each run is about the account that was named, by flag or by variable', async () => {
    const us = await migrate('ada@example.com', '--account', US);
    process.env['CONSENTRY_ACCOUNT'] = EU;
    try {
      const eu = await migrate('ben@example.com');
      assert.deepEqual([us.outcomes, eu.outcomes], [{ confirmed: 1 }, { confirmed: 1 }]);
      assert.deepEqual(subscribed(), [['ada@example.com'], ['ben@example.com']]);
      await migrate('cyd@example.com', '--account', US);
      assert.deepEqual(subscribed()[0], ['ada@example.com', 'cyd@example.com']);
    } finally {
      delete process.env['CONSENTRY_ACCOUNT'];
    }
    assert.equal((await run('status', us.id)).code, 0, 'a run knows its account');
  });

  it('the same source for the other account is another run', async () => {
    const email = 'both@example.com';
    const us = await migrate(email, '--account', US);
    const eu = await migrate(email, '--account', EU);
    assert.notEqual(us.id, eu.id);
    assert.deepEqual(
      subscribed().map((emails) => emails.includes(email)),
      [true, true],
    );
  });

  it('an account that no worker has shown a key of is an error with its remedy', async () => {
    const { code, stderr } = await run('check', '--list', LIST, '--account', 'NOBODY');
    assert.equal(code, 2);
    assert.match(stderr, /account NOBODY has started: start "npx consentry worker"/);
  });
});
