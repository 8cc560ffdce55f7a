import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FilterBuilder, type ListMembersAddQuery } from 'klaviyo-api';
import { everyPage, officialClient, refusedWith, type Official } from './support.js';

const members = (ids: readonly string[]): ListMembersAddQuery => ({
  data: ids.map((id) => ({ type: 'profile', id })),
});

/** Members `p0@…` to `p<count - 1>@…` of `Single`, joined a minute apart, the first one first. */
async function withMembers(client: Official, count: number): Promise<string[]> {
  for (let i = 0; i < count; i++) {
    const joined_group_at = new Date(Date.UTC(2024, 0, 1, 0, i)).toISOString();
    client.sandbox.account.seed({
      email: `p${i}@example.com`,
      email_consent: 'SUBSCRIBED',
      lists: [{ id: 'Single', joined_group_at }],
    });
  }
  const { body } = await client.profiles.getProfiles({ pageSize: 100 });
  return body.data.map(({ id }) => id ?? '');
}

describe('the official client works with lists', () => {
  it('creates, reads, renames and deletes a list', async (t) => {
    const client = await officialClient(t);
    const made = await client.lists.createList({
      data: { type: 'list', attributes: { name: 'News', optInProcess: 'single_opt_in' } },
    });
    assert.equal(made.response.status, 201);
    const { id, attributes } = made.body.data;
    assert.deepEqual([attributes.name, attributes.optInProcess], ['News', 'single_opt_in']);
    assert.ok(attributes.created instanceof Date);
    const changed = await client.lists.updateList(id, {
      data: { type: 'list', id, attributes: { name: 'Letters' } },
    });
    assert.deepEqual(
      [changed.body.data.attributes.name, changed.body.data.attributes.optInProcess],
      ['Letters', 'single_opt_in'],
    );
    const read = await client.lists.getList(id, { fieldsList: ['name'] });
    assert.deepEqual(
      [read.body.data.attributes.name, read.body.data.attributes.created],
      ['Letters', undefined],
    );
    assert.equal((await client.lists.deleteList(id)).response.status, 204);
    assert.equal((await refusedWith(client.lists.getList(id)))[0], 404);
  });

  it('pages through lists, ten at a time, in the order it asks for', async (t) => {
    const lists = Array.from({ length: 23 }, (_, i) => ({
      name: `List ${String(i).padStart(2, '0')}`,
    }));
    const client = await officialClient(t, { lists });
    const pages = await everyPage((at) => client.lists.getLists({ ...at, sort: '-name' }));
    assert.deepEqual(
      pages.map((page) => page.length),
      [10, 10, 3],
    );
    assert.deepEqual(
      pages.flat().map(({ attributes }) => attributes.name),
      lists.map(({ name }) => name).reverse(),
    );
    const [status, [parameter] = []] = await refusedWith(client.lists.getLists({ pageSize: 11 }));
    assert.deepEqual([status, parameter], [400, 'page[size]']);
  });

  it('finds lists with a filter from its filter builder', async (t) => {
    const { lists } = await officialClient(t);
    const filter = new FilterBuilder().any('name', ['Double', 'Treble']).build();
    const { body } = await lists.getLists({ filter });
    assert.deepEqual(
      body.data.map(({ id }) => id),
      ['Double'],
    );
  });

  it('adds people to a list and removes them, which does not change their consent', async (t) => {
    const client = await officialClient(t);
    const { account } = client.sandbox;
    account.seed({ email: 'ann@example.com', email_consent: 'UNSUBSCRIBED' });
    account.seed({ email: 'bo@example.com' });
    const { body } = await client.profiles.getProfiles();
    const ids = body.data.map(({ id }) => id ?? '');
    const added = await client.lists.addProfilesToList('Double', members(ids));
    assert.equal(added.response.status, 204);
    const { body: all } = await client.lists.getProfileIdsForList('Double');
    assert.deepEqual(all.data.map(({ id }) => id).sort(), [...ids].sort());
    const one = await client.lists.getList('Double', { additionalFieldsList: ['profile_count'] });
    assert.equal(one.body.data.attributes.profileCount, 2);
    const removed = await client.lists.removeProfilesFromList('Double', members([ids[1]!]));
    assert.equal(removed.response.status, 204);
    const { body: left } = await client.lists.getProfilesForList('Double', {
      additionalFieldsProfile: ['subscriptions'],
    });
    assert.deepEqual(
      left.data.map(({ attributes }) => [
        attributes.email,
        attributes.subscriptions?.email?.marketing?.consent,
        attributes.joinedGroupAt instanceof Date,
      ]),
      [['ann@example.com', 'UNSUBSCRIBED', true]],
    );
  });

  it('is refused for an unknown profile id, and then nobody is added', async (t) => {
    const client = await officialClient(t);
    const [known] = await withMembers(client, 1);
    assert.deepEqual(
      await refusedWith(client.lists.addProfilesToList('Double', members([known!, 'XYZABD']))),
      [400, ['/data/', 'Invalid profile IDs: XYZABD']],
    );
    const { body } = await client.lists.getProfileIdsForList('Double');
    assert.deepEqual(body.data, []);
  });

  it('pages through members and their ids in the order of joining', async (t) => {
    const client = await officialClient(t);
    const ids = await withMembers(client, 25);
    const byJoining = { sort: 'joined_group_at', pageSize: 10 } as const;
    const profiles = await everyPage((at) =>
      client.lists.getProfilesForList('Single', { ...byJoining, ...at }),
    );
    assert.deepEqual(
      profiles.map((page) => page.length),
      [10, 10, 5],
    );
    assert.deepEqual(
      profiles.flat().map(({ id }) => id),
      ids,
    );
    const latest = await everyPage((at) =>
      client.lists.getProfileIdsForList('Single', {
        pageSize: 100,
        sort: '-joined_group_at',
        ...at,
      }),
    );
    assert.deepEqual(
      latest.flat().map(({ id }) => id),
      [...ids].reverse(),
    );
  });

  it('finds members by address and by when they joined', async (t) => {
    const client = await officialClient(t);
    await withMembers(client, 5);
    const named = await client.lists.getProfilesForList('Single', {
      filter: new FilterBuilder().any('email', ['p3@example.com', 'nobody@example.com']).build(),
    });
    const since = await client.lists.getProfilesForList('Single', {
      filter: new FilterBuilder()
        .greaterOrEqual('joined_group_at', new Date('2024-01-01T00:03:00Z'))
        .build(),
      fieldsProfile: ['email', 'joined_group_at'],
    });
    assert.deepEqual(
      [named, since].map(({ body }) => body.data.map(({ attributes }) => attributes.email)),
      [['p3@example.com'], ['p3@example.com', 'p4@example.com']],
    );
    assert.equal(since.body.data[0]!.attributes.created, undefined);
    assert.equal(
      since.body.data[0]!.attributes.joinedGroupAt?.toISOString(),
      '2024-01-01T00:03:00.000Z',
    );
  });
});
