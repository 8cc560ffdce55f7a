import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SyncRequest } from '../../src/starter/syncs/request.js';
import { SINGLE } from '../support/harness.js';
import { startSyncWorld, type SyncWorld } from './world.js';

const BESIDE = { history: 'consent_history', lists: 'list_members' };

describe('a history and a table of lists that a sync had, has not, and has again', () => {
  let world: SyncWorld;
  before(async () => {
    world = await startSyncWorld();
  });
  after(() => world.close());

  const change = (name: string) => {
    const { account } = world.sandbox;
    account.unsubscribe({ email: `${name}@example.com` });
    account.subscribe({ email: `${name}@example.com`, list_id: SINGLE });
    account.advance(3_600_000);
  };
  const idOf = (name: string) => {
    const line = world.sandbox.account.truthFor({ email: `${name}@example.com` });
    assert.ok(line !== undefined);
    return line.id;
  };
  const remove = (id: string) => {
    const { account } = world.sandbox;
    account.deleting.accept({ field: 'id', value: id });
    account.advance(3_600_000);
  };
  /** How many rows of somebody the two tables have. */
  const rowsOf = async (id: string) => {
    const counts = Object.values(BESIDE).map((table) =>
      world.rows(`select count(*)::int as n from ${table} where profile_id = $1`, [id]),
    );
    return (await Promise.all(counts)).map(([row]) => row?.['n']);
  };

  test('have nothing of people who were erased meanwhile, and all of the others', async () => {
    const { account } = world.sandbox;
    for (const name of ['ada', 'bob', 'kim']) {
      account.subscribe({ email: `${name}@example.com`, list_id: SINGLE });
    }
    account.advance(3_600_000);
    await world.sync(BESIDE);
    for (const name of ['ada', 'bob', 'kim']) change(name);
    await world.sync(BESIDE);
    const [ada, bob, kim] = ['ada', 'bob', 'kim'].map(idOf);
    assert.ok(ada !== undefined && bob !== undefined && kim !== undefined);
    const before = await Promise.all([ada, bob, kim].map(rowsOf));
    for (const [changes = 0, lists] of before) {
      assert.ok(Number(changes) > 0);
      assert.equal(lists, 1);
    }
    remove(ada);
    await world.sync({ full: true });
    // Kept as it was by the run without them, as is whoever is erased in the first run with them.
    assert.deepEqual(await rowsOf(ada), before[0]);
    remove(kim);
    await world.sync({ ...BESIDE, full: true });
    assert.deepEqual(await Promise.all([ada, bob, kim].map(rowsOf)), [[0, 0], before[1], [0, 0]]);
    const [{ n: marks } = {}] = await world.rows(
      "select count(*)::int as n from consent_history where profile_id like 'deleted-%'",
    );
    assert.equal(marks, 1);
    await world.assertTrue();
  });

  test('are not another sync’s while this one has them', async () => {
    await world.sync(BESIDE);
    const refused: Partial<SyncRequest>[] = [
      { history: BESIDE.history },
      { history: `public.${BESIDE.history}` },
      { lists: BESIDE.lists },
      { history: BESIDE.lists },
      { history: 'klaviyo_consent' },
    ];
    for (const request of refused) {
      await assert.rejects(
        world.sync({ table: 'other', ...request }),
        /writes to postgres:.*, table (consent_history|list_members|klaviyo_consent) already.*of its own/,
      );
    }
    assert.equal((await world.harness.consentry.syncs.status()).length, 1);
    await world.sync({ history: BESIDE.history });
    // It has none any more: what is there is in the way of a new one.
    const taken = world.sync({ table: 'other', lists: BESIDE.lists });
    await assert.rejects(taken, /"list_members" has rows, and no sync wrote them/);
  });
});
