import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  FilterBuilder,
  type SuppressionCreateJobCreateQuery,
  type SuppressionDeleteJobCreateQuery,
} from 'klaviyo-api';
import { HOUR, officialClient, refusedWith, type Official } from './support.js';

type Suppress = SuppressionCreateJobCreateQuery['data']['attributes'];

const emails = (...of: string[]): Suppress => ({
  profiles: { data: of.map((email) => ({ type: 'profile', attributes: { email } })) },
});

const suppressQuery = (attributes: Suppress, list?: string): SuppressionCreateJobCreateQuery => ({
  data: {
    type: 'profile-suppression-bulk-create-job',
    attributes,
    ...(list === undefined
      ? {}
      : { relationships: { list: { data: { type: 'list', id: list } } } }),
  },
});

const unsuppressQuery = (
  attributes: SuppressionDeleteJobCreateQuery['data']['attributes'],
): SuppressionDeleteJobCreateQuery => ({
  data: { type: 'profile-suppression-bulk-delete-job', attributes },
});

async function suppressionsOf({ profiles }: Official): Promise<[string, string[]][]> {
  const { body } = await profiles.getProfiles({ additionalFieldsProfile: ['subscriptions'] });
  return body.data.map(({ attributes: { email, subscriptions } }) => [
    email ?? '',
    subscriptions?.email?.marketing?.suppression?.map(({ reason }) => String(reason)) ?? [],
  ]);
}

describe('the official client suppresses and unsuppresses', () => {
  it('sees the suppression on the profile hours later, while the job reports it as skipped', async (t) => {
    const client = await officialClient(t);
    client.sandbox.account.seed({ email: 'ann@example.com', email_consent: 'SUBSCRIBED' });
    const { response, body } = await client.profiles.bulkSuppressProfiles(
      suppressQuery(emails('ann@example.com', 'bo@example.com')),
    );
    assert.equal(response.status, 202);
    assert.equal(body.data.attributes.status, 'processing');
    assert.ok(body.data.attributes.completedAt instanceof Date);
    assert.deepEqual(await suppressionsOf(client), [['ann@example.com', []]]);
    client.after(5 * HOUR);
    assert.deepEqual(await suppressionsOf(client), [
      ['ann@example.com', ['USER_SUPPRESSED']],
      ['bo@example.com', ['USER_SUPPRESSED']],
    ]);
    const { body: job } = await client.profiles.getBulkSuppressProfilesJob(body.data.id);
    assert.deepEqual([job.data.id, job.data.attributes.completedCount], [body.data.id, 0]);
  });

  it('sees the end of the job if the sandbox is set to be honest', async (t) => {
    const client = await officialClient(t, { switches: { suppressionJobStatus: 'honest' } });
    const { body } = await client.profiles.bulkSuppressProfiles(
      suppressQuery(emails('ann@example.com')),
    );
    client.after(5 * HOUR);
    const { body: job } = await client.profiles.getBulkSuppressProfilesJob(body.data.id, {
      fieldsProfileSuppressionBulkCreateJob: ['status', 'completed_count'],
    });
    const { status, completedCount, createdAt } = job.data.attributes;
    assert.deepEqual([status, completedCount, createdAt], ['complete', 1, undefined]);
  });

  it('suppresses everybody on a list', async (t) => {
    const client = await officialClient(t);
    const { account } = client.sandbox;
    account.seed({ email: 'ann@example.com', lists: ['Single'] });
    account.seed({ email: 'bo@example.com' });
    await client.profiles.bulkSuppressProfiles(suppressQuery({}, 'Single'));
    client.after(5 * HOUR);
    assert.deepEqual(await suppressionsOf(client), [
      ['ann@example.com', ['USER_SUPPRESSED']],
      ['bo@example.com', []],
    ]);
  });

  it('removes suppressions by hand, and nothing else', async (t) => {
    const client = await officialClient(t);
    client.sandbox.account.seed({
      email: 'ann@example.com',
      suppressions: ['USER_SUPPRESSED', 'HARD_BOUNCE'],
    });
    const { response, body } = await client.profiles.bulkUnsuppressProfiles(
      unsuppressQuery(emails('ann@example.com')),
    );
    assert.equal(response.status, 202);
    client.after(5 * HOUR);
    assert.deepEqual(await suppressionsOf(client), [['ann@example.com', ['HARD_BOUNCE']]]);
    const { body: job } = await client.profiles.getBulkUnsuppressProfilesJob(body.data.id);
    assert.equal(job.data.id, body.data.id);
  });

  it('finds jobs of either kind by status', async (t) => {
    const client = await officialClient(t);
    const { profiles } = client;
    const created = await profiles.bulkSuppressProfiles(suppressQuery(emails('ann@example.com')));
    const deleted = await profiles.bulkUnsuppressProfiles(
      unsuppressQuery(emails('ann@example.com')),
    );
    const under = (status: string) => new FilterBuilder().equals('status', status).build();
    const found = [
      await profiles.getBulkSuppressProfilesJobs({ filter: under('processing'), sort: '-created' }),
      await profiles.getBulkSuppressProfilesJobs({ filter: under('cancelled') }),
      await profiles.getBulkUnsuppressProfilesJobs({ filter: under('processing') }),
    ];
    assert.deepEqual(
      found.map(({ body }) => body.data.map(({ id }) => id)),
      [[created.body.data.id], [], [deleted.body.data.id]],
    );
  });

  it('is refused for 101 addresses, and without anybody', async (t) => {
    const { profiles } = await officialClient(t);
    const many = Array.from({ length: 101 }, (_, i) => `p${i}@example.com`);
    for (const attributes of [emails(...many), {}]) {
      const [status] = await refusedWith(profiles.bulkSuppressProfiles(suppressQuery(attributes)));
      assert.equal(status, 400);
    }
  });
});
