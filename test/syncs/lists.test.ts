import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { populate } from 'klaviyo-sandbox';
import { startCursorProxy } from '../support/klaviyo/cursor-proxy.js';
import { memberDifferences } from './compare.js';
import { startSyncWorld, type SyncWorld } from './world.js';

const LISTS = [
  { id: 'NEWS01', name: 'Newsletter', opt_in_process: 'single_opt_in' },
  { id: 'OFFERS', name: 'Offers', opt_in_process: 'single_opt_in' },
  // Two lists may share a name.
  { id: 'TWIN01', name: 'Offers', opt_in_process: 'single_opt_in' },
  { id: 'EMPTY1', name: 'Empty', opt_in_process: 'single_opt_in' },
] as const;

const MEMBERS = 'list_members';

describe('list memberships of a sync', () => {
  let world: SyncWorld;

  before(async () => {
    world = await startSyncWorld({ lists: [...LISTS] });
    const { account } = world.sandbox;
    await populate(account, { profiles: 400 });
    const ids = [...account.truth()].map(({ id }) => id);
    join_('NEWS01', ids.slice(0, 350));
    account.pass(60_000);
    join_('OFFERS', ids.slice(0, 130));
    join_('TWIN01', ids.slice(50, 60));
    for (const name of ['ada', 'bob', 'eve', 'kim', 'zoe']) {
      for (const { id } of LISTS.slice(0, 3)) {
        account.subscribe({ email: `${name}@example.com`, list_id: id });
      }
    }
    // An account gets a metric with its first event, and is asked for metrics once a second at most.
    account.unsubscribe({ email: 'zoe@example.com', list_id: 'NEWS01' });
    account.pass(3_600_000);
  });
  after(() => world.close());

  const sync = (full = false) => world.sync({ lists: MEMBERS, full });
  const ofAddress = (email: string) => {
    const line = world.sandbox.account.truthFor({ email });
    assert.ok(line !== undefined);
    return line;
  };
  const indexOf = (id: string) => {
    const index = world.sandbox.account.profiles.withId(id);
    assert.ok(index !== undefined, id);
    return index;
  };
  const listOf = (id: string) => {
    const list = world.sandbox.account.lists.get(id);
    assert.ok(list !== undefined);
    return list;
  };
  /** By the API or by hand: no event is written. */
  function join_(listId: string, ids: readonly string[]): void {
    const { clock } = world.sandbox.account;
    for (const id of ids) listOf(listId).join(indexOf(id), clock.wall());
  }
  const rowsOf = (id: string) =>
    world.rows(`select list_id, left_at from ${MEMBERS} where profile_id = $1 order by 1`, [id]);
  const assertTrue = async () => {
    const rows = await world.rows(`select * from ${MEMBERS} where left_at is null`);
    const { account } = world.sandbox;
    const lists = account.lists.all();
    assert.deepEqual(memberDifferences(rows, account.truth(), lists), []);
  };

  test('are those of every list after the first run, and no row is written by the second', async () => {
    const { membersJoined, membersLeft } = await sync();
    const count = LISTS.reduce((sum, { id }) => sum + listOf(id).size, 0);
    assert.deepEqual({ membersJoined, membersLeft }, { membersJoined: count, membersLeft: 0 });
    await assertTrue();
    const stored = () => world.rows(`select xmin::text, * from ${MEMBERS} order by 2, 3`);
    const before = await stored();
    assert.deepEqual((await sync()).membersJoined, 0);
    assert.deepEqual(await stored(), before);
  });

  test('show who joins and who leaves in the next run, with few calls', async () => {
    const { account } = world.sandbox;
    account.unsubscribe({ email: 'ada@example.com', list_id: 'NEWS01' });
    account.unsubscribe({ email: 'ada@example.com', list_id: 'OFFERS' });
    account.unsubscribe({ email: 'bob@example.com', list_id: 'TWIN01' });
    account.subscribe({ email: 'bob@example.com', list_id: 'TWIN01' });
    account.subscribe({ email: 'new@example.com', list_id: 'EMPTY1' });
    const [imported] = [...account.truth()].filter(({ lists }) => lists.length === 0);
    assert.ok(imported !== undefined);
    join_('OFFERS', [imported.id]);
    const { whole, membersJoined, membersLeft } = await sync();
    // Bob is on his list again, with a new date.
    assert.deepEqual(
      { whole, membersJoined, membersLeft },
      { whole: null, membersJoined: 3, membersLeft: 2 },
    );
    await assertTrue();
    const [, , twin] = await rowsOf(ofAddress('ada@example.com').id);
    assert.deepEqual(twin, { list_id: 'TWIN01', left_at: null });
    const [status] = await world.harness.consentry.syncs.status();
    const { calls = 0, membersLeft: noted } = status?.runs[0] ?? {};
    assert.equal(noted, 2);
    const { changes, largestMs = Infinity } = status?.lag.list_memberships ?? {};
    assert.equal(changes, 3);
    assert.ok(largestMs < 60_000, `${largestMs} ms`);
    assert.ok(calls <= 40, `${calls} calls`);
  });

  test('end without an event only in a sweep, which says so', async () => {
    const { account } = world.sandbox;
    const { id } = ofAddress('eve@example.com');
    listOf('NEWS01').leave(indexOf(id));
    assert.equal((await sync()).membersLeft, 0);
    const { membersLeft, drift } = await sync(true);
    assert.equal(membersLeft, 1);
    assert.deepEqual(drift, { 'list_memberships (undated)': 1 });
    await assertTrue();
    account.subscribe({ email: 'eve@example.com', list_id: 'NEWS01' });
    assert.equal((await sync()).membersJoined, 1);
    await assertTrue();
    assert.deepEqual((await sync(true)).drift, {});
  });

  test('have the new name of a list, and end with a list that is deleted', async () => {
    const { account } = world.sandbox;
    account.listing.change(listOf('NEWS01'), { name: 'News', optIn: null });
    const size = listOf('TWIN01').size;
    account.listing.delete('TWIN01');
    const { membersLeft } = await sync();
    assert.equal(membersLeft, size);
    await assertTrue();
  });

  test('end for who left a list that has another name by now, and its name is another one’s', async () => {
    const { account } = world.sandbox;
    account.unsubscribe({ email: 'eve@example.com', list_id: 'OFFERS' });
    account.pass(60_000);
    account.listing.change(listOf('OFFERS'), { name: 'Old offers', optIn: null });
    account.listing.change(listOf('EMPTY1'), { name: 'Offers', optIn: null });
    assert.equal((await sync()).membersLeft, 1);
    await assertTrue();
  });

  test('end for somebody who has neither an address nor a number any more', async () => {
    const { account } = world.sandbox;
    const { id } = ofAddress('zoe@example.com');
    assert.equal((await rowsOf(id)).filter(({ left_at }) => left_at === null).length, 1);
    account.subscribe({ email: 'zoe@example.com', list_id: 'NEWS01' });
    await sync();
    account.unsubscribe({ email: 'zoe@example.com', list_id: 'OFFERS' });
    const answer = await fetch(`${world.sandbox.url}/api/profiles/${id}`, {
      method: 'PATCH',
      headers: {
        authorization: `Klaviyo-API-Key ${world.sandbox.apiKey}`,
        revision: '2026-07-15',
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        data: { type: 'profile', id, attributes: { email: null, external_id: 'zoe' } },
      }),
    });
    assert.equal(answer.status, 200, await answer.text());
    account.pass(60_000);
    assert.equal((await sync()).membersLeft, 1);
    await assertTrue();
    const [news, offers] = await rowsOf(id);
    assert.deepEqual([news?.['left_at'], offers?.['left_at'] === null], [null, false]);
  });

  test('are read from the first page again if Klaviyo refuses a cursor', async () => {
    const { harness, sandbox } = world;
    const proxy = await startCursorProxy(sandbox.url, /^\/api\/lists\/[^/]+\/profiles$/);
    await harness.stopWorkers();
    await harness.startWorker({ baseUrl: proxy.url });
    try {
      const added = Array.from({ length: 150 }, (_, n) => `cursor${n}@example.com`);
      for (const email of added) sandbox.account.subscribe({ email, list_id: 'EMPTY1' });
      proxy.expire(1);
      assert.equal((await sync()).membersJoined, added.length);
      assert.equal(proxy.left(), 0);
      await assertTrue();
    } finally {
      await harness.stopWorkers();
      await proxy.close();
      await harness.startWorker();
    }
  });

  test('go with the person, and the view has only people who are there', async () => {
    const { account } = world.sandbox;
    const { profiles, identities, deleting } = account;
    const [merged, into, deleted] = ['bob', 'eve', 'kim'].map((name) =>
      ofAddress(`${name}@example.com`),
    );
    assert.ok(merged !== undefined && into !== undefined && deleted !== undefined);
    identities.merge(indexOf(merged.id), indexOf(into.id), 'destination');
    deleting.accept({ field: 'id', value: deleted.id });
    account.advance(3_600_000);
    await sync(true);
    assert.deepEqual(await rowsOf(deleted.id), []);
    const rows = await rowsOf(merged.id);
    assert.ok(rows.length > 0 && rows.every(({ left_at }) => left_at !== null));
    await assertTrue();
    const [{ n: held, v: viewed } = {}] = await world.rows(
      `select (select count(*) from ${MEMBERS} where left_at is null) as n,
         (select count(*) from ${MEMBERS}_current) as v`,
    );
    assert.equal(viewed, held);
    await world.rows(`update klaviyo_consent set deleted_at = now() where profile_id = $1`, [
      into.id,
    ]);
    assert.deepEqual(
      await world.rows(`select 1 from ${MEMBERS}_current where profile_id = $1`, [into.id]),
      [],
    );
    assert.equal(profiles.withId(deleted.id), undefined);
  });

  test('fill a table that a sync gets later, and are in files', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    t.after(() => rm(folder, { recursive: true }));
    const { syncs } = world.harness.consentry;
    const to = { to: folder, format: 'ndjson' } as const;
    const run = async (request: object) =>
      syncs.waitForEnd((await syncs.start({ ...to, ...request })).workflowId);
    assert.equal((await run({})).whole, 'first');
    assert.deepEqual((await manifestOf(folder)).listMembers, null);
    const { whole, drift } = await run({ lists: true });
    assert.deepEqual({ whole, drift }, { whole: 'sweep', drift: {} });
    const { listMembers } = await manifestOf(folder);
    const text = await readFile(join(folder, listMembers?.files[0]?.name ?? ''), 'utf8');
    const rows = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const { account } = world.sandbox;
    assert.deepEqual(memberDifferences(rows, account.truth(), account.lists.all()), []);
    assert.equal(listMembers?.rows, rows.length);
  });
});

async function manifestOf(folder: string) {
  return JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
    readonly listMembers: {
      readonly files: { readonly name: string }[];
      readonly rows: number;
    } | null;
  };
}
