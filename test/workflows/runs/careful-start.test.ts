import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { WatchProgress } from '../../../src/contracts/migration.js';
import { MESSAGES, workflowIds } from '../../../src/contracts/names.js';
import { getMigration, termsOf } from '../../../src/ledger/index.js';
import { MigrationStoppedError } from '../../../src/starter/stopped.js';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import { DOUBLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { people } from '../../support/people.js';
import { startRun } from '../../support/runs.js';
import { outcomesOf, countsOf } from '../../support/outcomes.js';
import { inPhase, until } from '../phases.js';

describe('a run that begins with care, and is followed after its end', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({
      sandbox: { clicks: { share: 0, delayMs: [0, 0] }, filteredDomains: ['filtered.test'] },
    });
  });
  after(() => harness.close());

  const start = (addresses: readonly string[], request: Partial<MigrationRequest> = {}) =>
    startRun(harness, addresses, request);

  const carried = (address: string): boolean =>
    [...harness.sandbox.account.subscribed()].some(({ email }) => email === address);

  test('a dry run plans and sends nothing', async () => {
    const addresses = people(3);
    const id = await start(addresses, { dryRun: true });
    const { phase } = await harness.consentry.migrations.waitForEnd(id);
    assert.equal(phase, 'planned');
    const plan = await harness.consentry.migrations.plan(id);
    assert.deepEqual(plan?.toSend, [
      { channel: 'email', operation: 'subscribe', parts: 3, expected: 'confirmed' },
    ]);
    assert.deepEqual(await countsOf(harness, id), { dry_run: 3 });
    assert.equal(carried(addresses[0]!), false);
  });

  test('a pilot ends after its first rows, and a full run goes on from there', async () => {
    const addresses = people(5);
    const kept = { share: 0.5, customSource: 'the old shop' };
    const id = await start(addresses, { pilot: 2, ...kept });
    await harness.consentry.migrations.waitForEnd(id);
    assert.deepEqual(await countsOf(harness, id), { confirmed: 2, not_in_pilot: 3 });
    assert.deepEqual(addresses.map(carried), [true, true, false, false, false]);

    const retry = await harness.consentry.migrations.retryFailed(id, { timing: TEST_TIMING });
    await harness.consentry.migrations.waitForEnd(retry.id);
    assert.equal(retry.rows, 3);
    assert.deepEqual(await countsOf(harness, retry.id), { confirmed: 3 });
    const { share, settings } = await getMigration(harness.ledger.db, retry.id);
    assert.deepEqual({ share, customSource: settings.customSource }, kept);
    await assert.rejects(harness.consentry.migrations.retryFailed(retry.id), MigrationStoppedError);
  });

  test('after a canary that ends as planned the rest follows', async () => {
    const addresses = people(4);
    const id = await start(addresses, { canary: { rows: 1, waitMs: 100 } });
    const { phase } = await harness.consentry.migrations.waitForEnd(id);
    assert.equal(phase, 'done');
    assert.deepEqual(await countsOf(harness, id), { confirmed: 4 });
  });

  test('a canary that Klaviyo never shows stops the run: nothing else was sent', async () => {
    const [first = '', ...rest] = people(4);
    const dropped = first.replace('example.com', 'filtered.test');
    const id = await start([dropped, ...rest], {
      canary: { rows: 1, waitMs: 0 },
      timing: { ...TEST_TIMING, confirmWithinMs: 1_000 },
    });
    await assert.rejects(
      harness.consentry.migrations.waitForEnd(id),
      /canary did not end as planned/,
    );
    assert.deepEqual(await countsOf(harness, id), { unconfirmed: 1, canary_failed: 3 });
    assert.deepEqual(rest.map(carried), [false, false, false]);
  });

  test('a large run waits for approval, and sends only after it', async () => {
    const addresses = people(1_001);
    const id = await start(addresses, { approvalAbove: 1_000 });
    await inPhase(harness, id, 'approval');
    assert.equal(carried(addresses[0]!), false);
    await harness.consentry.migrations.setShare(id, 0.5);
    assert.equal((await termsOf(harness.ledger.db, id))?.share, 0.5);
    await assert.rejects(harness.consentry.migrations.setShare(id, 2), /above 0 and at most 1/);
    await harness.consentry.migrations.approve(id);
    await harness.consentry.migrations.waitForEnd(id);
    assert.deepEqual(await countsOf(harness, id), { confirmed: 1_001 });
    await assert.rejects(harness.consentry.migrations.approve(id), MigrationStoppedError);
  });

  test('who clicks after the end is moved to confirmed, who opts out to skipped', async () => {
    const [late = '', out = '', never = ''] = people(3);
    const id = await start([late, out, never], {
      listId: DOUBLE,
      optIn: 'double',
      timing: {
        ...TEST_TIMING,
        confirmWithinMs: 1_500,
        watchForMs: 20_000,
        watchFirstMs: 200,
        watchLongestMs: 200,
      },
    });
    await harness.consentry.migrations.waitForEnd(id);
    assert.deepEqual(await countsOf(harness, id), { no_click_yet: 3 });
    const { account } = harness.sandbox;
    account.click({ email: late });
    account.seed({ email: out, email_consent: 'UNSUBSCRIBED' });
    await until('the click', async () => {
      const outcomes = await outcomesOf(harness.ledger, id);
      return outcomes[`${late} email`] === 'confirmed';
    });
    const outcomes = await outcomesOf(harness.ledger, id);
    assert.equal(outcomes[`${never} email`], 'no_click_yet');
    const watch = harness.client.workflow.getHandle(workflowIds.watch(id));
    await until('the opt-out', async () => {
      const now = await outcomesOf(harness.ledger, id);
      return now[`${out} email`] === 'opted_out_during_run';
    });
    await until('one pending', async () => {
      const progress = await watch.query<WatchProgress | null>(MESSAGES.progress);
      return progress?.pending === 1 && progress.confirmed === 1;
    });
    await watch.cancel();
  });

  test('a key that is revoked after the submit holds the reading back, and no row is given up', async () => {
    const { account } = harness.sandbox;
    const [clicks = '', ...others] = people(3);
    const id = await start([clicks, ...others], {
      listId: DOUBLE,
      optIn: 'double',
      timing: { ...TEST_TIMING, confirmWithinMs: 5_000 },
    });
    await until('the submit', () => Promise.resolve(carried(clicks)));
    account.addFault({ kind: 'revoke_key', times: 1 });
    const held = async () => (await harness.consentry.migrations.progress(id)).held;
    await until('the hold', async () => (await held()) !== null);
    assert.match((await held()) ?? '', /KLAVIYO_API_KEY was refused/);
    account.click({ email: clicks });
    account.clearFaults();
    assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
    assert.equal(await held(), null);
    assert.deepEqual(await countsOf(harness, id), { confirmed: 1, no_click_yet: 2 });
  });
});
