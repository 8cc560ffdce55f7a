import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { populate } from 'klaviyo-sandbox';
import { startSyncWorld, type SyncWorld } from './world.js';

describe('a sync into PostgreSQL', () => {
  let world: SyncWorld;
  before(async () => {
    world = await startSyncWorld();
    await populate(world.sandbox.account, { profiles: 2_500 });
  });
  after(() => world.close());

  test('reads the whole account first', async () => {
    const { whole, added, changed, removed } = await world.sync({ history: 'consent_history' });
    assert.deepEqual(
      { whole, added, changed, removed },
      { whole: 'first', added: 2_500, changed: 0, removed: 0 },
    );
    await world.assertTrue();
    assert.deepEqual(await world.rows('select count(*)::int as n from consent_history'), [
      { n: 0 },
    ]);
  });

  test('then reads what changed, and writes nothing else', async () => {
    const before = await world.rows(
      'select profile_id, xmin::text from klaviyo_consent order by 1',
    );
    const { whole, read, added, changed } = await world.sync({ history: 'consent_history' });
    assert.deepEqual({ whole, added, changed }, { whole: null, added: 0, changed: 0 });
    assert.ok(read < 2_500, `${read} profiles were read`);
    assert.deepEqual(
      await world.rows('select profile_id, xmin::text from klaviyo_consent order by 1'),
      before,
    );
  });
});
