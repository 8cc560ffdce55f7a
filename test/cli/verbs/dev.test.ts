import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { childEnvironment } from '../../../src/runtime/config.js';
import {
  CONSENTRY,
  endOf,
  startProgram,
  type Ended,
  type Program,
} from '../../support/processes/programs.js';

interface Ready {
  readonly event: string;
  readonly webUi: string;
  readonly klaviyo: string;
  readonly databaseUrl: string;
  readonly lists: readonly { readonly id: string }[];
}

describe('consentry dev --sandbox', { timeout: 120_000 }, () => {
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  let stack: ChildProcess;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    // PostgreSQL runs as another user where the tests are run by root.
    await chmod(folder, 0o755);
    await writeFile(join(folder, 'temporal.toml'), '[profile.default]\n');
    environment = childEnvironment({
      CONSENTRY_DATA_DIR: join(folder, 'data'),
      CONSENTRY_STATE_DIR: join(folder, 'state'),
      TEMPORAL_CONFIG_FILE: join(folder, 'temporal.toml'),
      LOG_LEVEL: 'error',
      ...(process.env['TEMPORAL_CLI_PATH'] === undefined
        ? {}
        : { TEMPORAL_CLI_PATH: process.env['TEMPORAL_CLI_PATH'] }),
    });
    delete environment['DATABASE_URL'];
  });

  after(async () => {
    if (stack.exitCode === null && stack.signalCode === null) {
      stack.kill('SIGTERM');
      await once(stack, 'exit');
    }
    await rm(folder, { recursive: true });
  });

  const start = (...argv: string[]): Program => startProgram(CONSENTRY, argv, environment);
  const ran = (...argv: string[]): Promise<Ended> => endOf(start(...argv));

  it('starts everything, is found by the other verbs, and ends with Ctrl-C', async () => {
    stack = start('dev', '--sandbox', '--json');
    const ready = await firstLine(stack);
    assert.equal(ready.event, 'ready');
    assert.ok((await fetch(ready.webUi)).ok, 'the Web UI answers');

    const source = join(folder, 'people.csv');
    await writeFile(source, 'email,email_consent\nada@shop.test,subscribed\n');
    const list = ready.lists[0]?.id ?? '';
    const migrated = await ran('migrate', source, '--list', list, '--json');
    assert.equal(migrated.code, 0, migrated.stderr);
    const report = JSON.parse(migrated.stdout) as { outcomes: unknown; webUi: string; id: string };
    assert.deepEqual(report.outcomes, { confirmed: 1 });
    assert.equal(
      report.webUi,
      `${ready.webUi}/namespaces/default/workflows/consent-migration%2F${report.id}`,
    );

    const second = await ran('dev', '--sandbox');
    assert.equal(second.code, 2);
    assert.match(second.stderr, new RegExp(`is already running as process ${String(stack.pid)}`));

    stack.kill('SIGINT');
    const [code, signal] = (await once(stack, 'exit')) as [number | null, string | null];
    assert.deepEqual([code, signal], [null, 'SIGINT']);
    const status = await ran('status');
    assert.equal(status.code, 6, status.stdout);
    await assert.rejects(fetch(ready.webUi), 'Temporal is stopped');
    await assert.rejects(fetch(ready.klaviyo), 'the sandbox is stopped');
  });

  it('keeps its data for the next start', async () => {
    stack = start('dev', '--sandbox', '--json');
    await firstLine(stack);
    const { stdout } = await ran('status', '--json');
    const { migrations } = JSON.parse(stdout) as { migrations: { phase: string }[] };
    assert.deepEqual(
      migrations.map(({ phase }) => phase),
      ['done'],
    );
  });

  const skip = process.getuid?.() === 0 ? false : 'only root starts PostgreSQL as another user';
  it('says which named folder is closed to PostgreSQL, and starts nothing', { skip }, async () => {
    const closed = join(folder, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const { CONSENTRY_DATA_DIR: open, CONSENTRY_STATE_DIR: state } = environment;
    environment['CONSENTRY_DATA_DIR'] = join(closed, 'data');
    environment['CONSENTRY_STATE_DIR'] = join(folder, 'other-state');
    const { code, stdout, stderr } = await ran('dev', '--sandbox', '--json');
    Object.assign(environment, { CONSENTRY_DATA_DIR: open, CONSENTRY_STATE_DIR: state });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /CONSENTRY_DATA_DIR is .* may not enter .*closed\. .*chmod a\+x/);
  });
});

async function firstLine(child: ChildProcess): Promise<Ready> {
  let stdout = '';
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`dev ended: ${stderr}`)));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const end = stdout.indexOf('\n');
      if (end >= 0) resolve(JSON.parse(stdout.slice(0, end)) as Ready);
    });
  });
}
