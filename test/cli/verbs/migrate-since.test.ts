import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import type { Since } from '../../../src/cli/render/since.js';
import { startVerbStack, type VerbStack } from '../../support/processes/verb-stack.js';
import { run } from '../terminal.js';

interface Printed {
  readonly id: string | null;
  readonly rows: number;
  readonly attached: boolean;
  readonly since: Since | null;
}

const HEADER = 'email,email_consent,email_consented_at';
const row = (name: string, consent = 'yes') => `${name}@switch.test,${consent},2021-03-04`;
const FLAGS = ['--list', 'Single', '--historical', '--timezone', 'UTC'];

describe('migrate --since', { timeout: 180_000 }, () => {
  let stack: VerbStack;
  let older: string;
  before(async () => {
    stack = await startVerbStack();
    older = await stack.source('older.csv', [HEADER, row('stays'), row('leaves'), row('gone')]);
    const { code, stdout, stderr } = await run('migrate', older, ...FLAGS, '--json');
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as Printed).since, null);
  });
  after(() => stack.stop());

  const migrated = async (file: string, ...flags: string[]): Promise<Printed> => {
    const { code, stdout, stderr } = await run('migrate', file, ...FLAGS, ...flags, '--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Printed;
  };

  it('says what changed, runs only that, and lists who vanished for their owner alone', async () => {
    const rows = [HEADER, row('stays'), row('leaves', 'unsubscribed'), row('joins')];
    const newer = await stack.source('newer.csv', rows);
    const { code, stdout, stderr } = await run('migrate', newer, ...FLAGS, '--since', older);
    assert.equal(code, 0, stderr);
    const file = `${newer}.vanished.csv`;
    assert.match(
      stdout,
      /^3 rows read and compared with .*older\.csv: 2 new or changed, 1 left out because nothing about/,
    );
    assert.ok(stdout.includes(`1 person of it is missing now and is not opted out: ${file}\n`));
    assert.match(stdout, /started for account \w+: 2 rows/);
    assert.equal(
      await readFile(file, 'utf8'),
      'line,email,phone_number,said\n4,gone@switch.test,,email subscribe 2021-03-04T12:00:00Z\n',
    );
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    for (const [name, consent] of [
      ['stays', 'SUBSCRIBED'],
      ['leaves', 'UNSUBSCRIBED'],
      ['joins', 'SUBSCRIBED'],
      ['gone', 'SUBSCRIBED'],
    ] as const) {
      const shown = await run('show', `${name}@switch.test`);
      assert.match(shown.stdout, new RegExp(`\\b${consent}\\b`), name);
    }
  });

  it('has the same as JSON, and no file if nobody vanished', async () => {
    const rows = [HEADER, row('stays'), row('leaves'), row('gone'), row('later')];
    const newer = await stack.source('grown.csv', rows);
    const { rows: run, since } = await migrated(newer, '--since', older);
    assert.equal(run, 1);
    assert.deepEqual(since, { rows: 4, changed: 1, unchanged: 3, vanished: 0, file: null });
    await assert.rejects(stat(`${newer}.vanished.csv`), { code: 'ENOENT' });
  });

  it('writes a file that opts out whoever vanished, if they are to be', async () => {
    const newer = await stack.source('smaller.csv', [HEADER, row('stays')]);
    const { since } = await migrated(newer, '--since', older);
    assert.equal(since?.vanished, 2);
    const file = since.file ?? '';
    const out = await run('migrate', file, '--operation', 'unsubscribe', '--yes', '--json');
    assert.equal(out.code, 0, out.stderr);
    const { rows, since: none } = JSON.parse(out.stdout) as Printed;
    assert.deepEqual([rows, none], [2, null]);
    const shown = await run('show', 'gone@switch.test');
    assert.match(shown.stdout, /\bUNSUBSCRIBED\b/);
  });

  it('starts nothing if nothing changed, and says so', async () => {
    const newer = await stack.source('same.csv', [HEADER, row('gone'), row('stays')]);
    const since = {
      rows: 2,
      changed: 0,
      unchanged: 2,
      vanished: 1,
      file: `${newer}.vanished.csv`,
    };
    assert.deepEqual(await migrated(newer, '--since', older), { id: null, since });
    const said = await run('migrate', newer, ...FLAGS, '--since', older);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stdout, /Nothing is new or changed: nothing was started\.\n$/);
    const runs = JSON.parse((await run('status', '--json')).stdout) as { sourceName: string }[];
    assert.equal(JSON.stringify(runs).includes('same.csv'), false);
  });

  it('meets the same run again, and starts another one for another older export', async () => {
    // So many rows wait for approval, so that the runs are still there.
    const many = Array.from({ length: 1_001 }, (_, n) => row(`met-${n}`));
    const out = [row('out', 'unsubscribed'), row('out-too', 'unsubscribed')];
    const one = await stack.source('one-out.csv', [HEADER, ...out.slice(0, 1)]);
    const both = await stack.source('both-out.csv', [HEADER, ...out]);
    for (const file of [one, both]) await migrated(file);
    const newer = await stack.source('met.csv', [HEADER, ...out, ...many]);
    const first = await migrated(newer, '--since', both, '--detach');
    const again = await migrated(newer, '--since', both, '--detach');
    assert.deepEqual([first.attached, again.attached, again.id], [false, true, first.id]);
    assert.deepEqual([first.since?.changed, again.since], [1_001, null]);
    const other = await migrated(newer, '--since', one, '--detach');
    const whole = await migrated(newer, '--detach');
    assert.deepEqual([other.attached, whole.attached], [false, false]);
    for (const { id } of [first, other, whole]) await run('cancel', id ?? '');
  });

  for (const [what, file, flags, message] of [
    [
      'into another list',
      'older.csv',
      ['--list', 'Double', ...FLAGS.slice(2)],
      /settings: listId\./,
    ],
    ['in another way', 'older.csv', [...FLAGS, '--from', 'list'], /settings: unsubscribeFrom\./],
    ['as of another country', 'older.csv', [...FLAGS, '--country', 'US'], /settings: country\./],
    ['not at all', 'never.csv', FLAGS, /never\.csv: No migration of account \w+ has read this/],
    ['only as a plan', 'planned.csv', FLAGS, /has not sent all of it \(planned\)/],
    ['only in part', 'piloted.csv', FLAGS, /has not sent all of it \(done\)/],
  ] as const) {
    it(`is refused if what did not change was migrated ${what}`, async () => {
      const names = file === 'older.csv' ? ['stays', 'leaves', 'gone'] : [`${file}-1`, `${file}-2`];
      const source = await stack.source(file, [HEADER, ...names.map((name) => row(name))]);
      if (file === 'planned.csv') await migrated(source, '--dry-run');
      if (file === 'piloted.csv') await migrated(source, '--pilot', '1');
      const newer = await stack.source('refused.csv', [HEADER, row('stays'), row('refused')]);
      const { code, stdout, stderr } = await run('migrate', newer, ...flags, '--since', source);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
      assert.match(stderr, /or leave it out: every row is run then/);
      await assert.rejects(stat(`${newer}.vanished.csv`), { code: 'ENOENT' });
    });
  }

  it('is refused for a database, and for an older export of another layout', async () => {
    const query = await run('migrate', stack.databaseUrl, '--query', 'select 1', '--since', older);
    assert.equal(query.code, 2);
    assert.match(query.stderr, /^--since compares two files, not a database: write the rows/m);
    const other = await stack.source('other-layout.csv', ['Mail,Consent', 'a@switch.test,yes']);
    const { code, stderr } = await run('migrate', older, ...FLAGS, '--since', other);
    assert.equal(code, 2);
    assert.match(stderr, /other-layout\.csv.* do not match the preset generic/);
  });
});
