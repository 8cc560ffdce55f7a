import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { workflowIds } from '../../../src/contracts/names.js';
import type { Progress } from '../../../src/contracts/migration.js';
import { steerNow, submissionsOfJob } from '../../../src/ledger/index.js';
import { DOUBLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { people } from '../../support/people.js';
import { startRun } from '../../support/runs.js';
import { outcomesOf, countsOf } from '../../support/outcomes.js';
import { inPhase, until, untilJobWaits } from '../phases.js';

describe('steering a migration', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({ sandbox: { clicks: { share: 0, delayMs: [0, 0] } } });
  });
  after(() => harness.close());

  const start = (count: number, timing = {}, double = false) =>
    startRun(harness, people(count), {
      ...(double ? { listId: DOUBLE, optIn: 'double' as const } : {}),
      timing: { ...TEST_TIMING, ...timing },
    });

  async function assertCancelled(id: string): Promise<void> {
    const { phase } = await harness.consentry.migrations.waitForEnd(id);
    assert.equal(phase, 'cancelled');
    const { status } = await harness.client.workflow
      .getHandle(workflowIds.migration(id))
      .describe();
    assert.equal(status.name, 'CANCELLED');
  }

  test('cancelled in preflight: nothing was sent, every row is cancelled', async () => {
    const gate = harness.gates.close('get_list');
    const id = await start(3);
    await gate.reached;
    await harness.consentry.migrations.cancel(id);
    await assertCancelled(id);
    gate.open();
    assert.deepEqual(await countsOf(harness, id), { cancelled_before_sending: 3 });
  });

  test('cancelled while the guard reads: nothing was sent', async () => {
    const preflight = harness.gates.close('get_list');
    const id = await start(3);
    await preflight.reached;
    // Preflight makes one such read itself.
    const guard = harness.gates.close('get_profiles', 1);
    preflight.open();
    await guard.reached;
    await harness.consentry.migrations.cancel(id);
    await assertCancelled(id);
    guard.open();
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
    await harness.consentry.migrations.cancel(id);
    await assertCancelled(id);
    harness.sandbox.account.clearFaults();
    assert.deepEqual(await countsOf(harness, id), { cancelled_before_sending: 3 });
  });

  test('cancelled after the submit: what Klaviyo has is settled, then it ends cancelled', async () => {
    await unpenalise();
    const id = await start(3, { confirmWithinMs: 3_000 }, true);
    await inPhase(harness, id, 'settle');
    harness.sandbox.account.click({ email: `${await firstAddress(id)}` });
    await harness.consentry.migrations.cancel(id);
    await inPhase(harness, id, 'cancelling');
    await assertCancelled(id);
    assert.deepEqual(await countsOf(harness, id), { confirmed: 1, no_click_yet: 2 });
  });

  test('paused: nothing is submitted until it is resumed', async () => {
    await unpenalise();
    const gate = harness.gates.close('get_list');
    const id = await start(3);
    await gate.reached;
    await harness.consentry.migrations.pause(id);
    assert.equal(
      (await harness.consentry.migrations.progress(id)).paused,
      true,
      'when pause returns, it is',
    );
    gate.open();
    await untilJobWaits(harness, id);
    assert.deepEqual(await submissionsOfJob(harness.ledger.db, id, 1), []);
    await harness.consentry.migrations.resume(id);
    assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
    assert.deepEqual(await countsOf(harness, id), { confirmed: 3 });
  });

  test('paused by a word that reached the ledger alone: the run shows it, and does nothing more', async () => {
    const gate = harness.gates.close('get_list');
    const id = await start(3);
    await gate.reached;
    await steerNow(harness.ledger.db, id, true);
    gate.open();
    await untilJobWaits(harness, id);
    await until(
      'the run knows',
      async () => (await harness.consentry.migrations.progress(id)).paused,
    );
    const handle = harness.client.workflow.getHandle(workflowIds.migration(id));
    const turns = async (): Promise<number> =>
      ((await handle.fetchHistory()).events ?? []).filter(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'readProofs',
      ).length;
    const before = await turns();
    await delay(3_000);
    assert.ok((await turns()) - before <= 4, 'the reader does not spin');
    await harness.consentry.migrations.resume(id);
    assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
    assert.deepEqual(await countsOf(harness, id), { confirmed: 3 });
  });

  test('who opts out during a pause is not subscribed after it', async () => {
    const gate = harness.gates.close('get_list');
    const id = await start(3, { consentMaxAgeMs: 500 });
    await gate.reached;
    await harness.consentry.migrations.pause(id);
    gate.open();
    await untilJobWaits(harness, id);
    const email = await firstAddress(id);
    harness.sandbox.account.seed({ email, email_consent: 'UNSUBSCRIBED' });
    await delay(600);
    await harness.consentry.migrations.resume(id);
    await harness.consentry.migrations.waitForEnd(id);
    assert.deepEqual(await countsOf(harness, id), { confirmed: 2, opted_out_before_run: 1 });
    assert.ok(![...harness.sandbox.account.subscribed()].some((line) => line.email === email));
  });

  test('a pause and a resume in one moment keep their order, whatever else they meet', async () => {
    const gate = harness.gates.close('get_list');
    const id = await start(3);
    await gate.reached;
    const handle = harness.client.workflow.getHandle(workflowIds.migration(id));
    // As a person in the Web UI says it: without the number of the word.
    for (const word of ['pause', 'resume', 'pause', 'resume', 'pause']) await handle.signal(word);
    gate.open();
    await untilJobWaits(harness, id);
    assert.equal((await harness.consentry.migrations.progress(id)).paused, true);
    for (const word of ['resume', 'pause', 'resume']) await handle.signal(word);
    assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
    assert.deepEqual(await countsOf(harness, id), { confirmed: 3 });
  });

  test('a pause and a cancel within a moment: it ends cancelled, in the ledger as well', async () => {
    const gate = harness.gates.close('get_list');
    const id = await start(3);
    await gate.reached;
    const handle = harness.client.workflow.getHandle(workflowIds.migration(id));
    await Promise.all([handle.signal('pause'), handle.cancel()]);
    gate.open();
    await assertCancelled(id);
    assert.deepEqual(await countsOf(harness, id), { cancelled_before_sending: 3 });
    assert.notEqual((await harness.consentry.migrations.report(id)).times.finishedAt, null);
  });

  test('a key that is revoked half-way holds the run, which goes on when it works again', async () => {
    harness.sandbox.account.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: 'revoke_key',
      times: 1,
    });
    const id = await start(3, { confirmWithinMs: 5_000 });
    const held = async () => (await harness.consentry.migrations.progress(id)).held;
    await until('the hold', async () => (await held()) !== null);
    assert.match((await held()) ?? '', /KLAVIYO_API_KEY was refused/);
    const details = harness.client.workflow.getHandle(workflowIds.migration(id));
    await until('the workflow’s own word of it', async () => {
      const { held: shown } = await details.query<Progress>('progress');
      return shown !== null;
    });
    harness.sandbox.account.clearFaults();
    assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
    assert.equal(await held(), null);
    assert.deepEqual(await countsOf(harness, id), { confirmed: 3 });
  });

  test('a run that is held by a refused key can be cancelled', async () => {
    harness.sandbox.account.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: 'revoke_key',
      times: 1,
    });
    const id = await start(3);
    await until(
      'the hold',
      async () => (await harness.consentry.migrations.progress(id)).held !== null,
    );
    await harness.consentry.migrations.cancel(id);
    await assertCancelled(id);
    harness.sandbox.account.clearFaults();
    assert.deepEqual(await countsOf(harness, id), { cancelled_before_sending: 3 });
  });

  test('an ended run can’t be steered any more, and says so', async () => {
    const id = await start(1);
    await harness.consentry.migrations.waitForEnd(id);
    await assert.rejects(harness.consentry.migrations.pause(id), /has already ended \(done\)/);
  });

  async function firstAddress(id: string): Promise<string> {
    const [first = ''] = Object.keys(await outcomesOf(harness.ledger, id));
    return first.split(' ')[0] ?? '';
  }

  /** Ends the wait that a 429 of an earlier test left in the limiter. */
  async function unpenalise(): Promise<void> {
    await harness.ledger.pool.query('delete from consentry.penalty');
  }
});
