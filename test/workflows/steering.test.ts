import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { workflowIds } from '../../src/contracts/names.js';
import { submissionsOfJob } from '../../src/ledger/index.js';
import { DOUBLE, SINGLE, startHarness, TEST_TIMING, type Harness } from '../support/harness.js';
import { outcomesOf, people } from './people.js';
import { countsOf, inPhase, until } from './phases.js';

describe('steering a migration', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({ sandbox: { clicks: { share: 0, delayMs: [0, 0] } } });
  });
  after(() => harness.close());

  async function start(count: number, timing = {}, double = false): Promise<string> {
    const rows = people(count).map((address) => `${address},subscribed`);
    const file = await harness.source(`${rows[0] ?? 'none'}.csv`, ['email,email_consent', ...rows]);
    const { id } = await harness.consentry.startMigration({
      file,
      listId: double ? DOUBLE : SINGLE,
      ...(double ? { optIn: 'double' as const } : {}),
      timing: { ...TEST_TIMING, ...timing },
    });
    return id;
  }

  async function assertCancelled(id: string): Promise<void> {
    const { phase } = await harness.consentry.waitForEnd(id);
    assert.equal(phase, 'cancelled');
    const { status } = await harness.client.workflow
      .getHandle(workflowIds.migration(id))
      .describe();
    assert.equal(status.name, 'CANCELLED');
  }

  /** Every call of an operation waits until `clearFaults`, so that a phase can be met. */
  const hold = (endpoint: string) => {
    harness.sandbox.account.addFault({ endpoint, kind: '503', times: 1_000 });
  };
  const release = () => {
    harness.sandbox.account.clearFaults();
  };

  test('cancelled in preflight: nothing was sent, every row is cancelled', async () => {
    hold('get_list');
    const id = await start(3);
    await inPhase(harness, id, 'preflight');
    await harness.consentry.cancel(id);
    await assertCancelled(id);
    release();
    assert.deepEqual(await countsOf(harness, id), { cancelled_before_sending: 3 });
  });

  test('cancelled while the guard reads: nothing was sent', async () => {
    // Preflight makes one such read itself.
    harness.sandbox.account.addFault({
      endpoint: 'get_profiles',
      kind: '503',
      times: 1_000,
      after: 1,
    });
    const id = await start(3);
    await inPhase(harness, id, 'plan');
    await harness.consentry.cancel(id);
    await assertCancelled(id);
    release();
    assert.deepEqual(await countsOf(harness, id), { cancelled_before_sending: 3 });
  });

  test('cancelled while submits are refused: nothing was sent', async () => {
    harness.sandbox.account.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: '429',
      times: 1_000,
      retryAfter: 60,
    });
    const id = await start(3);
    await inPhase(harness, id, 'submit');
    await harness.consentry.cancel(id);
    await assertCancelled(id);
    release();
    assert.deepEqual(await countsOf(harness, id), { cancelled_before_sending: 3 });
  });

  test('cancelled after the submit: what Klaviyo has is settled, then it ends cancelled', async () => {
    await unpenalise();
    const id = await start(3, { confirmWithinMs: 3_000 }, true);
    await inPhase(harness, id, 'settle');
    harness.sandbox.account.click({ email: `${await firstAddress(id)}` });
    await harness.consentry.cancel(id);
    await inPhase(harness, id, 'cancelling');
    await assertCancelled(id);
    assert.deepEqual(await countsOf(harness, id), { confirmed: 1, no_click_yet: 2 });
  });

  test('paused: nothing is submitted until it is resumed', async () => {
    await unpenalise();
    hold('get_list');
    const id = await start(3);
    await harness.consentry.pause(id);
    await until('the pause', async () => (await harness.consentry.progress(id)).paused);
    release();
    await inPhase(harness, id, 'submit');
    await until('a submit that waits', () => isWaiting(id).catch(notStartedYet));
    assert.deepEqual(await submissionsOfJob(harness.ledger.db, id, 1), []);
    await harness.consentry.resume(id);
    assert.equal((await harness.consentry.waitForEnd(id)).phase, 'done');
    assert.deepEqual(await countsOf(harness, id), { confirmed: 3 });
  });

  test('who opts out during a pause is not subscribed after it', async () => {
    hold('get_list');
    const id = await start(3, { consentMaxAgeMs: 2_000 });
    await harness.consentry.pause(id);
    await until('the pause', async () => (await harness.consentry.progress(id)).paused);
    release();
    await inPhase(harness, id, 'submit');
    await until('a submit that waits', () => isWaiting(id).catch(notStartedYet));
    const email = await firstAddress(id);
    harness.sandbox.account.seed({ email, email_consent: 'UNSUBSCRIBED' });
    await delay(2_500);
    await harness.consentry.resume(id);
    await harness.consentry.waitForEnd(id);
    assert.deepEqual(await countsOf(harness, id), { confirmed: 2, opted_out_before_run: 1 });
    assert.ok(![...harness.sandbox.account.subscribed()].some((line) => line.email === email));
  });

  test('a key that is revoked half-way stops the run, and every row has an outcome', async () => {
    harness.sandbox.account.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: 'revoke_key',
      times: 1,
    });
    const id = await start(3, { confirmWithinMs: 2_000 });
    await assert.rejects(harness.consentry.waitForEnd(id), { failureType: 'KlaviyoKeyRefused' });
    release();
    assert.deepEqual(await countsOf(harness, id), { migration_stopped: 3 });
    assert.match((await harness.consentry.progress(id)).failure ?? '', /KLAVIYO_API_KEY/);
  });

  test('an ended run can’t be steered any more, and says so', async () => {
    const id = await start(1);
    await harness.consentry.waitForEnd(id);
    await assert.rejects(harness.consentry.pause(id), /has already ended \(done\)/);
  });

  async function firstAddress(id: string): Promise<string> {
    const [first = ''] = Object.keys(await outcomesOf(harness.ledger, id));
    return first.split(' ')[0] ?? '';
  }

  function notStartedYet(error: unknown): boolean {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }

  async function isWaiting(id: string): Promise<boolean> {
    const job = harness.client.workflow.getHandle(workflowIds.job(id, 1));
    const { raw } = await job.describe();
    return (raw.pendingActivities ?? []).some(
      (activity) => activity.lastFailure?.message?.startsWith('Paused') === true,
    );
  }

  /** Ends the wait that a 429 of an earlier test left in the limiter. */
  async function unpenalise(): Promise<void> {
    await harness.ledger.pool.query('delete from consentry.penalty');
  }
});
