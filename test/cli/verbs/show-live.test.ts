import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import { runReport, type ReportFlags } from '../../../src/cli/run/report.js';
import { workflowIds } from '../../../src/contracts/names.js';
import type { Person, ShowInput } from '../../../src/contracts/person.js';
import { askAboutPerson, personAskedAbout } from '../../../src/ledger/index.js';
import { MigrationStoppedError } from '../../../src/starter/stopped.js';
import { SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { Written } from '../terminal.js';

const ADA: Person = { by: 'email', value: 'ada@shop.test' };
const PHONE = '+12015550123';

describe('a person and a report, from a real run', { timeout: 180_000 }, () => {
  let harness: Harness;
  let folder: string;
  let id: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    harness = await startHarness();
    harness.sandbox.account.seed({ email: 'out@shop.test', email_consent: 'UNSUBSCRIBED' });
    const file = await harness.source('people.csv', [
      'email,phone_number,email_consent,sms_consent',
      `ada@shop.test,${PHONE},subscribed,subscribed`,
      'out@shop.test,,subscribed,',
      '=no address,,subscribed,',
    ]);
    const started = await harness.consentry.migrations.start({
      file,
      listId: SINGLE,
      channels: ['email', 'sms'],
      customSource: 'the old shop',
      timing: TEST_TIMING,
    });
    id = started.id;
    await harness.consentry.migrations.waitForEnd(id);
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  async function report(flags: ReportFlags): Promise<{ stdout: string; stderr: string }> {
    const stdout = new Written();
    const stderr = new Written();
    await runReport(harness.consentry, id, flags, { stdout, stderr });
    return { stdout: stdout.text, stderr: stderr.text };
  }

  async function histories(): Promise<string[]> {
    const texts: string[] = [];
    const query = `TaskQueue = "${harness.taskQueue}" AND WorkflowId STARTS_WITH "consent-show/"`;
    for await (const { workflowId } of harness.client.workflow.list({ query })) {
      const history = await harness.client.workflow.getHandle(workflowId).fetchHistory();
      texts.push(
        JSON.stringify(history, (_key, value: unknown) =>
          value instanceof Uint8Array ? Buffer.from(value).toString() : value,
        ),
      );
    }
    return texts;
  }

  it('shows the consent that Klaviyo holds, by e-mail and by phone', async () => {
    const live = await harness.consentry.people.liveConsent(ADA);
    const [profile] = live.profiles;
    assert.equal(live.profiles.length, 1);
    assert.deepEqual(
      profile?.channels
        .filter(({ consent }) => consent === 'SUBSCRIBED')
        .map(({ channel }) => channel),
      ['email', 'sms'],
    );
    const byPhone = await harness.consentry.people.liveConsent({
      by: 'phone_number',
      value: PHONE,
    });
    assert.equal(byPhone.profiles[0]?.id, profile?.id);
    const out = await harness.consentry.people.liveConsent({ by: 'email', value: 'out@shop.test' });
    assert.equal(out.profiles[0]?.channels[0]?.consent, 'UNSUBSCRIBED');
    const nobody = await harness.consentry.people.liveConsent({
      by: 'email',
      value: 'no@shop.test',
    });
    assert.deepEqual(nobody.profiles, []);
  });

  it('counts the calls of a question and of a check to a run of their own', async () => {
    const { ledger, consentry, accountId } = harness;
    await sql`delete from consentry.run where kind <> 'migration'`.execute(ledger.db);
    await consentry.people.liveConsent(ADA);
    await consentry.migrations.check({ listId: SINGLE });
    const { rows } = await sql`
      select run.kind, run.account_id, finished_at is not null as finished, c.endpoint, c.calls::int
      from consentry.run left join consentry.call_count c on c.run_id = run.id
      where run.kind = 'person' or (run.kind = 'check' and c.endpoint = 'get_list')
      order by run.kind`.execute(ledger.db);
    const ended = { account_id: accountId, finished: true };
    assert.deepEqual(rows, [
      { kind: 'check', ...ended, endpoint: 'get_list', calls: 1 },
      { kind: 'person', ...ended, endpoint: 'get_profiles', calls: 1 },
    ]);
  });

  it('leaves no person in Temporal and no question in the ledger', async () => {
    await harness.consentry.people.liveConsent(ADA);
    const { rows } = await sql`select id from consentry.person_request`.execute(harness.ledger.db);
    assert.deepEqual(rows, []);
    let texts: string[] = [];
    // Visibility follows a moment after the end.
    for (let tries = 0; texts.length < 2 && tries < 100; tries += 1) texts = await histories();
    assert.ok(texts.length >= 2, 'a show and its deletion are there');
    assert.ok(texts.every((text) => text.includes('requestId')));
    for (const text of texts) {
      assert.doesNotMatch(text, /shop\.test|2015550123|SUBSCRIBED/);
    }
  });

  it('deletes a question whose asker died', async () => {
    const requestId = randomBytes(8).toString('hex');
    await askAboutPerson(harness.ledger.db, {
      id: requestId,
      accountId: harness.accountId,
      person: ADA,
    });
    const input: ShowInput = { requestId, forgetAfterMs: 500 };
    await harness.client.workflow.execute('consentShow', {
      workflowId: workflowIds.show(requestId),
      taskQueue: harness.taskQueue,
      args: [input],
    });
    await harness.client.workflow.getHandle(workflowIds.forget(requestId)).result();
    assert.equal(await personAskedAbout(harness.ledger.db, requestId), null);
  });

  it('has the proof of what was done', async () => {
    const history = await harness.consentry.people.history(ADA);
    assert.deepEqual(
      history.map(({ channel, outcome, consentAfter, customSource, requestId }) => [
        channel,
        outcome,
        consentAfter,
        customSource,
        requestId !== null,
      ]),
      [
        ['email', 'confirmed', 'SUBSCRIBED', 'the old shop', true],
        ['sms', 'confirmed', 'SUBSCRIBED', 'the old shop', true],
      ],
    );
  });

  it('reports changes person by person, and in counts on stderr beside rows', async () => {
    const { stdout, stderr } = await report({ changes: true, csv: true });
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 3);
    assert.match(lines[1] ?? '', /^2,ada@shop\.test,\+12015550123,email,subscribe,,SUBSCRIBED,/);
    assert.match(stderr, /^sms +\(nothing\) +SUBSCRIBED +1$/m);
    const json = JSON.parse((await report({ changes: true, json: true })).stdout) as {
      changes: unknown[];
    };
    assert.deepEqual(json.changes[0], {
      channel: 'email',
      before: null,
      after: 'SUBSCRIBED',
      rows: 1,
    });
  });

  it('writes rows, a page and an undo file for their owner alone', async () => {
    const [csv, page, undo] = ['report.csv', 'report.html', 'undo.csv'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    await report({ csv });
    await report({ html: page });
    const { stdout } = await report({ undo });
    for (const path of [csv, page, undo]) {
      if (process.platform !== 'win32') assert.equal((await stat(path)).mode & 0o777, 0o600);
    }
    assert.match(await readFile(csv, 'utf8'), /^4,'=no address,,email,subscribe,rejected,/m);
    assert.match(await readFile(page, 'utf8'), /=no address/);
    assert.equal(
      await readFile(undo, 'utf8'),
      'email,phone_number,country,email_consent,sms_consent,suppressed,list,undo_of,note\n' +
        `ada@shop.test,${PHONE},US,unsubscribed,unsubscribed,,,${id},\n`,
    );
    assert.match(stdout, /consentry migrate .*undo\.csv --channels email,sms/);
  });

  it('says why Klaviyo cannot be read, and keeps no question', async () => {
    harness.sandbox.account.addFault({ endpoint: 'get_profiles', kind: 'revoke_key', times: 1 });
    await assert.rejects(
      harness.consentry.people.liveConsent(ADA),
      (error) =>
        error instanceof MigrationStoppedError && error.failureType === 'KlaviyoKeyRefused',
    );
    const { rows } = await sql`select id from consentry.person_request`.execute(harness.ledger.db);
    assert.deepEqual(rows, []);
  });
});
