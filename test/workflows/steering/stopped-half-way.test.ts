import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DELAYS } from 'klaviyo-sandbox';
import { SUBMITTING_BATCHES } from '../../../src/contracts/limits.js';
import { MESSAGES, workflowIds } from '../../../src/contracts/names.js';
import { MigrationStoppedError } from '../../../src/starter/stopped.js';
import { startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { people } from '../../support/people.js';
import { startRun } from '../../support/runs.js';
import { until } from '../phases.js';
import { countsOf } from '../../support/outcomes.js';

const JOBS = 10;
const ROWS_PER_JOB = 3;
/** Four batches submit at once: 8 jobs. The fifth starts when two of them have sent what they have. */
const JOBS_PER_BATCH = 2;
const JOBS_AT_ONCE = SUBMITTING_BATCHES * JOBS_PER_BATCH;

/** Longer than any test waits: whatever is settled has been read, and nothing ends by its deadline. */
const NO_DEADLINE = { ...TEST_TIMING, confirmWithinMs: 600_000 };

describe('a run of several batches that is stopped half-way', { timeout: 240_000 }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({
      sandbox: {
        rateLimitFactor: 1_000,
        // What was sent is not applied yet when the run is stopped.
        delays: { ...DELAYS.fast, subscribeLive: [400, 600] },
      },
    });
  });
  after(() => harness.close());

  interface Started {
    readonly id: string;
    readonly listId: string;
    readonly addresses: readonly string[];
  }

  async function start(): Promise<Started> {
    lists += 1;
    const { id: listId } = harness.sandbox.account.createList({
      name: `List ${lists}`,
      opt_in_process: 'single_opt_in',
    });
    const addresses = people(JOBS * ROWS_PER_JOB);
    const id = await startRun(harness, addresses, {
      listId,
      rowsPerJob: ROWS_PER_JOB,
      jobsPerBatch: JOBS_PER_BATCH,
      timing: NO_DEADLINE,
    });
    return { id, listId, addresses };
  }
  let lists = 0;

  /**
   * Sends so many calls, and holds those of all other open jobs on the wire. Two of them will be
   * accepted, the others are to come again.
   */
  async function untilSent(calls: number): Promise<Started & { open: () => void }> {
    const gate = harness.gates.close('bulk_subscribe_profiles', calls);
    harness.sandbox.account.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: '429',
      after: calls + 2,
      times: JOBS,
    });
    const run = await start();
    const held = (calls < JOBS_PER_BATCH ? JOBS_AT_ONCE : JOBS) - calls;
    await until('the last call', () => Promise.resolve(gate.waiting() === held));
    harness.sandbox.account.clearFaults();
    return { ...run, open: () => gate.open() };
  }

  /** Calls of a run that were begun: they are in the ledger before they are made. */
  async function begun(id: string): Promise<number> {
    const { rows } = await harness.ledger.pool.query<{ calls: number }>(
      'select count(*)::integer as calls from consentry.submission where migration_id = $1',
      [id],
    );
    return rows[0]?.calls ?? 0;
  }

  async function statusOf(id: string): Promise<string> {
    const run = harness.client.workflow.getHandle(workflowIds.migration(id));
    return (await run.describe()).status.name;
  }

  const isSubscribed = (email: string): boolean => {
    const truth = harness.sandbox.account.truthFor({ email });
    return truth?.subscriptions.email.marketing.consent === 'SUBSCRIBED';
  };

  /** Every row was subscribed and says so, or was not and says why. */
  async function assertTrue({ id, addresses }: Started, unsent: string): Promise<void> {
    const ends: (readonly [string | null, string | null])[] = [];
    for await (const page of harness.consentry.migrations.parts(id)) {
      ends.push(...page.map(({ email, outcome, reason }) => [email, reason ?? outcome] as const));
    }
    const isTrue = addresses.map((email) => [email, isSubscribed(email) ? 'confirmed' : unsent]);
    assert.deepEqual(ends, isTrue);
  }

  for (let tenths = 0; tenths < 10; tenths += 1) {
    test(`cancelled after ${tenths} tenths: what is on the wire goes, nothing else`, async () => {
      const run = await untilSent((JOBS * tenths) / 10);
      await harness.consentry.migrations.cancel(run.id);
      const calls = await begun(run.id);
      run.open();
      assert.equal((await harness.consentry.migrations.waitForEnd(run.id)).phase, 'cancelled');
      assert.equal(await statusOf(run.id), 'CANCELLED');
      assert.equal(await begun(run.id), calls, 'no call was begun after cancel returned');
      const sent = Math.min((JOBS * tenths) / 10 + 2, calls);
      const { confirmed = 0 } = await countsOf(harness, run.id);
      assert.equal(confirmed, sent * ROWS_PER_JOB, 'all that was accepted was read back');
      await assertTrue(run, 'cancelled_before_sending');
    });
  }

  test('one job fails: what the others have sent is read back, and nothing more is sent', async () => {
    const run = await untilSent(1);
    failWhatIsOnTheWire(run);
    run.open();
    await assert.rejects(harness.consentry.migrations.waitForEnd(run.id), MigrationStoppedError);
    assert.equal(await statusOf(run.id), 'FAILED');
    assert.ok((await begun(run.id)) < JOBS, 'the batches behind it did not begin');
    const { confirmed = 0 } = await countsOf(harness, run.id);
    assert.equal(confirmed, ROWS_PER_JOB);
    await assertTrue(run, 'migration_stopped');
    const { events } = await harness.client.workflow
      .getHandle(workflowIds.migration(run.id))
      .fetchHistory();
    const told = (events ?? []).filter(
      (event) => event.workflowExecutionSignaledEventAttributes?.signalName === MESSAGES.stopped,
    );
    assert.equal(told.length, 1, 'the first of the jobs that failed told the run');
  });

  test('cancelled, and then a job fails: it was cancelled, and what was sent is read back', async () => {
    const run = await untilSent(JOBS / 2);
    await harness.consentry.migrations.cancel(run.id);
    const calls = await begun(run.id);
    failWhatIsOnTheWire(run);
    run.open();
    assert.equal((await harness.consentry.migrations.waitForEnd(run.id)).phase, 'cancelled');
    assert.equal(await statusOf(run.id), 'CANCELLED');
    assert.equal(await begun(run.id), calls);
    await assertTrue(run, 'cancelled_before_sending');
  });

  test('what was sent can’t be looked up any more: the run ends, and so does every row', async () => {
    const { account } = harness.sandbox;
    const { id: listId } = account.createList({ name: 'Gone', opt_in_process: 'single_opt_in' });
    const members = people(3);
    for (const email of members) account.seed({ email, email_consent: 'SUBSCRIBED' });
    const { delays } = account.settings;
    const quick = delays.importExisting;
    delays.importExisting = [60_000, 60_000];
    const call = harness.gates.close('bulk_import_profiles');
    const { id } = await harness.consentry.migrations.start({
      file: await harness.source('gone.csv', [
        'email,email_consent',
        ...members.map((email) => `${email},subscribed`),
      ]),
      listId,
      timing: { ...TEST_TIMING, membershipWithinMs: 1_500 },
    });
    await call.reached;
    // The deadline counts from the call: nobody is looked up before the list is gone, however late that is.
    const lookUps = harness.gates.close('get_profiles_for_list');
    call.open();
    await until(
      'the call',
      async () => (await harness.consentry.migrations.totals(id)).accepted === 3,
    );
    account.listing.delete(listId);
    lookUps.open();
    await assert.rejects(harness.consentry.migrations.waitForEnd(id), MigrationStoppedError);
    delays.importExisting = quick;
    assert.equal(await statusOf(id), 'FAILED');
    assert.deepEqual((await harness.consentry.migrations.totals(id)).outcomes, { unconfirmed: 3 });
    assert.notEqual((await harness.consentry.migrations.report(id)).times.finishedAt, null);
    const watch = harness.client.workflow.getHandle(workflowIds.optOutWatch(id));
    assert.equal((await watch.describe()).type, 'optOutWatch');
  });

  /** Its list goes away: Klaviyo refuses the calls as a whole, which no retry mends. */
  function failWhatIsOnTheWire({ listId }: Started): void {
    harness.sandbox.account.listing.delete(listId);
  }
});
