import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FilterBuilder, type ProfileImportJobCreateQuery } from 'klaviyo-api';
import { everyPage, HOUR, officialClient, refusedWith } from './support.js';

type Attributes =
  ProfileImportJobCreateQuery['data']['attributes']['profiles']['data'][number]['attributes'];

const importQuery = (
  profiles: readonly Attributes[],
  lists: readonly string[] = [],
): ProfileImportJobCreateQuery => ({
  data: {
    type: 'profile-bulk-import-job',
    attributes: {
      profiles: { data: profiles.map((attributes) => ({ type: 'profile', attributes })) },
    },
    ...(lists.length === 0
      ? {}
      : { relationships: { lists: { data: lists.map((id) => ({ type: 'list', id })) } } }),
  },
});

describe('the official client imports profiles in bulk', () => {
  it('follows a job to its end and finds the people with the imported data, without consent', async (t) => {
    const client = await officialClient(t);
    const people = Array.from({ length: 25 }, (_, i) => ({
      email: `p${String(i).padStart(2, '0')}@example.com`,
      firstName: `Person ${i}`,
      location: { city: 'Bath', country: 'United Kingdom' },
      properties: { shoe_size: i },
    }));
    const { response, body } = await client.profiles.bulkImportProfiles(
      importQuery(people, ['Double']),
    );
    assert.equal(response.status, 202);
    const { id, attributes } = body.data;
    assert.ok(['queued', 'processing'].includes(String(attributes.status)), `${attributes.status}`);
    assert.equal(attributes.totalCount, 25);
    assert.ok(attributes.createdAt instanceof Date);
    client.after(HOUR);

    const done = await client.profiles.getBulkImportProfilesJob(id, { include: ['lists'] });
    assert.deepEqual(
      [done.body.data.attributes.status, done.body.data.attributes.completedCount],
      ['complete', 25],
    );
    assert.deepEqual(
      done.body.included?.map(({ type, id, attributes }) => [type, id, attributes.name]),
      [['list', 'Double', 'Double']],
    );
    const lists = await client.profiles.getListIdsForBulkImportProfilesJob(id);
    assert.deepEqual(
      lists.body.data.map(({ id }) => id),
      ['Double'],
    );
    const imported = await everyPage((at) =>
      client.profiles.getProfilesForBulkImportProfilesJob(id, {
        pageSize: 10,
        additionalFieldsProfile: ['subscriptions'],
        ...at,
      }),
    );
    assert.deepEqual(
      imported.map((page) => page.length),
      [10, 10, 5],
    );
    const [first] = imported
      .flat()
      .sort((a, b) => String(a.attributes.email).localeCompare(String(b.attributes.email)));
    assert.equal(first?.attributes.firstName, 'Person 0');
    assert.equal(first.attributes.location?.city, 'Bath');
    assert.deepEqual(first.attributes.properties, { shoe_size: 0 });
    assert.equal(first.attributes.subscriptions?.email?.marketing?.consent, 'NEVER_SUBSCRIBED');
    const ids = await everyPage((at) =>
      client.profiles.getProfileIdsForBulkImportProfilesJob(id, { pageSize: 20, ...at }),
    );
    assert.deepEqual(
      ids
        .flat()
        .map(({ id }) => id)
        .sort(),
      imported
        .flat()
        .map(({ id }) => id)
        .sort(),
    );
    const members = await everyPage((at) =>
      client.lists.getProfileIdsForList('Double', { pageSize: 100, ...at }),
    );
    assert.equal(members.flat().length, 25);
  });

  it('lists jobs by status, the newest first', async (t) => {
    const client = await officialClient(t);
    const made: string[] = [];
    for (const email of ['ann@example.com', 'bo@example.com', 'cy@example.com']) {
      const { body } = await client.profiles.bulkImportProfiles(importQuery([{ email }]));
      made.push(body.data.id);
    }
    client.after(HOUR);
    const filter = new FilterBuilder().equals('status', 'complete').build();
    const pages = await everyPage((at) =>
      client.profiles.getBulkImportProfilesJobs({
        filter,
        sort: '-created_at',
        pageSize: 2,
        fieldsProfileBulkImportJob: ['status', 'total_count'],
        ...at,
      }),
    );
    assert.deepEqual(
      pages.map((page) => page.length),
      [2, 1],
    );
    assert.deepEqual(
      pages
        .flat()
        .map(({ id }) => id)
        .sort(),
      [...made].sort(),
    );
    assert.deepEqual(
      pages.flat().map(({ attributes }) => [attributes.totalCount, attributes.createdAt]),
      [1, 1, 1].map((count) => [count, undefined]),
    );
  });

  it('reads the errors of a job, which has none for people with an address', async (t) => {
    const client = await officialClient(t);
    const { body } = await client.profiles.bulkImportProfiles(
      importQuery([{ email: 'ann@example.com', phoneNumber: '12' }]),
    );
    client.after(HOUR);
    const errors = await client.profiles.getErrorsForBulkImportProfilesJob(body.data.id);
    assert.deepEqual(errors.body.data, []);
    const imported = await client.profiles.getProfilesForBulkImportProfilesJob(body.data.id);
    assert.deepEqual(
      imported.body.data.map(({ attributes }) => [attributes.email, attributes.phoneNumber]),
      [['ann@example.com', null]],
    );
  });

  it('is refused as a whole for a malformed address, and for an unknown list', async (t) => {
    const client = await officialClient(t);
    const [status, [pointer] = []] = await refusedWith(
      client.profiles.bulkImportProfiles(
        importQuery([{ email: 'ann@example.com' }, { email: 'b' }]),
      ),
    );
    assert.deepEqual([status, pointer], [400, '/data/attributes/profiles/data/1/attributes/email']);
    assert.deepEqual(
      await refusedWith(
        client.profiles.bulkImportProfiles(
          importQuery([{ email: 'ann@example.com' }], ['Nowhere']),
        ),
      ),
      [400, ['/data', 'List ID Nowhere does not exist.']],
    );
    client.after(HOUR);
    assert.deepEqual([...client.sandbox.account.truth()], []);
  });
});
