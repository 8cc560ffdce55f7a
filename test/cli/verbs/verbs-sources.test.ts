import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import type { Report } from '../../../src/starter/migrations/report.js';
import { run, runTyping, type Ran } from '../terminal.js';
import { zipOf } from '../../support/zip.js';
import { startVerbStack, type VerbStack } from '../../support/processes/verb-stack.js';

const DOWN = '\u001B[B';
const ENTER = '\r';
const PHONE = '+12015550123';

/** A layout that no preset knows. */
const GERMAN = [
  'E-Mail;Vorname;Newsletter;Angemeldet am;Gesperrt',
  'anna@laden.test;Anna;ja;03.02.2021 14:05;',
  'bernd@laden.test;Bernd;nein;04.02.2021 09:30;',
  'clara@laden.test;Clara;abgemeldet;13.02.2021 10:00;',
];

describe('verbs about sources and reports', { timeout: 180_000 }, () => {
  let stack: VerbStack;
  before(async () => {
    stack = await startVerbStack();
    await stack.sandbox.seed([{ email: 'out@shop.test', email_consent: 'UNSUBSCRIBED' }]);
  });
  after(() => stack.stop());

  const migrated = async (...flags: string[]): Promise<Report> => {
    const { code, stdout, stderr } = await run('migrate', ...flags, '--list', 'Single', '--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Report;
  };

  describe('map', () => {
    const answers = [
      // Enter alone would be "never asked".
      [/What does "abgemeldet" in "Newsletter" mean/, DOWN.repeat(2) + ENTER],
      [/Which column has the date/, DOWN.repeat(3) + ENTER],
      [/Which time zone/, `Europe/Berlin${ENTER}`],
      [/Is this correct/, ENTER],
    ] as const;

    it('writes what migrate --map reads, and names the columns that it does not read', async () => {
      const file = await stack.source('laden.csv', GERMAN);
      const path = join(stack.folder, 'laden.mapping.yaml');
      const { code, stdout, stderr } = await runTyping(answers, 'map', file, path);
      assert.equal(code, 0, stderr);
      assert.match(
        stderr,
        /Not read: Vorname, Gesperrt\. If one of these columns says who must not/,
      );
      assert.match(stdout, new RegExp(`Try it with: .*--map ${path} --list ID --dry-run`));
      const { outcomes, parts } = await migrated(file, '--map', path, '--historical');
      assert.deepEqual(outcomes, { confirmed: 2, rejected: 1 });
      assert.equal(parts.find(({ outcome }) => outcome === 'rejected')?.reason, 'nothing_asked');
      const shown = JSON.parse((await run('show', 'anna@laden.test', '--json')).stdout) as {
        history: { consentedAt: string }[];
      };
      assert.equal(shown.history[0]?.consentedAt, '2021-02-03T13:05:00.000Z');

      await writeFile(path, (await readFile(path, 'utf8')).replace('subscribed:', 'subscribd:'));
      const wrong = await run('migrate', file, '--map', path, '--list', 'Single');
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /laden\.mapping\.yaml: .*"subscribd"/);
    });

    it('prints one JSON document', async () => {
      const file = await stack.source('laden-json.csv', GERMAN);
      const path = join(stack.folder, 'laden-json.yaml');
      const { stdout } = await runTyping(answers, 'map', file, path, '--json');
      const { mapping } = JSON.parse(stdout) as { mapping: { email: string } };
      assert.equal(mapping.email, 'E-Mail');
    });

    it('asks nothing where its file cannot be written, and writes nothing on Ctrl-C', async () => {
      const file = await stack.source('laden-left.csv', GERMAN);
      const there = await runTyping([], 'map', file, file);
      assert.equal(there.code, 2);
      assert.match(there.stderr, /laden-left\.csv already exists/);
      const nowhere = await runTyping([], 'map', file, join(stack.folder, 'none', 'x.yaml'));
      assert.equal(nowhere.code, 2);
      assert.match(nowhere.stderr, /x\.yaml cannot be written: there is no such folder/);
      const path = join(stack.folder, 'left.yaml');
      const left = await runTyping([[/What does "abgemeldet"/, '\u0003']], 'map', file, path);
      assert.equal(left.code, 130);
      assert.match(left.stderr, /Nothing was written/);
      await assert.rejects(stat(path), { code: 'ENOENT' });
    });
  });

  describe('migrate --query', () => {
    const query =
      'select mail as email, news as email_consent, at as email_consented_at from shop.people';
    before(async () => {
      const client = new pg.Client({ connectionString: stack.databaseUrl });
      await client.connect();
      await client.query(`
        create schema shop;
        create table shop.people (mail text, news text, at timestamptz);
        insert into shop.people values
          ('q1@query.test', 'yes', '2021-02-03T04:05:06Z'), ('no address', 'yes', now());
      `);
      await client.end();
    });

    const asked = (text: string, url = stack.databaseUrl): Promise<Ran> =>
      run('migrate', url, '--query', text, '--list', 'Single');

    it('takes the rows of a query, and writes the refused ones without lines', async () => {
      const rejects = join(stack.folder, 'query.csv');
      const flags = [stack.databaseUrl, '--query', query, '--rejects', rejects];
      const report = await migrated(...flags, '--historical');
      assert.deepEqual(report.outcomes, { confirmed: 1, rejected: 1 });
      const password = new URL(stack.databaseUrl).password;
      assert.ok(password !== '' && !JSON.stringify(report).includes(password));
      assert.match(await readFile(rejects, 'utf8'), /\n2,no address,,email,email_invalid,\n$/);
    });

    for (const [what, text, message] of [
      ['an unknown table', 'select * from shop.nobody', /"shop\.nobody" does not exist/],
      ['no rows', `${query} where false`, /returns no rows/],
      ['no column of consent', 'select mail as email from shop.people', /no column says who gave/],
      [
        'a statement that writes',
        'delete from shop.people returning mail',
        /SELECT that only reads/,
      ],
    ] as const) {
      it(`names ${what}`, async () => {
        const { code, stdout, stderr } = await asked(text);
        assert.equal(code, 2, stderr);
        assert.equal(stdout, '');
        assert.match(stderr, message);
      });
    }

    it('names a wrong password without showing it', async () => {
      const url = new URL(stack.databaseUrl);
      url.password = 'wrong-secret';
      const { code, stderr } = await asked(query, url.href);
      assert.equal(code, 2);
      assert.match(stderr, /refused this user/);
      assert.doesNotMatch(stderr, /wrong-secret/);
    });
  });

  it('migrate reads NDJSON, packed, and TSV', async () => {
    const packed = join(stack.folder, 'people.ndjson.gz');
    await writeFile(packed, gzipSync('{"email":"nd@form.test","email_consent":true}\n'));
    assert.deepEqual((await migrated(packed)).outcomes, { confirmed: 1 });
    const tsv = await stack.source('people.tsv', ['email\temail_consent', 'tsv@form.test\tyes']);
    assert.deepEqual((await migrated(tsv)).outcomes, { confirmed: 1 });
  });

  it('migrate reads a zip archive of Mailchimp’s, and says what it assumed', async () => {
    const zip = join(stack.folder, 'audience.zip');
    const subscribed = [
      'Email Address,First Name,OPTIN_TIME,CONFIRM_TIME',
      'jose@zip.test,José,,2021-03-04 05:06:07',
      'gone@zip.test,Gone,,2021-03-04 05:06:07',
      'nobody,,,',
    ].join('\n');
    await writeFile(
      zip,
      await zipOf({
        'subscribed_members_export.csv': Buffer.from(subscribed, 'latin1'),
        'unsubscribed_members_export.csv':
          'Email Address,UNSUB_TIME\ngone@zip.test,2022-01-02 03:04:05\n',
      }),
    );
    const flags = ['--list', 'Single', '--historical', '--timezone', 'UTC', '--undated', 'reject'];
    const { code, stdout, stderr } = await run('migrate', zip, ...flags);
    assert.equal(code, 0, stderr);
    const said = stdout + stderr;
    assert.match(said, /Note: .*audience\.zip is read as one source: unsubscribed_members_/);
    assert.match(said, /Note: .*audience\.zip > subscribed_.* Windows-1252, because line 2 is/);
    const rejects = await readFile(`${zip}.rejects.csv`, 'utf8');
    assert.match(rejects, /^file,line,/);
    assert.match(
      rejects,
      /\nsubscribed_members_export\.csv,4,nobody,,email,email_invalid,"nobody,,,"\n/,
    );
    assert.match(rejects, /\nsubscribed_members_export\.csv,3,.*,conflicting_opt_out,/);
  });

  it('migrate starts nothing where refused rows could not be written', async () => {
    const file = await stack.source('refused.csv', ['email,email_consent', 'r@form.test,yes']);
    const path = join(stack.folder, 'none', 'rejects.csv');
    const { code, stderr } = await run('migrate', file, '--list', 'Single', '--rejects', path);
    assert.equal(code, 2);
    assert.match(stderr, /rejects\.csv cannot be written: there is no such folder.* --rejects/);
    assert.match((await run('show', 'r@form.test', '--ledger')).stdout, /no migration has a row/);
  });

  describe('after a run', () => {
    let id: string;
    before(async () => {
      const file = await stack.source('people.csv', [
        'email,phone_number,country,email_consent,sms_consent',
        `ada@shop.test,${PHONE},US,yes,yes`,
        'out@shop.test,,,yes,',
        'leo@shop.test,,,unsubscribed,',
      ]);
      ({ id } = await migrated(file, '--channels', 'email,sms'));
    });

    it('report writes rows, changes and a page to files for their owner alone', async () => {
      for (const [flags, begins] of [
        [['--csv'], /^line,email,.*\n2,ada@shop\.test,\+12015550123,email,subscribe,confirmed,/],
        [['--changes', '--csv'], /^line,email,.*\n2,ada@shop\.test,\+12015550123,email,/],
        [['--html'], /^<!doctype html>/],
      ] as const) {
        const path = join(stack.folder, `report${flags.join('')}`);
        const { code, stdout } = await run('report', id, ...flags, path);
        assert.equal(code, 0);
        assert.match(stdout, new RegExp(`^Written: ${path}\n`));
        assert.match(await readFile(path, 'utf8'), begins);
        assert.equal((await stat(path)).mode & 0o777, 0o600);
      }
      const changes = await run('report', id, '--changes', '--json');
      assert.deepEqual(
        (JSON.parse(changes.stdout) as { changes: { after: string; rows: number }[] }).changes
          .map(({ after, rows }) => `${after} ${rows}`)
          .sort(),
        ['SUBSCRIBED 1', 'SUBSCRIBED 1', 'UNSUBSCRIBED 1'],
      );
    });

    for (const flag of ['--csv', '--html', '--undo']) {
      it(`report ${flag} names a path that cannot be written`, async () => {
        const nowhere = await run('report', id, flag, join(stack.folder, 'none', 'file'));
        assert.equal(nowhere.code, 2, nowhere.stderr);
        assert.match(nowhere.stderr, /none\/file cannot be written: there is no such folder/);
        const folder = await run('report', id, flag, stack.folder);
        assert.equal(folder.code, 2);
        assert.match(folder.stderr, /cannot be written: it is a folder/);
      });
    }

    it('report wants the id before a path', async () => {
      const { code, stderr } = await run('report', '--csv', id);
      assert.equal(code, 2);
      assert.match(stderr, /the id comes first: consentry report ID --csv/);
    });

    it('show finds a person by e-mail and by phone, with Klaviyo or without', async () => {
      const live = await run('show', 'ADA@shop.test');
      assert.match(live.stdout, /^Klaviyo, read .*:\nprofile /m);
      assert.match(live.stdout, /^email +SUBSCRIBED/m);
      assert.match(live.stdout, /line 2, sms: subscribe -> confirmed/);
      const phone = await run('show', '(201) 555-0123', '--country', 'US', '--ledger', '--json');
      const shown = JSON.parse(phone.stdout) as { klaviyo: null; history: { channel: string }[] };
      assert.equal(shown.klaviyo, null);
      assert.deepEqual(shown.history.map(({ channel }) => channel).sort(), ['email', 'sms']);
      const national = await run('show', '(201) 555-0123');
      assert.equal(national.code, 2);
      assert.match(national.stderr, /--country US/);
    });

    it('report --undo writes a source that takes back what the run gave', async () => {
      const path = join(stack.folder, 'undo.csv');
      const { stdout } = await run('report', id, '--undo', path);
      assert.match(stdout, /^2 rows that the run changed: /);
      assert.match(stdout, /^\* THIS UNDO UNSUBSCRIBES 1 PERSON\./m);
      assert.match(stdout, /^1 row was unsubscribed by the run, which only/m);
      const flags = /consentry migrate \S+ (.*)/.exec(stdout)?.[1]?.split(' ') ?? [];
      const undone = await run('migrate', path, ...flags, '--json');
      assert.equal(undone.code, 0, undone.stderr);
      const report = JSON.parse(undone.stdout) as Report;
      assert.deepEqual(report.outcomes, { confirmed: 1, rejected: 1 });
      assert.match((await run('show', 'ada@shop.test')).stdout, /^email +UNSUBSCRIBED/m);
      const again = join(stack.folder, 'undo-undo.csv');
      const nothing = JSON.parse(
        (await run('report', report.id, '--undo', again, '--json')).stdout,
      ) as { rows: number; notGivenBack: number };
      assert.deepEqual([nothing.rows, nothing.notGivenBack], [1, 1]);
    });

    it('report --undo writes no file where there is nothing to take back', async () => {
      const file = await stack.source('none.csv', ['email,email_consent', 'out@shop.test,yes']);
      const { id: skipped } = await migrated(file);
      const path = join(stack.folder, 'nothing.csv');
      const { code, stdout } = await run('report', skipped, '--undo', path);
      assert.equal(code, 0);
      assert.match(stdout, /nothing was written/);
      await assert.rejects(stat(path), { code: 'ENOENT' });
    });
  });
});
