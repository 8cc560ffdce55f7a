import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { populate } from 'klaviyo-sandbox';
import { startRun } from '../support/runs.js';
import { startSyncWorld } from './world.js';

const HOUR_MS = 3_600_000;

for (const clockAheadMs of [HOUR_MS, -HOUR_MS]) {
  test(`what changed is written though Klaviyo's clock is ${clockAheadMs / HOUR_MS} h ahead`, async () => {
    const world = await startSyncWorld({ clockAheadMs });
    try {
      const { account } = world.sandbox;
      await populate(account, { profiles: 200 });
      account.subscribe({ email: 'ada@example.com' });
      await world.sync();
      account.unsubscribe({ email: 'ada@example.com' });
      account.subscribe({ email: 'new@example.com' });
      const { added, changed } = await world.sync();
      assert.deepEqual({ added, changed }, { added: 1, changed: 1 });
      await world.assertTrue();
      account.unsubscribe({ email: 'new@example.com' });
      const { changed: bySweep } = await world.sync({ full: true });
      assert.equal(bySweep, 1);
      await world.assertTrue();
    } finally {
      await world.close();
    }
  });
}

test("what changed is written though the ledger's clock has gone back since", async () => {
  const world = await startSyncWorld();
  try {
    const { account } = world.sandbox;
    await populate(account, { profiles: 20 });
    account.subscribe({ email: 'ada@example.com' });
    await world.sync();
    // Two hours later by the clock of that time: as if it had gone back by two hours.
    const [marker] = await world.rows('select state, swept_at from klaviyo_consent_sync');
    const state = JSON.stringify(marker?.['state']).replace(
      /"(\w*InLedger|datedUntil)":"([^"]*)"/g,
      (_, key: string, at: string) =>
        `"${key}":"${new Date(Date.parse(at) + 2 * HOUR_MS).toISOString()}"`,
    );
    await world.rows('update klaviyo_consent_sync set state = $1', [state]);
    await world.rows("update klaviyo_consent_sync set swept_at = swept_at + interval '2 hours'");
    await world.rows("update klaviyo_consent set last_read_at = last_read_at + interval '2 hours'");
    await sql`update consentry.profile set read_at = read_at + interval '2 hours'`.execute(
      world.harness.ledger.db,
    );
    account.unsubscribe({ email: 'ada@example.com' });
    account.subscribe({ email: 'new@example.com' });
    const { added, changed } = await world.sync();
    assert.deepEqual({ added, changed }, { added: 1, changed: 1 });
    await world.assertTrue();
    const { rows } = await sql<{ says_no: boolean }>`
      select says_no from consentry.profile where email = 'ada@example.com'`.execute(
      world.harness.ledger.db,
    );
    assert.deepEqual(rows, [{ says_no: true }], 'the mirror has it too');
    account.unsubscribe({ email: 'new@example.com' });
    const { syncs } = world.harness.consentry;
    const { workflowId } = await syncs.reset({ to: world.url });
    assert.equal((await syncs.waitForEnd(workflowId)).changed, 1);
    await world.assertTrue();
  } finally {
    await world.close();
  }
});

test('what was read is as old as it is, though the machine slept before it was remembered', async () => {
  const world = await startSyncWorld();
  const { harness, sandbox } = world;
  const sleptMs = 2_000;
  /** Sleeps while a call waits for its answer: meanwhile a worker's own count stands still. */
  const sleepIn = async (operation: string, after: number): Promise<Date> => {
    const gate = harness.gates.close(operation, after);
    await gate.reached;
    const asleepAt = new Date();
    const count = performance.now.bind(performance);
    const stoodAt = count();
    const { mock: counting } = mock.method(performance, 'now', () => stoodAt);
    await delay(sleptMs);
    const lostMs = count() - stoodAt;
    counting.mockImplementation(() => count() - lostMs);
    gate.open();
    return asleepAt;
  };
  const readBefore = async (email: string, at: Date): Promise<boolean> => {
    const { rows } = await sql<{ read_at: Date }>`
      select read_at from consentry.profile where email = ${email}`.execute(harness.ledger.db);
    assert.equal(rows.length, 1);
    return rows.every(({ read_at: readAt }) => readAt <= at);
  };
  try {
    // No change that is read again.
    sandbox.account.seed({ email: 'ada@example.com', created: '2023-01-01T00:00:00Z' });
    const syncing = world.sync();
    const syncSlept = await sleepIn('get_profiles', 0);
    await syncing;
    mock.restoreAll();
    assert.ok(await readBefore('ada@example.com', syncSlept), 'by a sync');

    sandbox.account.seed({ email: 'ben@example.com', email_consent: 'UNSUBSCRIBED' });
    const id = await startRun(harness, ['ben@example.com'], { optIn: 'single' });
    // The preflight has asked first.
    const runSlept = await sleepIn('get_profiles', 1);
    await harness.consentry.migrations.waitForEnd(id);
    assert.ok(await readBefore('ben@example.com', runSlept), 'by a look-up');
  } finally {
    mock.restoreAll();
    await world.close();
  }
});
