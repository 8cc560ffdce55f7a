import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Sandbox, startSandbox } from 'klaviyo-sandbox';
import { startVerb } from '../src/demo/child.js';
import { childEnvironment, loadConfig } from '../src/runtime/config.js';
import { Lifecycle } from '../src/runtime/lifecycle.js';
import { userFolders } from '../src/runtime/paths.js';
import { startTemporalServer } from '../src/runtime/local/temporal/server.js';
import { createTestDatabase } from './support/stack.js';
import { CONSENTRY, endOf, startProgram, type Ended } from './support/processes/programs.js';

const LIST = 'SINGL1';
const ROWS = 4_200;

describe('from the command line', () => {
  const lifecycle = new Lifecycle();
  let folder: string;
  let sandbox: Sandbox;
  let environment: Record<string, string>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    lifecycle.onStop('folder', () => rm(folder, { recursive: true }));
    const config = loadConfig();
    const temporal = await startTemporalServer({
      config,
      folders: { ...userFolders(config), state: join(folder, 'state') },
      headless: true,
      dbFile: null,
      onProgress: () => undefined,
    });
    lifecycle.onStop('Temporal', () => temporal.stop());
    const database = await createTestDatabase();
    lifecycle.onStop('database', () => database.drop());
    sandbox = await startSandbox({
      delays: 'fast',
      lists: [{ id: LIST, name: 'Single', opt_in_process: 'single_opt_in' }],
    });
    lifecycle.onStop('sandbox', () => sandbox.close());
    environment = {
      KLAVIYO_API_KEY: sandbox.apiKey,
      KLAVIYO_BASE_URL: sandbox.url,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      CONSENTRY_STATE_DIR: join(folder, 'state'),
      LOG_LEVEL: 'error',
    };
  });
  after(() => lifecycle.stop());

  async function startWorker(): Promise<{ pid: number; stop(): Promise<void> }> {
    const { process } = await startVerb(['worker'], environment, join(folder, 'state'));
    return process;
  }

  /** Runs `consentry ...args` to its end; the key is the worker's alone. */
  function consentry(...args: string[]): Promise<Ended> {
    const { KLAVIYO_API_KEY: _key, ...withoutKey } = environment;
    return endOf(startProgram(CONSENTRY, args, childEnvironment(withoutKey)));
  }

  test('without a worker it says so and sends nothing', async () => {
    const file = join(folder, 'few.csv');
    await writeFile(file, 'email,email_consent\na@example.com,subscribed\n');
    const { code, stderr } = await consentry('migrate', file, '--list', LIST);
    assert.equal(code, 6);
    assert.match(stderr, /consentry worker/);
  });

  const unsubscribed = 'p7@example.com';

  test('a worker that is killed in the middle costs nothing: another goes on, nobody is sent twice', async () => {
    sandbox.account.seed({ email: unsubscribed, email_consent: 'UNSUBSCRIBED' });
    const file = join(folder, 'people.csv');
    const lines = Array.from({ length: ROWS }, (_, n) => `p${n}@example.com,subscribed`);
    await writeFile(
      file,
      ['email,email_consent', ...lines, 'not an address,subscribed', ''].join('\n'),
    );
    // Klaviyo applies these calls and is slow to say so: the worker dies with answers on the way.
    sandbox.account.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: 'slow',
      times: 2,
      latencyMs: 15_000,
    });

    const first = await startWorker();
    const migrating = consentry(
      ...['migrate', file, '--list', LIST, '--yes', '--json'],
      ...['--lost-answer-wait', '3s', '--confirm-within', '2m'],
    );
    while ([...sandbox.account.subscribed()].length === 0) await delay(20);
    process.kill(first.pid, 'SIGKILL');
    const second = await startWorker();
    const { code, stdout, stderr } = await migrating;
    await second.stop();

    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as {
      id: string;
      phase: string;
      open: number;
      outcomes: Record<string, number>;
      rejects: { path: string; rows: number } | null;
    };
    assert.equal(report.phase, 'done');
    assert.equal(report.open, 0);
    assert.deepEqual(report.outcomes, {
      confirmed: ROWS - 1,
      skipped_opted_out: 1,
      rejected: 1,
    });
    assert.match(await readFile(`${file}.rejects.csv`, 'utf8'), /4202,.*email_invalid/);

    const sent = [...sandbox.account.subscribed()].flatMap(({ email }) => email ?? []);
    assert.equal(new Set(sent).size, ROWS - 1);
    assert.equal(sent.length, ROWS - 1, 'somebody was sent twice');
    assert.ok(!sent.includes(unsubscribed), 'somebody who said no was sent');
    for (const truth of sandbox.account.truth()) {
      const consent = truth.subscriptions?.email?.marketing?.consent;
      const expected = truth.email === unsubscribed ? 'UNSUBSCRIBED' : 'SUBSCRIBED';
      assert.equal(consent, expected, truth.email ?? '');
    }
  });
});
