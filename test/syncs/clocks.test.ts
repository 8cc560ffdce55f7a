import assert from 'node:assert/strict';
import { test } from 'node:test';
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
