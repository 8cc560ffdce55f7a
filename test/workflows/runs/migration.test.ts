import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SandboxOptions } from 'klaviyo-sandbox';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import { noteAccount } from '../../../src/ledger/index.js';
import { NoWorkerError } from '../../../src/starter/worker-check.js';
import type { MigrationTiming } from '../../../src/contracts/migration.js';
import { DOUBLE, SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { people } from '../../support/people.js';
import { outcomesOf } from '../../support/outcomes.js';

const HEADER = 'email,phone_number,email_consent,sms_consent';

/** Starts a run, waits for its end and gives its parts by `identifier channel`. */
async function run(
  harness: Harness,
  lines: readonly string[],
  request: Omit<Partial<MigrationRequest>, 'timing'> & { timing?: Partial<MigrationTiming> } = {},
): Promise<{ id: string; outcomes: Record<string, string> }> {
  const file = await harness.source(`${Math.random().toString(36).slice(2)}.csv`, [
    HEADER,
    ...lines,
  ]);
  const { timing, ...rest } = request;
  const { id } = await harness.consentry.migrations.start({
    file,
    listId: SINGLE,
    channels: ['email', 'sms'],
    ...rest,
    timing: { ...TEST_TIMING, ...timing },
  });
  await harness.consentry.migrations.waitForEnd(id);
  return { id, outcomes: await outcomesOf(harness.ledger, id) };
}

async function withHarness(
  sandbox: SandboxOptions,
  act: (harness: Harness) => Promise<void>,
): Promise<void> {
  const harness = await startHarness({ sandbox });
  try {
    await act(harness);
  } finally {
    await harness.close();
  }
}

describe('a migration', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({ sandbox: { clicks: { share: 0, delayMs: [0, 0] } } });
  });
  after(() => harness.close());

  test('ends every row with an outcome that was read back, and subscribes nobody who said no', async () => {
    const { account } = harness.sandbox;
    account.seed({ email: 'unsub@example.com', email_consent: 'UNSUBSCRIBED' });
    account.seed({ email: 'there@example.com', email_consent: 'SUBSCRIBED' });
    account.seed({
      email: 'suppressed@example.com',
      email_consent: 'SUBSCRIBED',
      suppressions: ['USER_SUPPRESSED'],
    });
    account.seed({
      email: 'stop@example.com',
      phone_number: '+12015550190',
      sms_consent: 'UNSUBSCRIBED',
    });
    const lines = [
      'new@example.com,,subscribed,',
      'both@example.com,+12015550123,subscribed,subscribed',
      ',+12015550124,,subscribed',
      'UNSUB@example.com,,subscribed,',
      'there@example.com,,subscribed,',
      'suppressed@example.com,,subscribed,',
      'stop@example.com,+12015550190,subscribed,subscribed',
      'abroad@example.com,+14165550123,subscribed,subscribed',
      'not an address,,subscribed,',
      'leaver@example.com,,unsubscribed,',
      'new@example.com,,subscribed,',
    ];
    await assert.rejects(run(harness, lines), {
      failureType: 'SmsNotConfigured',
      message: /SMS consent of 1 row .*: CA 1\..*--sms-without-sender reject/,
    });
    assert.equal(subscribes(harness), 0);
    const { outcomes } = await run(harness, lines, { smsWithoutSender: 'reject' });
    assert.deepEqual(outcomes, {
      'new@example.com email': 'duplicate_email',
      'both@example.com email': 'confirmed',
      'both@example.com sms': 'confirmed',
      '+12015550124 sms': 'confirmed',
      'unsub@example.com email': 'opted_out_before_run',
      'there@example.com email': 'already_consented',
      'there@example.com list': 'list_only',
      'suppressed@example.com email': 'suppressed',
      'stop@example.com email': 'confirmed',
      'stop@example.com sms': 'opted_out_before_run',
      'abroad@example.com email': 'confirmed',
      'abroad@example.com sms': 'phone_country_without_sender',
      'not an address email': 'email_invalid',
      'leaver@example.com email': 'confirmed',
      'new@example.com email (2)': 'confirmed',
    });
    const sent = JSON.stringify([...account.subscribed()]);
    for (const optedOut of ['unsub@', 'suppressed@', '+12015550190']) {
      assert.ok(!sent.includes(optedOut), `${optedOut} was in a subscribe call`);
    }
    assert.equal(
      account.truthFor({ email: 'leaver@example.com' })?.subscriptions?.email?.marketing?.consent,
      'UNSUBSCRIBED',
    );
  });

  test('double opt-in: who clicked is confirmed, who did not is pending, nobody is lost', async () => {
    const lines = people(40).map((address) => `${address},,subscribed,`);
    harness.sandbox.account.setClicks(0.5);
    const { outcomes } = await run(harness, lines, {
      listId: DOUBLE,
      optIn: 'double',
      timing: { confirmWithinMs: 6_000 },
    });
    harness.sandbox.account.setClicks(0);
    const values = Object.values(outcomes);
    const clicked = [...harness.sandbox.account.messages()].filter((m) => m.clicked_at !== null);
    assert.equal(values.filter((value) => value === 'confirmed').length, clicked.length);
    assert.equal(values.filter((value) => value === 'no_click_yet').length, 40 - clicked.length);
    assert.ok(clicked.length > 5 && clicked.length < 35, `${clicked.length} clicked`);
  });

  test('refuses a double opt-in list that was not expected, before anything is sent', async () => {
    const before = subscribes(harness);
    await assert.rejects(run(harness, ['x@example.com,,subscribed,'], { listId: DOUBLE }), {
      failureType: 'OptInProcessUnexpected',
      message: /--opt-in double/,
    });
    assert.equal(subscribes(harness), before);
  });

  test('refuses an unknown list with its id', async () => {
    await assert.rejects(run(harness, ['x@example.com,,subscribed,'], { listId: 'NOSUCH' }), {
      failureType: 'ListNotFound',
      message: /NOSUCH/,
    });
  });

  test('tells the id of a list that was given by its name', async () => {
    await assert.rejects(run(harness, ['x@example.com,,subscribed,'], { listId: 'Single' }), {
      failureType: 'ListNotFound',
      message: new RegExp(`The list of this name has the id ${SINGLE}\\.`),
    });
  });

  test('a lost answer is read back, and what landed is not sent again', async () => {
    const before = subscribes(harness);
    harness.sandbox.account.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: 'reset_after',
      times: 1,
    });
    const { outcomes } = await run(harness, ['lost@example.com,,subscribed,']);
    assert.deepEqual(outcomes, { 'lost@example.com email': 'confirmed' });
    assert.equal(subscribes(harness) - before, 1);
  });

  test('a request that never arrived is sent again after it was looked for', async () => {
    harness.sandbox.account.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: 'reset_before',
      times: 1,
    });
    const { outcomes } = await run(harness, ['again@example.com,,subscribed,']);
    assert.deepEqual(outcomes, { 'again@example.com email': 'confirmed' });
  });

  test('goes on through 429s, 503s and proxies’ error pages', async () => {
    for (const kind of ['429', '503', 'html'] as const) {
      harness.sandbox.account.addFault({ kind, times: 1 });
    }
    const { outcomes } = await run(harness, ['storm@example.com,,subscribed,']);
    assert.deepEqual(outcomes, { 'storm@example.com email': 'confirmed' });
  });

  test('without a list the account’s opt-in process has to be declared', async () => {
    await assert.rejects(run(harness, ['x@example.com,,subscribed,'], { listId: null }), {
      failureType: 'OptInProcessUnexpected',
      message: /--opt-in single or --opt-in double/,
    });
  });

  test('a historical import into a double opt-in list is applied without a click', async () => {
    const file = await harness.source('historical.csv', [
      'email,email_consent,email_consented_at',
      'past@example.com,subscribed,2021-03-04T05:06:07Z',
    ]);
    const { id } = await harness.consentry.migrations.start({
      file,
      listId: DOUBLE,
      historical: true,
      timing: TEST_TIMING,
    });
    await harness.consentry.migrations.waitForEnd(id);
    assert.deepEqual(await outcomesOf(harness.ledger, id), {
      'past@example.com email': 'confirmed',
    });
    const truth = harness.sandbox.account.truthFor({ email: 'past@example.com' });
    assert.match(
      truth?.subscriptions?.email?.marketing?.consent_timestamp ?? '',
      /^2021-03-04T05:06:07/,
    );
  });

  test('the same file and settings again attach to the running migration', async () => {
    const file = await harness.source('twice.csv', [HEADER, 'twice@example.com,,subscribed,']);
    const request = { file, listId: DOUBLE, optIn: 'double' as const, timing: TEST_TIMING };
    const started = await Promise.all([
      harness.consentry.migrations.start(request),
      harness.consentry.migrations.start(request),
    ]);
    started.push(await harness.consentry.migrations.start(request));
    const [id = ''] = started.map((migration) => migration.id);
    assert.deepEqual(new Set(started.map((migration) => migration.id)), new Set([id]));
    assert.deepEqual(started.map(({ attached }) => attached).sort(), [false, true, true]);
    await harness.consentry.migrations.cancel(id);
    await harness.consentry.migrations.waitForEnd(id);
  });

  test('a run that was terminated is closed, and the same request begun anew', async () => {
    const file = await harness.source('left.csv', [HEADER, 'left@example.com,,subscribed,']);
    const request = { file, listId: DOUBLE, optIn: 'double' as const, timing: TEST_TIMING };
    const first = await harness.consentry.migrations.start(request);
    await harness.client.workflow.getHandle(first.workflowId).terminate();
    const second = await harness.consentry.migrations.start(request);
    assert.equal(second.attached, false);
    assert.notEqual(second.id, first.id);
    const { phase, failure } = await harness.consentry.migrations.progress(first.id);
    assert.equal(phase, 'failed');
    assert.match(failure ?? '', /terminated/);
    await harness.consentry.migrations.cancel(second.id);
    await harness.consentry.migrations.waitForEnd(second.id);
  });
});

describe('an account', () => {
  test('whose key is wrong takes no work, and says which variable to check', async () => {
    const harness = await startHarness({ worker: false });
    try {
      await assert.rejects(harness.startWorker({ apiKey: 'pk_wrong' }), {
        name: 'KlaviyoKeyRefusedError',
        message: /KLAVIYO_API_KEY was refused/,
      });
      await assert.rejects(run(harness, ['x@example.com,,subscribed,']), NoWorkerError);
    } finally {
      await harness.close();
    }
  });

  test('whose workers have no key is not sent a run that nothing would act for', async () => {
    const harness = await startHarness({ worker: false });
    try {
      await noteAccount(harness.ledger.db, harness.accountId);
      await harness.startWorker({ role: 'workflow', account: harness.accountId });
      await assert.rejects(run(harness, ['x@example.com,,subscribed,']), {
        name: 'NoWorkerError',
        message:
          /polls the task queue ".*-steering" .* for activities: start one .*KLAVIYO_API_KEY/,
      });
      await harness.startWorker({ role: 'activity' });
      const { outcomes } = await run(harness, ['x@example.com,,subscribed,']);
      assert.deepEqual(outcomes, { 'x@example.com email': 'confirmed' });
    } finally {
      await harness.close();
    }
  });

  test('whose key lacks a scope is refused with the scope', async () => {
    await withHarness({ scopes: ['accounts:read', 'lists:read'] }, async (harness) => {
      await assert.rejects(run(harness, ['x@example.com,,subscribed,']), {
        failureType: 'KlaviyoScopeMissing',
        message: /profiles:read/,
      });
    });
  });

  test('without SMS stops a source with SMS consent', async () => {
    await withHarness({ sms: { status: 'none', senders: [] } }, async (harness) => {
      await assert.rejects(run(harness, ['a@example.com,+12015550123,subscribed,subscribed']), {
        failureType: 'SmsNotConfigured',
        message: /--channels/,
      });
      const { outcomes } = await run(harness, ['a@example.com,,subscribed,']);
      assert.deepEqual(outcomes, { 'a@example.com email': 'confirmed' });
    });
  });

  test('whose SMS set-up can’t be read needs declared countries, and Klaviyo’s refusals settle the rest', async () => {
    const scopes = ['accounts', 'lists', 'profiles'].map((what) => `${what}:read`);
    scopes.push('lists:write', 'profiles:write', 'subscriptions:write');
    await withHarness({ scopes, switches: { errorsPerAnswer: 1 } }, async (harness) => {
      const lines = [
        'us@example.com,+12015550123,subscribed,subscribed',
        'ca@example.com,+14165550123,subscribed,subscribed',
        'ca2@example.com,+14165550124,subscribed,subscribed',
      ];
      await assert.rejects(run(harness, lines), {
        failureType: 'SmsNotConfigured',
        message: /--sms-countries/,
      });
      const { outcomes } = await run(harness, lines, { smsCountries: ['US', 'CA'] });
      assert.deepEqual(outcomes, {
        'us@example.com email': 'confirmed',
        'us@example.com sms': 'confirmed',
        'ca@example.com email': 'confirmed',
        'ca@example.com sms': 'phone_country_without_sender',
        'ca2@example.com email': 'confirmed',
        'ca2@example.com sms': 'phone_country_without_sender',
      });
    });
  });

  const inTime = { timeout: 60_000 };
  test(
    'that refuses every row of a job does not let it wait for its deadline',
    inTime,
    async () => {
      const scopes = ['accounts', 'lists', 'profiles'].map((what) => `${what}:read`);
      scopes.push('lists:write', 'profiles:write', 'subscriptions:write');
      await withHarness({ scopes }, async (harness) => {
        const lines = [',+14165550123,,subscribed', ',+14165550124,,subscribed'];
        const { id, outcomes } = await run(harness, lines, {
          smsCountries: ['CA'],
          timing: { confirmWithinMs: 600_000 },
        });
        assert.deepEqual(outcomes, {
          '+14165550123 sms': 'phone_country_without_sender',
          '+14165550124 sms': 'phone_country_without_sender',
        });
        const { calls } = await harness.consentry.migrations.report(id);
        const submits = calls.filter(({ endpoint }) => endpoint === 'bulk_subscribe_profiles');
        assert.deepEqual(
          submits.map(({ status, calls: made }) => [status, made]),
          [['400', 1]],
        );
      });
    },
  );
});

function subscribes(harness: Harness): number {
  return [...harness.sandbox.account.subscribed()].length;
}
