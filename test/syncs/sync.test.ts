import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { populate } from 'klaviyo-sandbox';
import { mirrorOf } from '../../src/ledger/index.js';
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
    const { ledger, accountId } = world.harness;
    assert.equal((await mirrorOf(ledger.db, accountId))?.complete, true);
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

  test('writes files from all that was read, and again after a change', async (t) => {
    const { syncs } = world.harness.consentry;
    const folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    t.after(() => rm(folder, { recursive: true }));
    const written = async () => {
      const { workflowId } = await syncs.start({ to: join(folder, 'consent'), format: 'ndjson' });
      await syncs.waitForEnd(workflowId);
      const manifest = JSON.parse(
        await readFile(join(folder, 'consent', 'manifest.json'), 'utf8'),
      ) as { rows: number; files: { name: string }[] };
      const text = await readFile(join(folder, 'consent', manifest.files[0]?.name ?? ''), 'utf8');
      const rows = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      return { manifest, rows };
    };
    const { manifest, rows } = await written();
    assert.equal(manifest.rows, 2_500);
    const mailed = rows.find((row) => row['may_send_email_marketing'] === true);
    assert.ok(mailed !== undefined);
    world.sandbox.account.complain({ email: String(mailed['email']) });
    const again = (await written()).rows.find((row) => row['profile_id'] === mailed['profile_id']);
    assert.equal(again?.['may_send_email_marketing'], false);
  });

  test('refuses what cannot be a destination before anything is read', async () => {
    const { syncs } = world.harness.consentry;
    await assert.rejects(syncs.start({ to: 'consent/' }), /format: say which files/);
    await assert.rejects(syncs.start({ to: 'mssql://host/db' }), /postgres:\/\/ or mysql:\/\//);
    await assert.rejects(syncs.start({ to: world.url, format: 'csv' }), /only files have a format/);
    const nobody = new URL(world.url);
    nobody.port = '1';
    const { workflowId } = await syncs.start({ to: nobody.href });
    await assert.rejects(syncs.waitForEnd(workflowId), /ECONNREFUSED.*Check/s);
  });
});
