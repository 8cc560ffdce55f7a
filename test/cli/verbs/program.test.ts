import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Sandbox, startSandbox } from 'klaviyo-sandbox';
import pg from 'pg';
import type { RanProgram } from '../../../src/cli/run/ran-program.js';
import { withConsentry } from '../../../src/cli/with-consentry.js';
import type { Report } from '../../../src/starter/migrations/report.js';
import { startVerb } from '../../../src/demo/child.js';
import { verbEnvironment } from '../../support/processes/verb-environment.js';
import { createTestDatabase, type TestDatabase } from '../../support/stack.js';
import { run } from '../terminal.js';

/** Known to nobody else on this Temporal server. */
const ACCOUNT = `P${process.pid}`;
const PASSWORD = 'hunter2secret';

const FILE = `
version: 1
accounts: { shop: { country: US } }
connections: { crm: { url: { env: TEST_CRM_URL } } }
defaults: { shop: { list: Newsletter, opt_in: single } }
programs:
  ambassadors:
    account: shop
    source:
      connection: crm
      query: select email, phone_number, 'yes' as email_consent, sms_consent from ambassadors
    channels: [email, sms]
    list: Ambassadors
    opt_in: double
    proof: { statement: "https://shop.test/terms#mail", method: sign-up form }
  newsletter:
    account: shop
    source: { connection: crm, query: "select email, consent as email_consent from readers" }
  vip:
    account: shop
    source: { file: data/vip.csv }
  nobody:
    account: shop
    source: { file: data/vip.csv }
    channels: []
`;

describe('program, from an empty folder', { timeout: 180_000 }, () => {
  const started = process.cwd();
  let folder: string;
  let ledger: TestDatabase;
  let crm: TestDatabase;
  let sandbox: Sandbox;
  let worker: { stop(): Promise<void> };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    process.chdir(folder);
    ledger = await createTestDatabase();
    crm = await createTestDatabase();
    await ask(
      `create table ambassadors (email text, phone_number text, sms_consent text);
       insert into ambassadors values ('amy@shop.test', '(201) 555-0123', 'yes'), ('out@shop.test', null, null);
       create table readers (email text, consent text);
       insert into readers values ('sub@shop.test', 'yes'), ('rea@shop.test', 'yes'),
         ('gone@shop.test', 'yes'), ('not an address', 'yes'), ('sup@shop.test', 'yes')`,
    );
    const environment = await verbEnvironment(folder, ledger);
    Object.assign(process.env, environment, { TEST_CRM_URL: crm.url });
    sandbox = await startSandbox({
      delays: 'fast',
      account: { id: ACCOUNT },
      clicks: { share: 1, delayMs: [0, 0] },
      sms: { status: 'active', senders: [{ country: 'US', type: 'toll_free', status: 'active' }] },
      lists: [
        { id: 'NEWSLT', name: 'Newsletter', opt_in_process: 'single_opt_in' },
        { id: 'AMBASS', name: 'Ambassadors', opt_in_process: 'double_opt_in' },
        { id: 'TWICE1', name: 'Twice', opt_in_process: 'single_opt_in' },
        { id: 'TWICE2', name: 'Twice', opt_in_process: 'single_opt_in' },
      ],
    });
    sandbox.account.seed({ email: 'out@shop.test', email_consent: 'UNSUBSCRIBED' });
    sandbox.account.seed({
      email: 'sub@shop.test',
      email_consent: 'SUBSCRIBED',
    });
    sandbox.account.seed({ email: 'gone@shop.test', email_consent: 'UNSUBSCRIBED' });
    sandbox.account.seed({ email: 'sup@shop.test', suppressions: ['USER_SUPPRESSED'] });
    const key = { SHOP_KEY: sandbox.apiKey, KLAVIYO_BASE_URL: sandbox.url };
    await writeFile(
      join(folder, 'worker.yaml'),
      `version: 1\naccounts: { shop: { id: ${ACCOUNT}, key: { env: SHOP_KEY } } }\n`,
    );
    const argv: [string, ...string[]] = [
      'worker',
      '--config',
      join(folder, 'worker.yaml'),
      '--config-account',
      'shop',
    ];
    ({ process: worker } = await startVerb(argv, { ...environment, ...key }, folder));
  });
  after(async () => {
    await worker.stop();
    await sandbox.close();
    await ledger.drop();
    await crm.drop();
    process.chdir(started);
    await rm(folder, { recursive: true });
  });

  async function ask(sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: crm.url });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }

  async function runJson(...argv: string[]): Promise<{ code: number; programs: RanProgram[] }> {
    const { code, stdout, stderr } = await run('program', 'run', ...argv, '--json');
    assert.ok(stdout !== '', stderr);
    const { programs } = JSON.parse(stdout) as { programs: RanProgram[] };
    return { code, programs };
  }

  const subscribed = (): string[] =>
    [...sandbox.account.subscribed()].map(({ email, phone_number }) => email ?? phone_number ?? '');

  it('says what to do where there is no file yet', async () => {
    const { code, stderr } = await run('program', 'list');
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^consentry\.yaml: The file does not exist\. Write one with consentry init/,
    );
  });

  it('runs what init has written', async () => {
    await writeFile('first.csv', 'email,email_consent\nfirst@shop.test,yes\n');
    const init = await run(
      ...['init', '--source', 'first.csv', '--list', 'Newsletter', '--opt-in', 'single'],
    );
    assert.equal(init.code, 0, init.stderr);
    assert.equal((await run('config', 'check')).code, 0);
    const { code, programs } = await runJson('newsletter');
    assert.equal(code, 0);
    assert.deepEqual(programs[0]?.report?.outcomes, { confirmed: 1 });
  });

  it('list shows settings and contacts, also if one source cannot be read', async () => {
    await rm('consentry.yaml');
    await writeFile('consentry.yaml', FILE);
    const broken = await run('program', 'list');
    assert.equal(broken.code, 2);
    assert.match(broken.stdout, /^newsletter +shop +email +Newsletter +single +5$/m);
    assert.match(broken.stdout, /^vip .* \?$/m);
    assert.match(broken.stderr, /^vip: data\/vip\.csv/m);
    const { mkdir } = await import('node:fs/promises');
    await mkdir('data');
    await writeFile('data/vip.csv', 'email,email_consent\nvip@shop.test,yes\nbad,yes\n');
    const { code, stdout } = await run('program', 'list', '--json');
    assert.equal(code, 0);
    const { programs } = JSON.parse(stdout) as {
      programs: { program: string; contacts: number; settings: Record<string, unknown> }[];
    };
    assert.deepEqual(
      programs.map(({ program, contacts }) => [program, contacts]),
      [
        ['ambassadors', 2],
        ['newsletter', 5],
        ['vip', 2],
        ['nobody', 2],
      ],
    );
    assert.deepEqual(programs[1]?.settings['channels'], { value: ['email'], from: 'built in' });
    assert.deepEqual(programs[1]?.settings['list'], { value: 'Newsletter', from: 'defaults' });
  });

  it('show counts contacts by the consent that Klaviyo shows, and sends nothing', async () => {
    const sent = subscribed();
    const { code, stdout, stderr } = await run('program', 'show', 'newsletter', '--json');
    assert.equal(code, 0, stderr);
    const shown = JSON.parse(stdout) as { contacts: number; consent: unknown; migration: string };
    assert.equal(shown.contacts, 5);
    assert.deepEqual(shown.consent, [
      { channel: 'email', state: 'subscribed', contacts: 1 },
      { channel: 'email', state: 'unsubscribed', contacts: 1 },
      { channel: 'email', state: 'suppressed', contacts: 1 },
      { channel: 'email', state: 'not_in_klaviyo', contacts: 1 },
      { channel: 'email', state: 'not_read', contacts: 1 },
    ]);
    const words = await run('program', 'show', 'ambassadors');
    assert.match(words.stdout, /^opt_in +double +program$/m);
    assert.match(words.stdout, /^country +US +account$/m);
    assert.match(words.stdout, /^Proof: sign-up form: https:\/\/shop\.test\/terms#mail$/m);
    assert.match(words.stdout, /^consent in Klaviyo +email +sms$/m);
    assert.match(words.stdout, /^not in Klaviyo +1 +1$/m);
    const nobody = await run('program', 'show', 'nobody');
    assert.equal(nobody.code, 0, nobody.stderr);
    assert.match(nobody.stdout, /^channels +none +program$/m);
    assert.deepEqual(subscribed(), sent);
  });

  it('run --dry-run plans and sends nothing', async () => {
    const sent = subscribed();
    const { code, programs } = await runJson('--all', '--dry-run');
    assert.equal(code, 0);
    assert.deepEqual(
      programs.map(({ program, status }) => [program, status]),
      [
        ['ambassadors', 'planned'],
        ['newsletter', 'planned'],
        ['vip', 'planned'],
        ['nobody', 'skipped'],
      ],
    );
    const words = await run('program', 'run', '--all', '--dry-run');
    assert.match(words.stdout, /^Program nobody\nIt has no channels, so nothing is run for it\.$/m);
    assert.match(
      words.stdout,
      /^vip +planned +\S+ +2 +(rejected 1, to be sent 1|to be sent 1, rejected 1)$/m,
    );
    assert.deepEqual(subscribed(), sent);
  });

  it('run --all runs one migration for each program, with its settings and its proof', async () => {
    const { code, programs } = await runJson('--all');
    assert.equal(code, 0);
    assert.deepEqual(
      programs.map(({ program, status, report }) => [program, status, report?.outcomes]),
      [
        ['ambassadors', 'done', { confirmed: 1, skipped_opted_out: 1 }],
        [
          'newsletter',
          'done',
          { confirmed: 1, already_consented: 1, skipped_opted_out: 2, rejected: 1 },
        ],
        ['vip', 'done', { confirmed: 1, rejected: 1 }],
        ['nobody', 'skipped', undefined],
      ],
    );
    assert.deepEqual(programs[0]?.report?.program, 'ambassadors');
    const { settings } = programs[0].report ?? {};
    assert.deepEqual(
      [settings?.listId, settings?.channels, settings?.customSource],
      ['AMBASS', ['email', 'sms'], 'sign-up form: https://shop.test/terms#mail'],
    );
    const { email, sms } = sandbox.account.truthFor({ email: 'amy@shop.test' })!.subscriptions;
    assert.deepEqual(
      [email.marketing.consent, email.marketing.custom_method_detail, sms.marketing.consent],
      ['SUBSCRIBED', 'sign-up form: https://shop.test/terms#mail', 'SUBSCRIBED'],
    );
    for (const gone of ['out@shop.test', 'gone@shop.test', 'sup@shop.test']) {
      assert.ok(!subscribed().includes(gone), gone);
    }
    assert.match(await readFile('newsletter.rejects.csv', 'utf8'), /not an address/);
    assert.match(await readFile('vip.rejects.csv', 'utf8'), /"bad,yes"/);
    const shown = await run('status', programs[0].migration ?? '');
    assert.match(shown.stdout, /^Program: ambassadors$/m);
  });

  it('one program that fails does not stop the others; the worst exit code counts', async () => {
    const other = FILE.replace('list: Ambassadors\n    opt_in: double', 'list: Twice').replace(
      'source: { file: data/vip.csv }',
      'list: newsletter\n    source: { file: data/vip.csv }',
    );
    await writeFile(
      'other.yaml',
      other.replace(' from readers', " from readers where email like 'late%'"),
    );
    await ask("insert into readers values ('late@shop.test', 'yes')");
    const sent = subscribed();
    const { code, programs } = await runJson('--all', '--config', 'other.yaml');
    assert.equal(code, 3);
    assert.deepEqual(
      programs.map(({ program, status, exitCode }) => [program, status, exitCode]),
      [
        ['ambassadors', 'failed', 3],
        ['newsletter', 'done', 0],
        ['vip', 'failed', 3],
        ['nobody', 'skipped', 0],
      ],
    );
    assert.match(
      programs[0]?.failure ?? '',
      /several lists .* "Twice": TWICE1, TWICE2\. Give the id/,
    );
    assert.match(
      programs[2]?.failure ?? '',
      /^other\.yaml, line \d+, column \d+: programs\.vip\.list .*no list with the id or the name "newsletter"/,
    );
    assert.deepEqual(subscribed(), [...sent, 'late@shop.test']);
  });

  it('a refusal of the account names keys of the file, not flags', async () => {
    await writeFile(
      'other.yaml',
      FILE.replace('opt_in: single', 'channels: [email]').replace(
        'list: Newsletter',
        'list: Ambassadors',
      ),
    );
    const { code, programs } = await runJson('newsletter', '--config', 'other.yaml');
    assert.equal(code, 3);
    assert.match(programs[0]?.failure ?? '', /Use opt_in double if that is intended/);
  });

  it('run --detach starts and returns', async () => {
    await writeFile('data/vip.csv', 'email,email_consent\ndetached@shop.test,yes\n');
    const { code, programs } = await runJson('vip', '--detach');
    assert.equal(code, 0);
    const [vip] = programs;
    assert.deepEqual([vip?.status, vip?.report], ['started', null]);
    await withConsentry(({ consentry }) => consentry.migrations.waitForEnd(vip?.migration ?? ''));
    const { stdout } = await run('report', vip?.migration ?? '', '--json');
    assert.deepEqual((JSON.parse(stdout) as Report).outcomes, { confirmed: 1 });
  });

  it('run takes how the run goes: rows that go first, share, deadlines', async () => {
    const rows = Array.from({ length: 4 }, (_, n) => `first${n}@shop.test,yes`);
    await writeFile('data/vip.csv', ['email,email_consent', ...rows].join('\n'));
    const how = ['--canary', '1', '--wait', '1s', '--share', '0.5', '--confirm-within', '7m'];
    const { code, programs } = await runJson('vip', ...how);
    assert.equal(code, 0);
    const { outcomes, share, settings } = programs[0]?.report ?? {};
    assert.deepEqual([outcomes, share, settings?.canaryRows], [{ confirmed: 4 }, 0.5, 1]);
  });

  it('refuses a wrong value of them by its flag, and starts nothing', async () => {
    for (const [flags, message] of [
      [['--share', '2'], /--share.*above 0 and at most 1/],
      [['--wait', '1m'], /--canary .*give the number of rows that go first/],
      [['--pilot', '5'], /unknown option '--pilot'/],
    ] as const) {
      const { code, stderr } = await run('program', 'run', 'vip', ...flags);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  });

  it('a large run is not sent unless somebody approves it', async () => {
    const many = Array.from({ length: 1_001 }, (_, n) => `p${n}@shop.test,yes`);
    await writeFile('data/vip.csv', ['email,email_consent', ...many].join('\n'));
    const sent = subscribed();
    const { code, programs } = await runJson('vip');
    assert.equal(code, 2);
    assert.match(
      programs[0]?.failure ?? '',
      /no terminal to ask for approval: give --yes, or --detach/,
    );
    assert.deepEqual(subscribed(), sent);
    const approved = await runJson('vip', '--yes');
    assert.deepEqual(approved.programs[0]?.report?.outcomes, { confirmed: 1_001 });
  });

  it('refuses a wrong name, and a name beside --all', async () => {
    for (const [argv, message] of [
      [['run', 'newsleter'], /has no program newsleter: did you mean newsletter\?/],
      [['show', 'x'], /has no program x: it has ambassadors, newsletter, vip, nobody\./],
      [['run'], /Say which program to run, or --all/],
      [['run', 'vip', '--all'], /vip and --all contradict each other/],
    ] as const) {
      const { code, stderr } = await run('program', ...argv);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  });

  it('shows no secret, whatever goes wrong with it', async () => {
    process.env['TEST_CRM_URL'] = `postgres://reader:${PASSWORD}@127.0.0.1:1/crm`;
    try {
      for (const argv of [['list'], ['show', 'newsletter'], ['run', 'newsletter']]) {
        for (const flags of [[], ['--json']]) {
          const { code, stdout, stderr } = await run('program', ...argv, ...flags);
          assert.equal(code, 2, stderr);
          assert.ok(!`${stdout}${stderr}`.includes(PASSWORD));
        }
      }
    } finally {
      process.env['TEST_CRM_URL'] = crm.url;
    }
  });
});
