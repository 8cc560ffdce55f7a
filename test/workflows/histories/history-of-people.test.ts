import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Worker } from '@temporalio/worker';
import type { Client } from '@temporalio/client';
import { workflowIds } from '../../../src/contracts/names.js';
import { DEFAULT_PATIENCE } from '../../../src/klaviyo/index.js';
import { workflowSource } from '../../../src/worker.js';
import { DOUBLE, SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../../support/stack.js';
import { people } from '../../support/people.js';
import { inPhase, until } from '../phases.js';
import { countsOf } from '../../support/outcomes.js';
import { nextRun, Segment, SOON_OVER } from '../../starter/programs/segment.js';
import { readable } from './readable.js';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/** What Temporal has of one workflow, in its history and beside it. */
interface Kept {
  readonly type: string;
  readonly history: History;
  /** History, ids, memo, search attributes, summaries and details as one text. */
  readonly text: string;
}

const ROWS = 1_002;
const PHONES = ['+12015550171', '+12015550172', '+12015550173', '+12015550174'];
const NO_SENDER = '+442071838750';

describe('what Temporal keeps of people', () => {
  let harness: Harness;
  let customer: TestDatabase;
  let secrets: string[];
  const kept = new Map<string, Kept>();

  before(async () => {
    customer = await createTestDatabase();
    harness = await startHarness({
      sandbox: {
        clicks: { share: 0, delayMs: [0, 0] },
        account: { ageGated: true },
      },
    });
    const { account, apiKey } = harness.sandbox;
    const { consentry } = harness;
    const addresses = people(ROWS);
    const [optedOut = '', clicks = '', both = ''] = addresses;
    secrets = [...addresses.slice(0, 50), ...PHONES, NO_SENDER, apiKey].flatMap((secret) => [
      secret,
      secret.replace(/^\+/, ''),
    ]);
    account.seed({ email: optedOut, email_consent: 'UNSUBSCRIBED' });
    // As often as the client tries one read, or Temporal would hear nothing of it.
    const { tries } = DEFAULT_PATIENCE;
    account.addFault({ endpoint: 'get_profiles', kind: '503', times: tries });
    account.addFault({ endpoint: 'bulk_subscribe_profiles', kind: 'reset_after', times: 1 });

    // By phone, by both, and by e-mail; the text without a date of birth is refused.
    const mails = addresses.filter((address) => address !== both);
    const { id } = await consentry.migrations.start({
      file: await harness.source(`${both}.csv`, [
        'email,email_consent,phone_number,sms_consent,date_of_birth',
        `,,${PHONES[0]},yes,1980-01-02`,
        `${both},yes,${PHONES[1]},yes,1980-01-02`,
        ...mails.map((address) => `${address},yes,,,`),
        `,,${PHONES[3]},yes,`,
      ]),
      listId: DOUBLE,
      optIn: 'double',
      channels: ['email', 'sms'],
      approvalAbove: 0,
      canary: { rows: 3, waitMs: 100 },
      timing: {
        ...TEST_TIMING,
        confirmWithinMs: 3_000,
        watchForMs: 600_000,
        watchFirstMs: 200,
        watchLongestMs: 400,
      },
    });
    await inPhase(harness, id, 'approval');
    await consentry.migrations.pause(id);
    await consentry.migrations.setShare(id, 0.9);
    await consentry.migrations.resume(id);
    await consentry.migrations.approve(id);
    await consentry.migrations.waitForEnd(id);
    account.click({ email: clicks });
    await until('a click', async () => (await countsOf(harness, id))['confirmed'] === 1);

    await consentry.migrations.check({ listId: SINGLE, channels: ['email', 'sms'] });
    await assert.rejects(consentry.migrations.check({ listId: 'NOLIST' }));
    await consentry.people.liveConsent({ by: 'email', value: clicks });
    await consentry.lists.create({ name: 'Created', optIn: 'double' });
    const to = { to: customer.url, history: 'history' };
    await consentry.syncs.waitForEnd((await consentry.syncs.start(to)).workflowId);
    account.unsubscribe({ email: clicks });
    await consentry.syncs.waitForEnd(
      (await consentry.syncs.start({ ...to, full: true })).workflowId,
    );
    await consentry.syncs.validate(to, 100);
    const unreachable = await consentry.syncs.start({ to: `${customer.url}_not` });
    await assert.rejects(consentry.syncs.waitForEnd(unreachable.workflowId));
    account.seed({ phone_number: PHONES[2] ?? '', sms_consent: 'SUBSCRIBED' });
    await consentry.people.liveConsent({ by: 'phone_number', value: PHONES[2] ?? '' });
    account.addFault({ endpoint: 'bulk_subscribe_profiles', kind: 'revoke_key', times: 1 });
    const stopped = await consentry.migrations.start({
      file: await harness.source('stopped.csv', [
        'email,email_consent,phone_number,sms_consent',
        `${people(1)[0] ?? ''},yes,${NO_SENDER},yes`,
      ]),
      listId: SINGLE,
      channels: ['email', 'sms'],
      smsWithoutSender: 'reject',
      timing: TEST_TIMING,
    });
    await until(
      'the hold',
      async () => (await consentry.migrations.progress(stopped.id)).held !== null,
    );
    await consentry.migrations.cancel(stopped.id);
    await consentry.migrations.waitForEnd(stopped.id);
    account.clearFaults();
    await harness.client.workflow.getHandle(workflowIds.watch(id)).cancel();
    await runSegment(addresses.slice(50, 80));
    await until('all workflows', async () => {
      await keepAll();
      return new Set([...kept.values()].map(({ type }) => type)).size === TYPES.length;
    });
  });
  after(async () => {
    await harness.close();
    await customer.drop();
  });

  /** A run that waits and is approved, one that is cancelled while it waits, and one that fails. */
  async function runSegment(addresses: readonly string[]): Promise<void> {
    const { activations } = harness.consentry;
    const segment = new Segment(
      harness,
      'key: member_id, brakes: { enter: { people: 20 } }, schedule: { every: 1h }',
    );
    const rows = addresses.map((address, n) => `${n},${address},`);
    await segment.has(...rows.slice(0, 25));
    const loaded = await segment.load();
    for (const change of await activations.changes(loaded)) {
      await activations.apply(loaded, change, { timing: SOON_OVER });
    }
    const run = async () => {
      const { runs } = await activations.status(segment.name);
      await nextRun(harness, segment.name, runs[0]?.id ?? null);
      const [newest] = (await activations.status(segment.name)).runs;
      return newest?.workflowId ?? '';
    };
    const workflowId = await run();
    await activations.approve(segment.name);
    await harness.client.workflow.getHandle(workflowId).result();
    await segment.has(...people(60).map((address, n) => `9${n},also.${address},`));
    const cancelled = harness.client.workflow.getHandle(await run());
    await cancelled.cancel();
    await assert.rejects(cancelled.result());
    await segment.has(...rows, ...rows);
    await assert.rejects(harness.client.workflow.getHandle(await run()).result());
  }

  const TYPES = [
    'confirmationWatch',
    'consentActivation',
    'consentBatch',
    'consentCheck',
    'consentForget',
    'consentJob',
    'consentList',
    'consentMigration',
    'consentShow',
    'consentSync',
    'consentSyncValidation',
    'optOutWatch',
  ];

  /** Everything that ran on the task queue of this test. */
  async function keepAll(): Promise<void> {
    const { workflow } = harness.client;
    const query = `TaskQueue = '${harness.taskQueue}'`;
    for await (const { workflowId, runId } of workflow.list({ query })) {
      const handle = workflow.getHandle(workflowId, runId);
      const { type, raw } = await handle.describe();
      const history = await handle.fetchHistory();
      const text = [workflowId, readable(history), readable(raw)].join('\n');
      kept.set(workflowId, { type, history, text });
    }
  }

  test('every kind of workflow is among what is looked at', () => {
    assert.deepEqual([...new Set([...kept.values()].map(({ type }) => type))].sort(), TYPES);
    const texts = [...kept.values()].map(({ text }) => text).join('\n');
    for (const seen of ['migrationId', 'requestId', 'ConsentryPhase', 'wait for clicks']) {
      assert.ok(texts.includes(seen), `${seen} is not readable in what Temporal keeps`);
    }
  });

  test('no e-mail, no phone number and no key is in it', () => {
    for (const [workflowId, { text }] of kept) {
      for (const secret of secrets) {
        assert.ok(!text.includes(secret), `${secret} is kept with ${workflowId}`);
      }
      assert.doesNotMatch(text, /[\w.+-]+@[\w-]+\.[a-z]/i, `an address is kept with ${workflowId}`);
    }
  });

  test('replays with the workflow code of today, whether it ended, failed or was cancelled', async () => {
    const histories = [...kept].map(([workflowId, { history }]) => ({ workflowId, history }));
    const failed: string[] = [];
    for await (const { workflowId, error } of Worker.runReplayHistories(
      workflowSource().workflows,
      histories,
    )) {
      if (error !== undefined) failed.push(`${workflowId}: ${error.message}`);
    }
    assert.deepEqual(failed, []);
  });

  test('every child, activity and timer has a summary', () => {
    for (const [workflowId, { history }] of kept) {
      for (const event of history.events ?? []) {
        const scheduled =
          event.activityTaskScheduledEventAttributes ??
          event.startChildWorkflowExecutionInitiatedEventAttributes;
        if (scheduled === null || scheduled === undefined) continue;
        assert.ok(event.userMetadata?.summary, `an event of ${workflowId} has no summary`);
      }
    }
  });
});
