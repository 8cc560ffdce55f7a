import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { before, describe, it } from 'node:test';
import type { AppliedChange } from '../../../src/cli/run/applied-change.js';
import { run, runTyping } from '../terminal.js';
import { inShop } from './shop.js';

/** Known to nobody else on this Temporal server. */
const ACCOUNT = `Q${process.pid}`;

interface Planned {
  readonly program: string;
  readonly change: string;
  readonly runs: boolean;
  readonly createsList: string | null;
  readonly toSend: unknown;
  readonly doubleOptInMessages: number;
  readonly failure: string | null;
}

describe('plan and apply', { timeout: 240_000 }, () => {
  const shop = inShop(ACCOUNT, { clicks: { share: 1, delayMs: [0, 0] } });
  before(async () => {
    shop.sandbox.account.seed({ email: 'out@shop.test', email_consent: 'UNSUBSCRIBED' });
    await shop.people('people', 'in', 'out', 'ada', 'bob');
  });

  async function file(...programs: string[]): Promise<void> {
    const lines = programs.map((each) => `  ${each}`);
    const created = ['Club', 'Nowhere'].filter((name) =>
      programs.some((each) => each.includes(name)),
    );
    const head = [
      'version: 1',
      `accounts: { shop: { create_lists: [${created.join()}] } }`,
      'programs:',
    ];
    await writeFile('consentry.yaml', `${[...head, ...lines].join('\n')}\n`);
  }

  const SOURCE = 'account: shop, source: { file: people.csv }';
  const CLUB = `club: { ${SOURCE}, list: Club, opt_in: double }`;
  const NEWS = `news: { ${SOURCE}, list: Newsletter, opt_in: single }`;

  async function plan(...flags: string[]): Promise<{ code: number; programs: Planned[] }> {
    const { code, stdout, stderr } = await run('plan', ...flags, '--json');
    assert.ok(stdout !== '', stderr);
    return { code, programs: (JSON.parse(stdout) as { programs: Planned[] }).programs };
  }

  async function apply(): Promise<{ code: number; programs: AppliedChange[] }> {
    const { code, stdout, stderr } = await run('apply', '--yes', '--json');
    assert.ok(stdout !== '', stderr);
    return { code, programs: (JSON.parse(stdout) as { programs: AppliedChange[] }).programs };
  }

  const subscribed = (): string[] =>
    [...shop.sandbox.account.subscribed()].map(({ email }) => email ?? '').sort();
  const lists = (): (readonly [string, string])[] =>
    shop.sandbox.account.lists.all().map(({ name, optIn }) => [name, optIn] as const);
  const statuses = (programs: readonly AppliedChange[]): (readonly [string, string, string])[] =>
    programs.map(({ program, change, status }) => [program, change, status] as const);

  it('plan says what would be created and sent, and does neither', async () => {
    await file(CLUB);
    const { code, programs } = await plan('--check');
    assert.equal(code, 8);
    const [club] = programs;
    assert.ok(club !== undefined);
    assert.equal(club.failure, null);
    assert.deepEqual([club.change, club.runs, club.createsList], ['new', true, 'Club']);
    assert.deepEqual(club.toSend, [{ channel: 'email', operation: 'subscribe', parts: 2 }]);
    assert.equal(club.doubleOptInMessages, 2);
    assert.deepEqual(lists(), [['Newsletter', 'single_opt_in']]);
    assert.deepEqual(subscribed(), []);
    const words = await run('plan');
    assert.equal(words.code, 0);
    assert.match(
      words.stdout,
      /^club .*new +create the list "Club" and add whoever is subscribed already, subscribe 2 \(email\), with 2 double opt-in messages +1$/m,
    );
  });

  it('apply asks, and does nothing without a yes', async () => {
    const nobody = await run('apply');
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /add --yes/);
    const no = await runTyping([[/Apply this\?/, 'n\n']], 'apply');
    assert.equal(no.code, 5, no.stderr);
    assert.equal(lists().length, 1);
    assert.deepEqual(subscribed(), []);
  });

  it('apply creates the list and runs the program; the second time nothing changes', async () => {
    const first = await runTyping([[/Apply this\?/, 'y\n']], 'apply');
    assert.equal(first.code, 0, first.stderr + first.stdout);
    assert.deepEqual(lists(), [
      ['Newsletter', 'single_opt_in'],
      ['Club', 'double_opt_in'],
    ]);
    assert.deepEqual(subscribed(), ['ada@shop.test', 'bob@shop.test']);
    const { code, programs } = await apply();
    assert.equal(code, 0);
    assert.deepEqual(statuses(programs), [['club', 'none', 'unchanged']]);
    assert.equal(programs[0]?.migration, null);
    assert.equal(lists().length, 2);
    assert.equal((await plan('--check')).code, 0);
  });

  it('what program run has run is applied', async () => {
    await file(CLUB, NEWS);
    assert.equal((await plan('--check')).code, 8);
    assert.equal((await run('program', 'run', 'news', '--dry-run')).code, 0);
    assert.equal((await plan('--check')).code, 8, 'a dry run applies nothing');
    assert.equal((await run('program', 'run', 'news')).code, 0);
    assert.equal((await plan('--check')).code, 0);
  });

  it('a program that is switched off or removed sends nothing, and takes nobody’s consent', async () => {
    const before = subscribed();
    await file(CLUB.replace(/ }$/, ', enabled: false }'));
    const planned = await plan('--check');
    assert.equal(planned.code, 8);
    assert.deepEqual(
      planned.programs.map(({ program, change, runs }) => [program, change, runs]),
      [
        ['club', 'switched_off', false],
        ['news', 'removed', false],
      ],
    );
    const { code, programs } = await apply();
    assert.equal(code, 0);
    assert.deepEqual(statuses(programs), [
      ['club', 'switched_off', 'recorded'],
      ['news', 'removed', 'recorded'],
    ]);
    assert.deepEqual(subscribed(), before);
    assert.equal((await plan('--check')).code, 0);
    await file(CLUB);
    assert.deepEqual((await plan()).programs[0]?.change, 'switched_on');
  });

  it('a program that cannot be applied does not stop the next, and stays to be applied', async () => {
    await file(`lost: { ${SOURCE}, list: Nowhere }`, NEWS.replace('news', 'again'));
    const planned = await plan();
    assert.equal(planned.code, 2);
    assert.match(planned.programs[0]?.failure ?? '', /no list "Nowhere".*give its opt_in/);
    const { code, programs } = await apply();
    assert.equal(code, 2);
    assert.deepEqual(statuses(programs), [
      ['lost', 'new', 'failed'],
      ['again', 'new', 'done'],
      ['club', 'removed', 'recorded'],
    ]);
    assert.equal((await plan('--check')).programs[0]?.change, 'new');
  });

  it('a list that is not there is created only if the file says so: a name may be misspelt', async () => {
    const typo = `news: { ${SOURCE}, list: Newsleter, opt_in: single }`;
    await file(typo);
    const before = lists();
    const { code, programs } = await plan();
    assert.equal(code, 3);
    assert.equal(programs[0]?.createsList, null);
    assert.match(
      programs[0]?.failure ?? '',
      /^consentry\.yaml, line 4, column \d+: programs\.news\.list names a list that cannot be used\. .*"Newsleter", but Newsletter \(NEWSLT\)\..* named in accounts\.shop\.create_lists\. \[ListNotFound\]$/,
    );
    const applied = await apply();
    assert.equal(applied.code, 3);
    assert.equal(applied.programs[0]?.status, 'failed');
    assert.deepEqual(lists(), before);
  });
});
