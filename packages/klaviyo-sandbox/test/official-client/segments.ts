import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FilterBuilder } from 'klaviyo-api';
import type { SegmentOptions } from '../../src/settings/options.js';
import { everyPage, HOUR, officialClient, refusedWith, row, subscribeQuery } from './support.js';

const SUBSCRIBED: SegmentOptions = {
  id: 'Reader',
  name: 'Readers',
  where: { consent: 'email.marketing', is: 'SUBSCRIBED' },
};

describe('the official client reads segments', () => {
  it('reads a segment with its definition and the count of its members', async (t) => {
    const { sandbox, segments, after } = await officialClient(t, { segments: [SUBSCRIBED] });
    sandbox.account.seed({ email: 'ann@example.com', email_consent: 'SUBSCRIBED' });
    sandbox.account.seed({ email: 'bo@example.com' });
    after(HOUR);
    const { body } = await segments.getSegment('Reader', {
      additionalFieldsSegment: ['profile_count'],
    });
    const { name, definition, isActive, isProcessing, created, profileCount } =
      body.data.attributes;
    assert.deepEqual([name, isActive, isProcessing, profileCount], ['Readers', true, false, 1]);
    assert.ok(created instanceof Date);
    const types = definition?.conditionGroups.map(({ conditions }) =>
      conditions.map(({ type }) => type as string),
    );
    assert.deepEqual([...new Set(types?.flat())], ['profile-marketing-consent']);
    assert.equal((await refusedWith(segments.getSegment('Nobody')))[0], 404);
  });

  it('pages through segments, and finds them by name and activity', async (t) => {
    const made = Array.from({ length: 12 }, (_, i) => ({
      name: `Segment ${String(i).padStart(2, '0')}`,
      is_active: i % 2 === 0,
    }));
    const { segments } = await officialClient(t, { segments: made });
    const pages = await everyPage((at) => segments.getSegments({ sort: 'name', ...at }));
    assert.deepEqual(
      pages.map((page) => page.map(({ attributes }) => attributes.name)),
      [made.slice(0, 10), made.slice(10)].map((page) => page.map(({ name }) => name)),
    );
    const { body } = await segments.getSegments({
      filter: new FilterBuilder()
        .any('name', ['Segment 03', 'Segment 04'])
        .equals('is_active', true)
        .build(),
      fieldsSegment: ['name'],
    });
    assert.deepEqual(
      body.data.map(({ attributes: { name, created } }) => [name, created]),
      [['Segment 04', undefined]],
    );
  });

  it('sees new members some time after they subscribed', async (t) => {
    const client = await officialClient(t, { segments: [SUBSCRIBED] });
    const began = new Date(Date.now() - 1_000);
    const emails = Array.from(
      { length: 25 },
      (_, i) => `p${String(i).padStart(2, '0')}@example.com`,
    );
    await client.profiles.bulkSubscribeProfiles(
      subscribeQuery(
        emails.map((email) => row({ email })),
        { list: 'Single' },
      ),
    );
    const members = async (since: Date) =>
      everyPage((at) =>
        client.segments.getProfilesForSegment('Reader', {
          filter: new FilterBuilder().greaterOrEqual('joined_group_at', since).build(),
          additionalFieldsProfile: ['subscriptions'],
          sort: '-joined_group_at',
          pageSize: 10,
          ...at,
        }),
      );
    assert.deepEqual(await members(began), [[]]);
    client.after(HOUR);
    const pages = await members(began);
    assert.deepEqual(
      pages.map((page) => page.length),
      [10, 10, 5],
    );
    const found = pages.flat().map(({ attributes }) => attributes);
    assert.deepEqual(found.map(({ email }) => email).sort(), emails);
    assert.ok(found.every(({ joinedGroupAt }) => joinedGroupAt instanceof Date));
    assert.ok(
      found.every(({ subscriptions }) => subscriptions?.email?.marketing?.consent === 'SUBSCRIBED'),
    );
  });

  it('reads the segments of a person with the profile', async (t) => {
    const { sandbox, profiles, after } = await officialClient(t, { segments: [SUBSCRIBED] });
    sandbox.account.seed({ email: 'ann@example.com', email_consent: 'SUBSCRIBED' });
    after(HOUR);
    const { body } = await profiles.getProfiles();
    const one = await profiles.getProfile(body.data[0]!.id!, {
      include: ['segments'],
      fieldsSegment: ['name'],
    });
    assert.deepEqual(
      one.body.included?.map(({ type, id }) => [type, id]),
      [['segment', 'Reader']],
    );
  });
});
