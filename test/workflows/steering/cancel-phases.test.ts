import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { WatchProgress } from '../../../src/contracts/migration.js';
import { MESSAGES, workflowIds } from '../../../src/contracts/names.js';
import { MigrationStoppedError } from '../../../src/starter/stopped.js';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import { DOUBLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { people } from '../../support/people.js';
import { startRun } from '../../support/runs.js';
import { inPhase, until } from '../phases.js';
import { countsOf } from '../../support/outcomes.js';

const WATCHED = { ...TEST_TIMING, confirmWithinMs: 1_500, watchForMs: 600_000 };

describe('a run that is cancelled in one of its quieter phases', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({ sandbox: { clicks: { share: 0, delayMs: [0, 0] } } });
  });
  after(() => harness.close());

  const start = (addresses: readonly string[], request: Partial<MigrationRequest> = {}) =>
    startRun(harness, addresses, request);

  /** Those whom a subscribe call carried to Klaviyo. */
  function carried(addresses: readonly string[]): string[] {
    const sent = new Set([...harness.sandbox.account.subscribed()].map(({ email }) => email));
    return addresses.filter((address) => sent.has(address));
  }

  /** Klaviyo sends its message some time after the call. */
  const click = (email: string) =>
    until('a click', () => Promise.resolve(harness.sandbox.account.click({ email }) > 0));

  async function statusOf(workflowId: string): Promise<string> {
    const { status } = await harness.client.workflow.getHandle(workflowId).describe();
    return status.name;
  }

  /** Cancels, and sees the run end as cancelled everywhere with an outcome for every row. */
  async function cancel(id: string, counts: Record<string, number>): Promise<void> {
    await harness.consentry.migrations.cancel(id);
    const { phase } = await harness.consentry.migrations.waitForEnd(id);
    assert.equal(phase, 'cancelled');
    assert.equal(await statusOf(workflowIds.migration(id)), 'CANCELLED');
    assert.deepEqual(await countsOf(harness, id), counts);
    const { report } = await harness.consentry.migrations.reportDetails(id);
    const { rows, open, failure } = report;
    const all = Object.values(counts).reduce((sum, parts) => sum + parts, 0);
    assert.deepEqual(
      { phase: report.phase, rows, open, failure },
      {
        phase: 'cancelled',
        rows: all,
        open: 0,
        failure: null,
      },
    );
    assert.notEqual(report.times.finishedAt, null);
  }

  test('while it waits for approval: nothing was sent, and no word starts it any more', async () => {
    const addresses = people(1_001);
    const id = await start(addresses, { approvalAbove: 1_000 });
    await inPhase(harness, id, 'approval');
    await cancel(id, { cancelled_before_sending: 1_001 });
    await assert.rejects(harness.consentry.migrations.approve(id), MigrationStoppedError);
    assert.deepEqual(carried(addresses), []);
  });

  test('a dry run while it reads for its plan: it ends cancelled, not planned', async () => {
    // Preflight makes one such read itself.
    const gate = harness.gates.close('get_profiles', 1);
    const id = await start(people(3), { dryRun: true });
    await gate.reached;
    await cancel(id, { cancelled_before_sending: 3 });
    gate.open();
  });

  test('in the canary, before Klaviyo took it: nothing was sent', async () => {
    const addresses = people(3);
    harness.sandbox.account.addFault({
      endpoint: 'bulk_subscribe_profiles',
      kind: '429',
      times: 1_000,
      retryAfter: 60,
    });
    const id = await start(addresses, { canary: { rows: 1, waitMs: 0 } });
    await inPhase(harness, id, 'canary');
    await cancel(id, { cancelled_before_sending: 3 });
    harness.sandbox.account.clearFaults();
    await harness.ledger.pool.query('delete from consentry.penalty');
    assert.deepEqual(carried(addresses), []);
  });

  test('in a paused canary: nothing was sent', async () => {
    const addresses = people(3);
    const gate = harness.gates.close('get_list');
    const id = await start(addresses, { canary: { rows: 1, waitMs: 0 } });
    await gate.reached;
    await harness.consentry.migrations.pause(id);
    gate.open();
    await inPhase(harness, id, 'canary');
    await cancel(id, { cancelled_before_sending: 3 });
    assert.deepEqual(carried(addresses), []);
  });

  test('in the canary, after Klaviyo took it: its rows are settled, the rest is not sent', async () => {
    const addresses = people(4);
    const [clicks = '', waits = ''] = addresses;
    const id = await start(addresses, {
      listId: DOUBLE,
      optIn: 'double',
      canary: { rows: 2, waitMs: 600_000 },
      timing: { ...TEST_TIMING, confirmWithinMs: 3_000 },
    });
    await until('the submit', () => Promise.resolve(carried(addresses).length > 0));
    await click(clicks);
    await cancel(id, { confirmed: 1, no_click_yet: 1, cancelled_before_sending: 2 });
    assert.deepEqual(carried(addresses), [clicks, waits]);
  });

  test('in the wait after the canary: the rest is not sent, and the wait is over', async () => {
    const addresses = people(4);
    const id = await start(addresses, { canary: { rows: 1, waitMs: 600_000 } });
    const handle = harness.client.workflow.getHandle(workflowIds.migration(id));
    await until('the wait', async () => {
      const { events } = await handle.fetchHistory();
      return events?.some((event) => Boolean(event.timerStartedEventAttributes)) === true;
    });
    await cancel(id, { confirmed: 1, cancelled_before_sending: 3 });
    assert.equal(carried(addresses).length, 1);
  });

  test('a cancelled run is followed all the same where people may click on what it sent', async () => {
    const addresses = people(2);
    const [late = ''] = addresses;
    const id = await start(addresses, {
      listId: DOUBLE,
      optIn: 'double',
      timing: { ...WATCHED, watchFirstMs: 200, watchLongestMs: 200 },
    });
    await until('the submit', () => Promise.resolve(carried(addresses).length > 0));
    await cancel(id, { no_click_yet: 2 });
    await click(late);
    await until('the confirmation', async () => (await countsOf(harness, id))['confirmed'] === 1);
    await harness.client.workflow.getHandle(workflowIds.watch(id)).cancel();
  });

  for (const [moment, timing] of [
    ['between two looks', { watchFirstMs: 200, watchLongestMs: 600_000 }],
    ['in a look that Klaviyo does not answer', { watchFirstMs: 200, watchLongestMs: 200 }],
  ] as const) {
    test(`a watch that is cancelled ${moment} ends, and what it found stays`, async () => {
      const addresses = people(2);
      const [late = ''] = addresses;
      const id = await start(addresses, {
        listId: DOUBLE,
        optIn: 'double',
        timing: { ...WATCHED, ...timing },
      });
      await harness.consentry.migrations.waitForEnd(id);
      await click(late);
      const watch = harness.client.workflow.getHandle(workflowIds.watch(id));
      await until('the confirmation', async () => (await countsOf(harness, id))['confirmed'] === 1);
      await until('its look', async () => {
        const progress = await watch.query<WatchProgress>(MESSAGES.progress);
        return progress.confirmed === 1;
      });
      if (timing.watchLongestMs === 200) {
        await harness.gates.close('get_profiles').reached;
      }
      await watch.cancel();
      await assert.rejects(watch.result());
      harness.gates.openAll();

      assert.equal(await statusOf(workflowIds.watch(id)), 'CANCELLED');
      assert.deepEqual(await countsOf(harness, id), { confirmed: 1, no_click_yet: 1 });
      const details = await harness.consentry.migrations.reportDetails(id);
      assert.deepEqual(
        { phase: details.report.phase, open: details.report.open, watch: details.watch },
        { phase: 'done', open: 0, watch: null },
      );
    });
  }
});
