import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CancelledFailure } from '@temporalio/common';
import { sql } from 'kysely';
import { populate } from 'klaviyo-sandbox';
import { until } from '../workflows/phases.js';
import { startSyncWorld, type SyncWorld } from './world.js';

const PROFILES = 3_000;

describe('a sync that is interrupted', () => {
  let world: SyncWorld;
  before(async () => {
    world = await startSyncWorld();
    await populate(world.sandbox.account, { profiles: PROFILES });
  });
  after(() => world.close());

  const start = (table: string) =>
    world.harness.consentry.syncs.start({ to: world.url, table, history: `${table}_history` });
  const count = async (table: string) =>
    Number((await world.rows(`select count(*)::int as n from ${table}`))[0]?.['n']);

  test('goes on in the middle of its first reading after a cancel', async () => {
    const { gates, consentry } = world.harness;
    const gate = gates.close('get_profiles', 12);
    const { workflowId } = await start('cancelled');
    await until('what was read before', async () => {
      const isThere = await world.rows("select to_regclass('cancelled') as is");
      return isThere[0]?.['is'] !== null && (await count('cancelled')) >= 1_000;
    });
    await consentry.syncs.cancel(workflowId);
    await assert.rejects(consentry.syncs.waitForEnd(workflowId), CancelledFailure);
    gate.open();
    const written = await count('cancelled');
    assert.ok(written < PROFILES, `${written} rows`);
    const { whole, added } = await consentry.syncs.waitForEnd(
      (await start('cancelled')).workflowId,
    );
    assert.deepEqual({ whole, added }, { whole: 'first', added: PROFILES - written });
    await world.assertTrue('cancelled');
    const [status] = await consentry.syncs.status();
    assert.deepEqual(
      status?.runs.map(({ failure }) => failure),
      [null, 'It was cancelled.'],
    );
  });

  test('knows who opted out before its first reading goes on, though they were read before', async () => {
    const { gates, consentry } = world.harness;
    const isThere = async () =>
      (await world.rows("select to_regclass('went_on') as is"))[0]?.['is'] !== null;
    let gate = gates.close('get_profiles', 12);
    const { workflowId } = await start('went_on');
    await until(
      'what was read before',
      async () => (await isThere()) && (await count('went_on')) > 0,
    );
    await consentry.syncs.cancel(workflowId);
    await assert.rejects(consentry.syncs.waitForEnd(workflowId), CancelledFailure);
    gate.open();
    const [one] = await world.rows(
      'select profile_id, email from went_on where may_send_email_marketing limit 1',
    );
    const email = String(one?.['email']);
    const { account } = world.sandbox;
    account.unsubscribe({ email });
    const known = new Set(
      (await world.rows('select email from went_on')).map((row) => row['email']),
    );
    const unread = [...account.truth()].find(
      ({ email, subscriptions }) =>
        email !== null &&
        !known.has(email) &&
        subscriptions.email.marketing.can_receive_email_marketing,
    );
    account.unsubscribe({ email: unread?.email ?? '' });
    account.pass(60_000);
    // What changed takes fewer calls, and what is left of the account more.
    gate = gates.close('get_profiles', 12);
    const again = await start('went_on');
    await gate.reached;
    assert.ok((await count('went_on')) < PROFILES, 'the account is still being read');
    const rows = await world.rows(
      'select may_send_email_marketing as may from went_on where profile_id = $1',
      [one?.['profile_id']],
    );
    gate.open();
    assert.deepEqual(rows, [{ may: false }]);
    await consentry.syncs.waitForEnd(again.workflowId);
    await world.assertTrue('went_on');
    const changes = await world.rows(
      'select distinct profile_id from went_on_history where noticed_by <> $1',
      ['first_run'],
    );
    // Whoever is read for the first time has not changed.
    assert.deepEqual(changes, [{ profile_id: one?.['profile_id'] }]);
  });

  test('is taken over if its execution was terminated', async () => {
    const { gates, consentry, client } = world.harness;
    const gate = gates.close('get_profiles', 5);
    const { workflowId, runId } = await start('terminated');
    await gate.reached;
    assert.deepEqual(
      { ...(await start('terminated')), syncId: '' },
      { workflowId, runId, attached: true, syncId: '' },
    );
    await client.workflow.getHandle(workflowId).terminate();
    const next = await start('terminated');
    assert.equal(next.attached, false);
    gate.open();
    await consentry.syncs.waitForEnd(next.workflowId);
    await world.assertTrue('terminated');
  });

  test('is cancelled in each of its phases, and ends as if it had not been', async () => {
    const { gates, consentry } = world.harness;
    await consentry.syncs.waitForEnd((await start('phases')).workflowId);
    // While it reads changes, at the first page of the account, and in the middle of it.
    for (const after of [0, 1, 3, 12]) {
      const gate = gates.close('get_profiles', after);
      const { workflowId } = await consentry.syncs.start({
        to: world.url,
        table: 'phases',
        history: 'phases_history',
        full: true,
      });
      await gate.reached;
      await consentry.syncs.cancel(workflowId);
      await assert.rejects(consentry.syncs.waitForEnd(workflowId), CancelledFailure);
      gate.open();
    }
    const { whole, changed } = await consentry.syncs.waitForEnd((await start('phases')).workflowId);
    assert.deepEqual({ whole, changed }, { whole: 'sweep', changed: 0 });
    await world.assertTrue('phases');
  });

  test('a table that was emptied, or restored, is found out, and nothing is written', async () => {
    const { consentry, ledger } = world.harness;
    const { workflowId, syncId } = await start('restored');
    await consentry.syncs.waitForEnd(workflowId);
    const refused = async (why: RegExp) => {
      const before = await world.rows('select * from restored order by profile_id');
      const { workflowId: again } = await start('restored');
      await assert.rejects(consentry.syncs.waitForEnd(again), why);
      assert.deepEqual(await world.rows('select * from restored order by profile_id'), before);
    };
    await world.rows('update restored_sync set generation = generation - 1');
    await refused(/older than the ledger says .* restored from a backup.*sync reset/s);
    await world.rows('update restored_sync set generation = generation + 5');
    await refused(
      /newer than the ledger says .* ledger was restored.*erased .* in the ledger again/s,
    );
    await world.rows(
      'delete from restored where profile_id in (select profile_id from restored limit 10)',
    );
    const reset = await consentry.syncs.reset({
      to: world.url,
      table: 'restored',
      history: 'restored_history',
    });
    const { whole, added, changed } = await consentry.syncs.waitForEnd(reset.workflowId);
    assert.deepEqual({ whole, added, changed }, { whole: 'first', added: 10, changed: 0 });
    await world.assertTrue('restored');
    await ledger.db.deleteFrom('sync').where('id', '=', syncId).execute();
    await refused(/a sync that this ledger does not know.*erased .* in the ledger again/s);
    const taken = await consentry.syncs.reset({
      to: world.url,
      table: 'restored',
      history: 'restored_history',
    });
    assert.equal((await consentry.syncs.waitForEnd(taken.workflowId)).whole, 'first');
    await world.assertTrue('restored');
    assert.equal(
      (await consentry.syncs.waitForEnd((await start('restored')).workflowId)).whole,
      null,
    );
  });

  test('files are not replaced by the rows of a restored ledger before the account is read again', async (t) => {
    const { consentry, ledger, sandbox } = world.harness;
    const folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    t.after(() => rm(folder, { recursive: true }));
    const to = { to: folder, format: 'ndjson' } as const;
    const end = async ({ workflowId }: { workflowId: string }) =>
      consentry.syncs.waitForEnd(workflowId);
    const files = async () => {
      const names = (await readdir(folder)).filter((name) => name.startsWith('consent-'));
      return { names, text: await readFile(join(folder, names[0] ?? ''), 'utf8') };
    };
    sandbox.account.seed({ email: 'erased@example.com' });
    const { syncId } = await consentry.syncs.start(to).then(async (run) => {
      await end(run);
      return run;
    });
    // What a backup of the ledger's database has.
    const table = `consentry.files_${syncId.replaceAll('-', '_')}`;
    const { db } = ledger;
    for (const of of [table, `${table}_sync`, 'consentry.sync'])
      await sql.raw(`create table ${of}_backup as select * from ${of}`).execute(db);
    const id = sandbox.account.truthFor({ email: 'erased@example.com' })?.id ?? '';
    assert.match((await files()).text, /erased@/);
    sandbox.account.deleting.accept({ field: 'id', value: id });
    sandbox.account.advance(3_600_000);
    await end(await consentry.syncs.start({ ...to, full: true }));
    await end(await consentry.syncs.start(to));
    const before = await files();
    assert.doesNotMatch(before.text, /erased@/);
    for (const of of [table, `${table}_sync`]) {
      await sql.raw(`delete from ${of}`).execute(db);
      await sql.raw(`insert into ${of} select * from ${of}_backup`).execute(db);
    }
    await sql`
      update consentry.sync s set generation = b.generation from consentry.sync_backup b
      where b.id = s.id`.execute(db);
    // As often as it is tried: what a run writes does not hide it.
    for (let tries = 0; tries < 2; tries += 1) {
      await assert.rejects(
        consentry.syncs.start(to).then(end),
        /the files are newer than .* restored from a backup.*sync reset.*erased .* in the ledger again/s,
      );
    }
    assert.deepEqual(await files(), before);
    await end(await consentry.syncs.reset(to));
    assert.doesNotMatch((await files()).text, /erased@/);
    await end(await consentry.syncs.start(to));
  });

  test('a validation compares rows with Klaviyo, and writes nothing', async () => {
    const { consentry } = world.harness;
    await consentry.syncs.waitForEnd((await start('validated')).workflowId);
    const which = { to: world.url, table: 'validated' };
    assert.deepEqual(await consentry.syncs.validate(which, 200), { rows: 200, differences: [] });
    const [one] = await world.rows(
      `update validated set email_marketing_consent = 'SUBSCRIBED', may_send_email_marketing = true
       where email_marketing_consent = 'UNSUBSCRIBED' returning profile_id`,
    );
    assert.ok(one !== undefined);
    const { rows, differences } = await consentry.syncs.validate(which, PROFILES * 2);
    assert.equal(rows, PROFILES);
    assert.deepEqual(
      differences.filter(({ profileId }) => profileId === one['profile_id']),
      [
        {
          profileId: one['profile_id'],
          column: 'email_marketing_consent',
          inTable: 'SUBSCRIBED',
          inKlaviyo: 'UNSUBSCRIBED',
        },
        {
          profileId: one['profile_id'],
          column: 'may_send_email_marketing',
          inTable: true,
          inKlaviyo: false,
        },
      ],
    );
  });
});
