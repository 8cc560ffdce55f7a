import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import { ledgerTime, optOutsOf, rememberPeople } from '../../src/ledger/index.js';
import { intent } from '../support/intents.js';
import { SINGLE } from '../support/harness.js';
import { store } from '../support/ledger.js';
import { outcomesOf } from '../support/outcomes.js';
import { startRun } from '../support/runs.js';
import { startSyncWorld, type SyncWorld } from './world.js';

const HOUR_MS = 3_600_000;

/** docs/sync.md, from the sources as from the build. */
function document(): string {
  const places = ['../../', '../../../'].map((up) => new URL(`${up}docs/sync.md`, import.meta.url));
  const there = places.find((place) => existsSync(place));
  assert.ok(there !== undefined);
  return readFileSync(there, 'utf8');
}

describe('a profile that is gone', () => {
  let world: SyncWorld;
  before(async () => {
    world = await startSyncWorld();
    const { account } = world.sandbox;
    for (const name of ['ada', 'bob', 'eve', 'kim']) {
      const phone_number = `+1201555010${name.length + name.charCodeAt(0) - 100}`;
      account.seed({ email: `${name}@example.com`, phone_number, email_consent: 'SUBSCRIBED' });
    }
    account.seed({ phone_number: '+12015550190', sms_consent: 'SUBSCRIBED' });
    for (const name of ['zoe', 'ivy', 'max']) {
      account.seed({ email: `${name}@example.com`, email_consent: 'UNSUBSCRIBED' });
    }
    account.advance(HOUR_MS);
    const everybody = ['ada', 'kim', 'eve', 'zoe', 'ivy', 'max'];
    const rows = everybody.map((name) => intent({ email: `${name}@example.com` }));
    await store(world.harness.ledger, 'former', rows, {}, world.harness.accountId);
    await sql`update consentry.run set finished_at = now() - interval '1 day'`.execute(
      world.harness.ledger.db,
    );
    await world.sync({ history: 'consent_history' });
  });
  after(() => world.close());

  const ofAddress = (address: string) => {
    const who = address.startsWith('+') ? { phone_number: address } : { email: address };
    const line = world.sandbox.account.truthFor(who);
    assert.ok(line !== undefined);
    return line;
  };
  const remove = (id: string) => {
    const { account } = world.sandbox;
    account.deleting.accept({ field: 'id', value: id });
    account.advance(HOUR_MS);
  };
  const sweep = () => world.sync({ history: 'consent_history', full: true });
  const rowsWith = async (id: string) => {
    const rows = await world.rows('select * from klaviyo_consent');
    return rows.filter((row) => JSON.stringify(row).includes(id));
  };

  /** The addresses that an ended migration of all of them still has. */
  const former = async () => {
    const { rows } = await sql<{ email: string }>`
      select email from consentry.intent i join consentry.migration m on m.number = i.migration_number
      where m.id = 'former' and email is not null`.execute(world.harness.ledger.db);
    return rows.map(({ email }) => email.split('@')[0]);
  };

  test('was deleted, though the person came back as somebody new', async () => {
    const { id } = ofAddress('ada@example.com');
    remove(id);
    world.sandbox.account.subscribe({ email: 'ada@example.com' });
    const { removed } = await sweep();
    assert.equal(removed, 1);
    assert.deepEqual(await rowsWith(id), []);
    await world.assertTrue();
  });

  test('was deleted, though somebody else has the number now', async () => {
    const bob = ofAddress('bob@example.com');
    remove(bob.id);
    world.sandbox.account.subscribe({
      email: 'eve@example.com',
      phone_number: bob.phone_number ?? '',
    });
    await sweep();
    assert.deepEqual(await rowsWith(bob.id), []);
    assert.deepEqual(await rowsWith('bob@example.com'), []);
    await world.assertTrue();
  });

  test('was merged if an older one has the address, or the number of one without an address', async () => {
    const { profiles, identities } = world.sandbox.account;
    const into = ofAddress('kim@example.com');
    for (const address of ['eve@example.com', '+12015550190']) {
      const from = ofAddress(address);
      const [source = -1, target = -1] = [from, into].map(({ id }) => profiles.withId(id));
      identities.merge(source, target, 'source');
      await sweep();
      const [row] = await rowsWith(from.id);
      assert.equal(row?.['merged_into'], into.id, address);
    }
    await world.assertTrue();
  });

  /** How many profiles the mirror has for an id, and whether an address counts as looked up. */
  const remembered = async (id: string, email: string) => {
    const { rows } = await sql<{ profiles: number; addresses: number }>`
      select
        (select count(*)::int from consentry.profile where starts_with(profile_id, ${id})) as profiles,
        (select count(*)::int from consentry.looked_up
          where address = md5(${email})::uuid) as addresses`.execute(world.harness.ledger.db);
    return rows[0];
  };
  /** As a migration looks somebody up. */
  const lookUp = async (...addresses: string[]) => {
    const { ledger, accountId } = world.harness;
    const readAt = await ledgerTime(ledger.db);
    await rememberPeople(ledger.db, accountId, { profiles: [], addresses, readAt });
  };

  test('is forgotten by migrations too: who it was merged into had opted out', async () => {
    const { harness, sandbox } = world;
    const { account } = sandbox;
    const created = '2023-01-01T00:00:00Z';
    account.seed({ email: 'Lea@example.com', created });
    account.seed({ email: 'heir@example.com', email_consent: 'UNSUBSCRIBED', created });
    account.advance(HOUR_MS);
    await sweep();
    const [from, into] = ['Lea@example.com', 'heir@example.com'].map(ofAddress);
    assert.ok(from !== undefined && into !== undefined);
    await lookUp('lea@example.com', 'Lea@example.com');
    assert.deepEqual(await remembered(from.id, 'lea@example.com'), { profiles: 1, addresses: 1 });
    const { profiles, identities } = account;
    identities.merge(profiles.withId(from.id) ?? -1, profiles.withId(into.id) ?? -1, 'source');
    // The destination comes last: if it fails, the mirror has forgotten them all the same.
    await world.rows(
      "create or replace function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$",
    );
    await world.rows(
      `create trigger refuse before insert or update on klaviyo_consent for each row
        when (new.merged_into is not null) execute function refuse()`,
    );
    await assert.rejects(sweep(), /no/);
    assert.deepEqual(await remembered(from.id, 'lea@example.com'), { profiles: 0, addresses: 0 });
    await world.rows('drop trigger refuse on klaviyo_consent');
    await sweep();
    const outcomes = async (mirror: 'always' | 'off', absentIsNew: boolean) => {
      const id = await startRun(harness, ['Lea@example.com'], {
        optIn: 'single',
        mirror,
        absentIsNew,
      });
      await harness.consentry.migrations.waitForEnd(id);
      return outcomesOf(harness.ledger, id);
    };
    const unknown = { 'lea@example.com email': 'consent_state_unknown' };
    // Before anything else looks her up: the sync has read the whole account.
    assert.deepEqual(await outcomes('always', true), unknown);
    assert.deepEqual(await outcomes('always', false), unknown);
    assert.deepEqual(await outcomes('off', false), unknown);
  });

  test('is gone from the ledger too if it was deleted, and not if it was merged', async () => {
    // Ada was deleted above, and Eve merged.
    assert.deepEqual((await former()).sort(), ['eve', 'ivy', 'kim', 'max', 'zoe']);
  });

  test('had opted out: an old export does not bring them back, and their own sign-up does', async () => {
    const { harness, sandbox } = world;
    remove(ofAddress('zoe@example.com').id);
    await sweep();
    assert.ok(!(await former()).includes('zoe'));
    const migrate = async () => {
      const id = await startRun(harness, ['zoe@example.com', 'new@example.com'], {
        optIn: 'single',
      });
      await harness.consentry.migrations.waitForEnd(id);
      return outcomesOf(harness.ledger, id);
    };
    assert.deepEqual(await migrate(), {
      'zoe@example.com email': 'opted_out_before_run',
      'new@example.com email': 'confirmed',
    });
    assert.equal(sandbox.account.truthFor({ email: 'zoe@example.com' }), undefined);
    sandbox.account.seed({ email: 'zoe@example.com' });
    assert.equal((await migrate())['zoe@example.com email'], 'opted_out_before_run');
    sandbox.account.subscribe({ email: 'zoe@example.com' });
    sandbox.account.advance(HOUR_MS);
    assert.equal((await migrate())['zoe@example.com email'], 'already_consented');
  });

  test('is erased once the destination takes it, though a run failed between', async () => {
    const { ledger, accountId } = world.harness;
    const { id } = ofAddress('max@example.com');
    remove(id);
    await world.rows(
      "create or replace function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$",
    );
    await world.rows(
      'create trigger refuse before delete on klaviyo_consent for each row execute function refuse()',
    );
    await assert.rejects(sweep(), /no/);
    const marks = await optOutsOf(ledger.db, accountId, ['max@example.com']);
    assert.equal(marks.length, 1);
    assert.ok(!(await former()).includes('max'));
    assert.equal((await rowsWith(id)).length, 1);
    await world.rows('drop trigger refuse on klaviyo_consent');
    await sweep();
    assert.deepEqual(await rowsWith(id), []);
    assert.deepEqual(await optOutsOf(ledger.db, accountId, ['max@example.com']), marks);
  });

  test('stays in the ledger if the sync keeps who was deleted, until a sweep of one that erases', async () => {
    const { ledger, accountId } = world.harness;
    const kept = { table: 'kept', history: 'kept_history', lists: 'kept_lists' };
    world.sandbox.account.subscribe({ email: 'tom@example.com', list_id: SINGLE });
    await world.sync({ ...kept, onDeleted: 'keep' });
    const [ivy, tom] = ['ivy', 'tom'].map((name) => ofAddress(`${name}@example.com`).id);
    assert.ok(ivy !== undefined && tom !== undefined);
    remove(ivy);
    remove(tom);
    const { removed } = await world.sync({ ...kept, onDeleted: 'keep', full: true });
    assert.equal(removed, 2);
    assert.deepEqual((await former()).sort(), ['eve', 'ivy', 'kim']);
    const traces = async () => {
      const all = await Promise.all(
        Object.values(kept).map((table) => world.rows(`select * from ${table}`)),
      );
      return all.map((rows) =>
        [ivy, tom, 'ivy@', 'tom@'].filter((who) => JSON.stringify(rows).includes(who)),
      );
    };
    const before = await traces();
    assert.deepEqual(before, [[ivy, tom, 'ivy@', 'tom@'], [ivy, tom], [tom]]);
    await world.sync(kept);
    assert.deepEqual(await traces(), before, 'who was not seen by a sweep may be there after all');
    await world.sync({ ...kept, full: true });
    assert.deepEqual(await traces(), [[], [], []]);
    assert.deepEqual((await former()).sort(), ['eve', 'kim']);
    assert.equal((await optOutsOf(ledger.db, accountId, ['ivy@example.com'])).length, 1);
    // The marks are nobody's to be looked up.
    const { calls: first = 0 } = (await statusOf('kept')).runs[0] ?? {};
    await world.sync({ ...kept, full: true });
    const { calls: second = 0 } = (await statusOf('kept')).runs[0] ?? {};
    assert.ok(second < first, `${second} calls after ${first}`);
    await world.assertTrue('kept');
  });

  test('leaves a restored ledger with the migrations that docs/sync.md says to delete', async () => {
    const { ledger, accountId } = world.harness;
    const [, statement = ''] =
      /```sql\n\s*(delete from consentry\.run [^;]+);/.exec(document()) ?? [];
    assert.notEqual(statement, '');
    for (const [id, email] of [
      ['with-bob', 'Bob@example.com'],
      ['without', 'liz@example.com'],
    ] as const) {
      await store(ledger, id, [intent({ email })], {}, accountId);
    }
    await sql.raw(statement).execute(ledger.db);
    const { rows } = await sql<{ id: string }>`
      select id from consentry.run where id in ('with-bob', 'without')`.execute(ledger.db);
    assert.deepEqual(rows, [{ id: 'without' }]);
  });

  const statusOf = async (table: string) => {
    const all = await world.harness.consentry.syncs.status();
    const status = all.find(({ sync }) => sync.destination.endsWith(`table ${table}`));
    assert.ok(status !== undefined);
    return status;
  };
});
