import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SandboxControl } from '../../../src/demo/sandbox-control.js';
import type { Report } from '../../../src/starter/migrations/report.js';
import { run, runTyping } from '../terminal.js';
import { startVerbStack, type VerbStack } from '../../support/processes/verb-stack.js';
import { CONSENTRY, endOf, startProgram } from '../../support/processes/programs.js';

const SOURCE = [
  'email,phone_number,country,email_consent,sms_consent,consented_at',
  'ada@shop.test,,,subscribed,,2020-02-03T04:05:06Z',
  'ben@shop.test,,,subscribed,,2020-02-03T04:05:06Z',
  'out@shop.test,,,subscribed,,2020-02-03T04:05:06Z',
  'not an address,,,subscribed,,2020-02-03T04:05:06Z',
];

describe('the verbs, on a worker and a sandbox of their own', { timeout: 180_000 }, () => {
  let stack: VerbStack;
  let sandbox: SandboxControl;
  before(async () => {
    stack = await startVerbStack();
    ({ sandbox } = stack);
    await sandbox.seed([{ email: 'out@shop.test', email_consent: 'UNSUBSCRIBED' }]);
  });
  after(() => stack.stop());

  const source = (name: string, lines: readonly string[] = SOURCE): Promise<string> =>
    stack.source(name, lines);

  function people(count: number, domain: string): string[] {
    const rows = Array.from({ length: count }, (_, n) => `p${n}@${domain},subscribed`);
    return ['email,email_consent', ...rows];
  }

  it('check says what a run would meet, and sends nothing', async () => {
    const words = await run('check', '--list', 'Single');
    assert.equal(words.code, 0);
    assert.match(words.stdout, /List: +Single\nOpt-in process: single_opt_in/);
    const json = await run('check', '--list', 'Double', '--opt-in', 'double', '--json');
    assert.equal(
      (JSON.parse(json.stdout) as { optInProcess: string }).optInProcess,
      'double_opt_in',
    );
    const unknown = await run('check', '--list', 'Nowhere', '--json');
    assert.equal(unknown.code, 3);
    assert.equal(unknown.stdout, '');
    assert.match(unknown.stderr, /Nowhere/);
    assert.equal(await sandbox.subscribedCount(), 0);
  });

  it('migrate shows the plan, then how every row ended, and writes the refused ones', async () => {
    const file = await source('words.csv');
    const { code, stdout } = await run('migrate', file, '--list', 'Single');
    assert.equal(code, 0, stdout);
    const plan = stdout.indexOf('Plan for 4 rows');
    const end = stdout.indexOf(': done');
    assert.ok(plan > 0 && end > plan, stdout);
    assert.match(stdout, /^confirmed +2 /m);
    assert.match(stdout, /^skipped_opted_out +1 /m);
    assert.match(stdout, /^rejected +1 /m);
    assert.ok(stdout.includes(`${file}.rejects.csv`));
    assert.equal(
      await readFile(`${file}.rejects.csv`, 'utf8'),
      'line,email,phone_number,channel,reason,original\n' +
        '5,not an address,,email,email_invalid,"not an address,,,subscribed,,2020-02-03T04:05:06Z"\n',
    );
  });

  it('migrate --json prints one document, which status and report repeat', async () => {
    const file = await source('json.csv', people(3, 'json.test'));
    const ran = await run('migrate', file, '--list', 'Single', '--json');
    assert.equal(ran.code, 0, ran.stderr);
    const report = JSON.parse(ran.stdout) as Report & { rejects: unknown; webUi: unknown };
    assert.deepEqual(
      [report.phase, report.rows, report.outcomes, report.open, report.rejects, report.webUi],
      ['done', 3, { confirmed: 3 }, 0, null, null],
    );
    assert.deepEqual(report.parts, [
      { channel: 'email', outcome: 'confirmed', reason: null, parts: 3 },
    ]);
    const submits = report.calls.find(({ endpoint }) => endpoint === 'bulk_subscribe_profiles');
    assert.deepEqual([submits?.status, submits?.calls], ['202', 1]);
    assert.ok(report.times.durationMs > 0);
    assert.match(ran.stderr, /Plan for 3 rows/);

    const status = JSON.parse((await run('status', report.id, '--json')).stdout) as Report;
    assert.deepEqual(status.outcomes, report.outcomes);
    const again = JSON.parse((await run('report', report.id, '--json')).stdout) as Report;
    assert.deepEqual(again.times, report.times);
    const csv = (await run('report', report.id, '--csv')).stdout.trimEnd().split('\n');
    assert.equal(csv.length, 4);
    assert.match(csv[1] ?? '', /^2,p0@json\.test,,email,subscribe,confirmed,,events,/);
    const ndjson = (await run('report', report.id, '--ndjson')).stdout.trimEnd().split('\n');
    assert.equal((JSON.parse(ndjson[2] ?? '') as { email: string }).email, 'p2@json.test');

    const list = JSON.parse((await run('status', '--json')).stdout) as {
      migrations: { id: string }[];
    };
    assert.equal(list.migrations[0]?.id, report.id);
  });

  for (const [what, flags, message] of [
    ['a list that does not exist', ['--list', 'Nowhere'], /Nowhere/],
    ['a double opt-in list that nobody expects', ['--list', 'Double'], /--opt-in double/],
    ['no word on the opt-in process without a list', [], /--opt-in single/],
  ] as const) {
    it(`migrate sends nothing to ${what}`, async () => {
      const carried = await sandbox.subscribedCount();
      const file = await source('refused.csv', people(2, `refused-${flags.length}.test`));
      const { code, stdout, stderr } = await run('migrate', file, ...flags);
      assert.equal(code, 3);
      assert.match(stderr, message);
      assert.match(stderr, /Nothing was sent\.\n$/);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
      assert.doesNotMatch(stdout, /Plan/);
      assert.equal(await sandbox.subscribedCount(), carried);
    });
  }

  it('migrate ends with 2 for a source that it cannot read', async () => {
    const { code, stderr } = await run(
      'migrate',
      join(stack.folder, 'none.csv'),
      '--list',
      'Single',
    );
    assert.equal(code, 2);
    assert.match(stderr, /none\.csv/);
    const unknown = await run('report', '20200101-00000000');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /20200101-00000000/);
  });

  it('a run goes on detached, is met again, pauses, resumes and is cancelled', async () => {
    await sandbox.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: '429',
      times: 1_000,
      retryAfter: 4,
    });
    const file = await source('steered.csv', people(5, 'steered.test'));
    const flags = [file, '--list', 'Single', '--detach', '--json'];
    const first = JSON.parse((await run('migrate', ...flags)).stdout) as {
      id: string;
      attached: boolean;
    };
    const second = JSON.parse((await run('migrate', ...flags)).stdout) as typeof first;
    assert.deepEqual([first.attached, second.attached, second.id], [false, true, first.id]);

    assert.equal((await run('pause', first.id)).code, 0);
    await until(async () => (await statusOf(first.id)).paused);
    assert.equal((await run('resume', first.id)).code, 0);
    await until(async () => !(await statusOf(first.id)).paused);

    const cancelled = await run('cancel', first.id, '--json');
    assert.equal(cancelled.code, 0, cancelled.stderr);
    const report = JSON.parse(cancelled.stdout) as Report;
    assert.deepEqual([report.phase, report.outcomes], ['cancelled', { cancelled: 5 }]);
    const again = await run('cancel', first.id);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /already ended \(cancelled\)/);
    await sandbox.clearFaults();
  });

  describe('more than 1,000 rows', () => {
    const question = /Type the number of rows \(1001\)/;

    it('are sent when their number is typed, and not for another one', async () => {
      const file = await source('typed.csv', people(1_001, 'typed.test'));
      const before = await sandbox.subscribedCount();
      const wrong = await runTyping([[question, '1000\r']], 'migrate', file, '--list', 'Single');
      assert.equal(wrong.code, 5, wrong.stderr);
      assert.match(wrong.stdout, /is cancelled\. Nothing was sent\.\n$/);
      assert.equal(await sandbox.subscribedCount(), before);
      const right = await runTyping([[question, '1,001\r']], 'migrate', file, '--list', 'Single');
      assert.equal(right.code, 0, right.stderr);
      assert.match(right.stdout, /^confirmed +1,001 /m);
    });

    it('wait for approval where the question is left, until --yes gives it', async () => {
      const file = await source('left.csv', people(1_001, 'left.test'));
      const flags = ['migrate', file, '--list', 'Single'];
      const left = await runTyping([[question, '\u0003']], ...flags);
      assert.equal(left.code, 130, left.stderr);
      const id = /consentry approve (\S+)/.exec(left.stderr)?.[1] ?? '';
      assert.match(left.stderr, /Nothing was sent\. Migration \S+ waits for your approval/);

      // Nobody is there to be asked: the run is somebody else's, and stays as it is.
      const unasked = await run(...flags);
      assert.equal(unasked.code, 2);
      assert.match(unasked.stderr, new RegExp(`consentry approve ${id}, or .* --yes`));
      const detached = await run(...flags, '--detach', '--json');
      const { attached, waitsForApproval } = JSON.parse(detached.stdout) as Record<string, unknown>;
      assert.deepEqual([attached, waitsForApproval], [true, true]);
      const status = await run('status', id);
      assert.match(status.stdout, /^Plan for 1,001 rows[^]*Approve it: consentry approve /);

      const approved = await run(...flags, '--yes', '--json');
      assert.equal(approved.code, 0, approved.stderr);
      const report = JSON.parse(approved.stdout) as Report;
      assert.deepEqual([report.id, report.outcomes], [id, { confirmed: 1_001 }]);
    });

    it('are cancelled at once where this very command can ask nobody', async () => {
      const file = await source('unasked.csv', people(1_001, 'unasked.test'));
      const { code, stderr } = await run('migrate', file, '--list', 'Single');
      assert.equal(code, 2);
      assert.match(stderr, /give --yes/);
      const { migrations } = JSON.parse((await run('status', '--json')).stdout) as {
        migrations: { id: string }[];
      };
      await until(async () => (await statusOf(migrations[0]?.id ?? '')).phase === 'cancelled');
    });
  });

  it('a pilot says how the rest is sent, which asks first where it is large', async () => {
    const file = await source('pilot.csv', people(1_010, 'pilot.test'));
    const pilot = await run('migrate', file, '--list', 'Single', '--pilot', '3', '--yes');
    assert.equal(pilot.code, 0, pilot.stderr);
    assert.match(pilot.stdout, /The first 3 rows go alone, to their end; the rest is not sent/);
    const id = /Send the rest: consentry retry-failed (\S+)/.exec(pilot.stdout)?.[1] ?? '';
    const rest = await run('retry-failed', id, '--json');
    const started = JSON.parse(rest.stdout) as Record<string, unknown>;
    assert.deepEqual([started['rows'], started['waitsForApproval']], [1_007, true]);
    const rerun = String(started['id']);
    await until(async () => (await statusOf(rerun)).phase === 'approval');
    assert.equal((await run('approve', rerun)).code, 0);
    await until(async () => (await statusOf(rerun)).times.finishedAt !== null);
    assert.deepEqual((await statusOf(rerun)).outcomes, { confirmed: 1_007 });
  });

  it('a dry run ends with its plan, and tells how to start', async () => {
    const file = await source('dry.csv', ['email,email_consent', 'dry@dry.test,yes', 'no,yes']);
    const before = await sandbox.subscribedCount();
    const { code, stdout, stderr } = await run('migrate', file, '--list', 'Single', '--dry-run');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Nothing was sent, as --dry-run asks\.[^]*1 refusal with reasons: /);
    assert.doesNotMatch(stdout + stderr, /cancelled/);
    assert.equal(await sandbox.subscribedCount(), before);
  });

  it('a key that is revoked half-way holds the run, which goes on by itself when it works again', async () => {
    await sandbox.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: 'revoke_key',
      times: 1,
      after: 1,
    });
    const file = await source('revoked.csv', people(1_001, 'revoked.test'));
    const running = run('migrate', file, '--list', 'Single', '--yes', '--json');
    const id = await newestOf('revoked.csv');
    await until(async () => (await statusOf(id)).held !== null);
    const { phase, held } = await statusOf(id);
    assert.equal(phase, 'submit');
    assert.match(held ?? '', /^KLAVIYO_API_KEY was refused \(401\)/);
    const shown = await run('status', id);
    assert.match(
      shown.stdout,
      /KLAVIYO_API_KEY was refused[^]*goes on by itself[^]*Only cancel ends/,
    );

    await sandbox.clearFaults();
    const { code, stdout, stderr } = await running;
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual([report.id, report.outcomes], [id, { confirmed: 1_001 }]);
    assert.equal((await statusOf(id)).held, null);
  });

  it('worker names the key that it needs', async () => {
    const { code, stderr } = await run('worker');
    assert.equal(code, 2);
    assert.match(stderr, /KLAVIYO_API_KEY/);
    assert.match(stderr, /--role workflow/);
  });

  it('Ctrl-C stops watching and not the migration', async () => {
    const file = await source('watched.csv', people(5, 'filtered-out.test'));
    const flags = ['--list', 'Double', '--opt-in', 'double', '--confirm-within', '10m'];
    const child = startProgram(CONSENTRY, ['migrate', file, ...flags]);
    let shown = '';
    child.stdout.on('data', (text: string) => {
      shown += text;
      if (shown.includes('Plan for')) child.kill('SIGINT');
    });
    const { code, stderr } = await endOf(child);
    assert.equal(code, 130, stderr);
    const id = /consentry cancel (\S+)/.exec(stderr)?.[1] ?? '';
    assert.equal((await statusOf(id)).times.finishedAt, null);
    assert.equal((await run('cancel', id, '--no-wait')).code, 0);
  });

  it('says that Temporal or the database does not answer', async () => {
    const { TEMPORAL_ADDRESS, DATABASE_URL } = process.env;
    process.env['TEMPORAL_ADDRESS'] = '127.0.0.1:1';
    const temporal = await run('status');
    process.env['TEMPORAL_ADDRESS'] = TEMPORAL_ADDRESS;
    assert.equal(temporal.code, 6);
    assert.match(temporal.stderr, /Temporal server at 127\.0\.0\.1:1/);
    process.env['DATABASE_URL'] = 'postgres://u:secret@127.0.0.1:1/none';
    const ledger = await run('status');
    process.env['DATABASE_URL'] = DATABASE_URL;
    assert.equal(ledger.code, 6);
    assert.match(ledger.stderr, /127\.0\.0\.1:1\/none/);
    assert.doesNotMatch(ledger.stderr, /secret/);
  });

  async function statusOf(id: string): Promise<Report & { readonly held: string | null }> {
    return JSON.parse((await run('status', id, '--json')).stdout) as Report & {
      readonly held: string | null;
    };
  }

  /** The id of the run of a source, once it has begun. */
  async function newestOf(name: string): Promise<string> {
    for (;;) {
      const { migrations } = JSON.parse((await run('status', '--json')).stdout) as {
        migrations: { id: string; sourceName: string }[];
      };
      const found = migrations.find(({ sourceName }) => sourceName === name);
      if (found !== undefined) return found.id;
    }
  }
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}
