import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { populate } from 'klaviyo-sandbox';
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
