import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { workflowIds } from '../../../src/contracts/names.js';
import { DEFAULT_PATIENCE } from '../../../src/klaviyo/index.js';
import { SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { workflowSource } from '../../../src/worker.js';
import { people } from '../../support/people.js';
import { readable } from './readable.js';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

const JOBS = 3;
const PHONE = '+12015550123';

describe('what Temporal keeps of a migration', () => {
  let harness: Harness;
  let addresses: string[];
  const histories = new Map<string, History>();

  before(async () => {
    harness = await startHarness();
    addresses = people(JOBS * 1_000 - 500);
    // Something of every kind that could carry people into a history: refusals, a lost answer.
    const { account } = harness.sandbox;
    account.addFault({ endpoint: 'bulk_subscribe_profiles', kind: 'reset_after', times: 1 });
    // As often as the client tries one read, or Temporal would hear nothing of it.
    const { tries } = DEFAULT_PATIENCE;
    account.addFault({ endpoint: 'get_profiles', kind: '503', times: tries });
    account.seed({ email: addresses[0] ?? '', email_consent: 'UNSUBSCRIBED' });
    const file = await harness.source('people.csv', [
      'email,phone_number,email_consent,sms_consent',
      ...addresses.map((address, n) => `${address},${n === 1 ? PHONE : ''},subscribed,subscribed`),
    ]);
    const { id } = await harness.consentry.migrations.start({
      file,
      listId: SINGLE,
      channels: ['email', 'sms'],
      timing: TEST_TIMING,
    });
    await harness.consentry.migrations.waitForEnd(id);
    const ids = [
      workflowIds.migration(id),
      workflowIds.batch(id, 1),
      ...Array.from({ length: JOBS }, (_, n) => workflowIds.job(id, n + 1)),
    ];
    for (const workflowId of ids) {
      histories.set(workflowId, await harness.client.workflow.getHandle(workflowId).fetchHistory());
    }
  });
  after(() => harness.close());

  test('has no e-mail, no phone number and no key in it', () => {
    for (const [workflowId, history] of histories) {
      const text = readable(history);
      assert.ok(
        text.includes('migrationId') || text.includes('jobNumber'),
        'payloads are readable',
      );
      for (const secret of [
        ...addresses.slice(0, 50),
        PHONE,
        PHONE.slice(1),
        harness.sandbox.apiKey,
      ]) {
        assert.ok(!text.includes(secret), `${secret} is in the history of ${workflowId}`);
      }
      assert.doesNotMatch(text, /[\w.+-]+@[\w-]+\.[a-z]/i, `an address in ${workflowId}`);
    }
  });

  test('a job has some 25 events and 20 for a lost answer, a batch at most 9 a job', () => {
    for (const [workflowId, { events }] of histories) {
      const count = events?.length ?? 0;
      if (workflowId.includes('/job-')) assert.ok(count <= 45, `${workflowId} has ${count} events`);
      if (workflowId.includes('/batch-')) {
        assert.ok(count <= 9 * JOBS + 5, `${workflowId} has ${count} events`);
      }
    }
  });

  test('replays with the workflow code of today', async () => {
    for (const [workflowId, history] of histories) {
      await Worker.runReplayHistory(workflowSource().workflows, history, workflowId);
    }
  });

  test('shows every child, activity and timer with a summary', () => {
    for (const [workflowId, { events }] of histories) {
      for (const event of events ?? []) {
        const scheduled =
          event.activityTaskScheduledEventAttributes ??
          event.startChildWorkflowExecutionInitiatedEventAttributes;
        if (scheduled === null || scheduled === undefined) continue;
        assert.ok(event.userMetadata?.summary, `an event of ${workflowId} has no summary`);
      }
    }
  });
});

test('the workflow bundle has no zod, no undici, no database and no Node module in it', async () => {
  const source = workflowSource().workflows;
  assert.ok(
    source.workflowBundle !== undefined && 'codePath' in source.workflowBundle,
    'there is no workflow bundle: npm run build makes it',
  );
  const code = await readFile(source.workflowBundle.codePath, 'utf8');
  for (const unwanted of [
    'node_modules/zod',
    'node_modules/undici',
    'node_modules/pg/',
    'node_modules/kysely',
  ]) {
    assert.ok(!code.includes(unwanted), `${unwanted} is in the workflow bundle`);
  }
  assert.ok(code.includes('consentMigration'));
});
