import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FilterBuilder, type ProfileCreateQuery, type PushTokenCreateQuery } from 'klaviyo-api';
import { everyPage, HOUR, MINUTE, officialClient, refusalOf, refusedWith } from './support.js';

type Attributes = ProfileCreateQuery['data']['attributes'];

const createQuery = (attributes: Attributes): ProfileCreateQuery => ({
  data: { type: 'profile', attributes },
});

const tokenQuery = (email: string, token: string): PushTokenCreateQuery => ({
  data: {
    type: 'push-token',
    attributes: {
      token,
      platform: 'ios',
      vendor: 'apns',
      deviceMetadata: { deviceModel: 'Phone 3', osName: 'ios', appName: 'Garden' },
      profile: { data: { type: 'profile', attributes: { email } } },
    },
  },
});

describe('the official client writes profiles', () => {
  it('creates a profile and reads it back', async (t) => {
    const { profiles } = await officialClient(t);
    const ann: Attributes = {
      email: 'ann@example.com',
      phoneNumber: '+12065550101',
      externalId: 'crm-1',
      firstName: 'Ann',
      location: { city: 'Bath', zip: 'BA1', timezone: 'Europe/London' },
      properties: { likes: ['roses', 'moss'] },
    };
    const { response, body } = await profiles.createProfile(createQuery(ann));
    assert.equal(response.status, 201);
    const id = body.data.id!;
    const read = await profiles.getProfile(id);
    const { attributes } = read.body.data;
    assert.deepEqual(
      {
        email: attributes.email,
        phoneNumber: attributes.phoneNumber,
        externalId: attributes.externalId,
        firstName: attributes.firstName,
        city: attributes.location?.city,
        properties: attributes.properties,
        lastName: attributes.lastName,
      },
      {
        email: 'ann@example.com',
        phoneNumber: '+12065550101',
        externalId: 'crm-1',
        firstName: 'Ann',
        city: 'Bath',
        properties: { likes: ['roses', 'moss'] },
        lastName: null,
      },
    );
    assert.ok(attributes.created instanceof Date && attributes.updated instanceof Date);
    assert.equal(attributes.subscriptions, undefined);
  });

  it('gets the owner of an address that is already used', async (t) => {
    const { profiles } = await officialClient(t);
    const { body } = await profiles.createProfile(createQuery({ email: 'ann@example.com' }));
    const { status, data } = await refusalOf(
      profiles.createProfile(createQuery({ email: 'ann@example.com' })),
    );
    const [error] = data.errors;
    assert.deepEqual(
      [status, error?.code, error?.detail, error?.source.pointer],
      [
        409,
        'duplicate_profile',
        'A profile already exists with one of these identifiers.',
        '/data/attributes',
      ],
    );
    assert.equal(error?.meta?.['duplicate_profile_id'], body.data.id);
  });

  it('clears what it sets to null, and keeps what it does not name', async (t) => {
    const { profiles } = await officialClient(t);
    const { body } = await profiles.createProfile(
      createQuery({ email: 'ann@example.com', firstName: 'Ann', lastName: 'Ash', title: 'Dr' }),
    );
    const id = body.data.id!;
    const { response, body: changed } = await profiles.updateProfile(id, {
      data: { type: 'profile', id, attributes: { title: null, lastName: 'Oak' } },
    });
    assert.equal(response.status, 200);
    const { firstName, lastName, title } = changed.data.attributes;
    assert.deepEqual([firstName, lastName, title], ['Ann', 'Oak', null]);
  });

  it('creates on the first import of an address and updates on the second', async (t) => {
    const { profiles } = await officialClient(t);
    const upsert = (firstName: string) =>
      profiles.createOrUpdateProfile(
        { data: { type: 'profile', attributes: { email: 'ann@example.com', firstName } } },
        { additionalFieldsProfile: ['subscriptions'] },
      );
    const first = await upsert('Ann');
    const second = await upsert('Anna');
    assert.deepEqual([first.response.status, second.response.status], [201, 200]);
    assert.equal(first.body.data.id, second.body.data.id);
    assert.equal(second.body.data.attributes.firstName, 'Anna');
    const consent = second.body.data.attributes.subscriptions?.email?.marketing?.consent;
    assert.equal(consent, 'NEVER_SUBSCRIBED');
  });

  it('merges one profile into another', async (t) => {
    const { profiles, after } = await officialClient(t);
    const one = await profiles.createProfile(createQuery({ email: 'ann@example.com' }));
    const other = await profiles.createProfile(createQuery({ phoneNumber: '+12065550101' }));
    const [id, source] = [one.body.data.id!, other.body.data.id!];
    const { response, body } = await profiles.mergeProfiles({
      data: {
        type: 'profile-merge',
        id,
        relationships: { profiles: { data: [{ type: 'profile', id: source }] } },
      },
    });
    assert.deepEqual([response.status, body.data.id], [202, id]);
    after(5 * MINUTE);
    const { attributes } = (await profiles.getProfile(id)).body.data;
    assert.deepEqual(
      [attributes.email, attributes.phoneNumber],
      ['ann@example.com', '+12065550101'],
    );
    assert.equal((await refusedWith(profiles.getProfile(source)))[0], 404);
  });

  it('deletes a person, by one identifier only', async (t) => {
    const { profiles, dataPrivacy, after } = await officialClient(t);
    const { body } = await profiles.createProfile(
      createQuery({ email: 'ann@example.com', phoneNumber: '+12065550101' }),
    );
    const remove = (identifiers: { email?: string; phoneNumber?: string }) =>
      dataPrivacy.requestProfileDeletion({
        data: {
          type: 'data-privacy-deletion-job',
          attributes: { profile: { data: { type: 'profile', attributes: identifiers } } },
        },
      });
    const both = { email: 'ann@example.com', phoneNumber: '+12065550101' };
    assert.equal((await refusedWith(remove(both)))[0], 400);
    const { response } = await remove({ email: 'ann@example.com' });
    assert.equal(response.status, 202);
    after(2 * HOUR);
    assert.equal((await refusedWith(profiles.getProfile(body.data.id!)))[0], 404);
  });

  it('registers a push token and reads it with its profile', async (t) => {
    const { profiles } = await officialClient(t);
    const { response } = await profiles.createPushToken(tokenQuery('ann@example.com', 'token-1'));
    assert.equal(response.status, 202);
    const { body } = await profiles.getProfiles({
      filter: new FilterBuilder().equals('email', 'ann@example.com').build(),
      include: ['push-tokens'],
      additionalFieldsProfile: ['subscriptions'],
    });
    const [ann] = body.data;
    const tokens = body.included?.map(({ type, attributes }) => [
      type,
      'token' in attributes ? [attributes.token, attributes.platform, attributes.vendor] : [],
    ]);
    assert.deepEqual(tokens, [['push-token', ['token-1', 'ios', 'APNs']]]);
    assert.deepEqual(
      ann?.relationships?.pushTokens?.data?.map(({ id }) => id),
      body.included?.map(({ id }) => id),
    );
    const push = ann?.attributes.subscriptions?.mobilePush?.marketing;
    assert.equal(push?.canReceivePushMarketing, true);
    const one = await profiles.getProfile(ann!.id!, { include: ['push-tokens'] });
    assert.deepEqual(
      one.body.included?.map(({ id }) => id),
      body.included?.map(({ id }) => id),
    );
  });
});

describe('the official client reads profiles', () => {
  it('finds people by any of several addresses, and nobody else', async (t) => {
    const { sandbox, profiles } = await officialClient(t);
    for (const name of ['ann', 'bo', "o'neil+news"]) {
      sandbox.account.seed({ email: `${name}@example.com` });
    }
    const { body } = await profiles.getProfiles({
      filter: new FilterBuilder()
        .any('email', ["o'neil+news@example.com", 'ann@example.com', 'zoe@example.com'])
        .build(),
      sort: 'email',
      fieldsProfile: ['email'],
    });
    assert.deepEqual(
      body.data.map(({ attributes }) => attributes.email),
      ['ann@example.com', "o'neil+news@example.com"],
    );
    assert.equal(body.data[0]!.attributes.created, undefined);
  });

  it('finds profiles that changed within a time span, the latest first', async (t) => {
    const { sandbox, profiles } = await officialClient(t);
    for (let day = 1; day <= 9; day++) {
      const updated = `2024-01-0${day}T00:00:00Z`;
      sandbox.account.seed({
        email: `p${day}@example.com`,
        created: '2024-01-01T00:00:00Z',
        updated,
      });
    }
    const filter = new FilterBuilder()
      .greaterThan('updated', new Date('2024-01-03T00:00:00Z'))
      .lessThan('updated', new Date('2024-01-07T00:00:00Z'))
      .build();
    const { body } = await profiles.getProfiles({ filter, sort: '-updated' });
    assert.deepEqual(
      body.data.map(({ attributes }) => attributes.updated?.toISOString().slice(0, 10)),
      ['2024-01-06', '2024-01-05', '2024-01-04'],
    );
  });

  it('finds suppressed profiles by the date of their suppression', async (t) => {
    const { sandbox, profiles } = await officialClient(t);
    const timestamp = '2024-05-01T00:00:00Z';
    sandbox.account.seed({
      email: 'ann@example.com',
      suppressions: [{ reason: 'HARD_BOUNCE', timestamp }],
    });
    sandbox.account.seed({ email: 'bo@example.com' });
    const field = 'subscriptions.email.marketing.suppression';
    const { body } = await profiles.getProfiles({
      filter: new FilterBuilder()
        .greaterThan(`${field}.timestamp`, new Date('2024-04-30T00:00:00Z'))
        .equals(`${field}.reason`, 'HARD_BOUNCE')
        .build(),
      additionalFieldsProfile: ['subscriptions'],
    });
    assert.deepEqual(
      body.data.map(({ attributes }) => attributes.email),
      ['ann@example.com'],
    );
  });

  it('finds everybody exactly once on all pages', async (t) => {
    const { sandbox, profiles } = await officialClient(t);
    const emails = Array.from(
      { length: 45 },
      (_, i) => `p${String(i).padStart(2, '0')}@example.com`,
    );
    for (const email of emails) sandbox.account.seed({ email });
    for (const sort of ['id', '-created', 'email', '-updated'] as const) {
      const pages = await everyPage((at) => profiles.getProfiles({ ...at, sort }));
      assert.deepEqual(
        pages.map((page) => page.length),
        [20, 20, 5],
        sort,
      );
      assert.deepEqual(
        pages
          .flat()
          .map(({ attributes }) => attributes.email)
          .sort(),
        emails,
      );
    }
  });

  it('reads the lists of a person, also included with the profile', async (t) => {
    const { sandbox, profiles } = await officialClient(t);
    sandbox.account.seed({ email: 'ann@example.com', lists: ['Single', 'Double'] });
    const { body } = await profiles.getProfiles();
    const id = body.data[0]!.id!;
    const lists = await profiles.getListsForProfile(id, { fieldsList: ['name', 'opt_in_process'] });
    assert.deepEqual(
      lists.body.data
        .map(({ attributes: { name, optInProcess, created } }) => [name, optInProcess, created])
        .sort(),
      [
        ['Double', 'double_opt_in', undefined],
        ['Single', 'single_opt_in', undefined],
      ],
    );
    const one = await profiles.getProfile(id, { include: ['lists', 'segments'] });
    assert.deepEqual(one.body.included?.map(({ type, id }) => [type, id]).sort(), [
      ['list', 'Double'],
      ['list', 'Single'],
    ]);
  });

  it('is refused for an unknown id, and for parameters that do not exist', async (t) => {
    const { profiles } = await officialClient(t);
    const [unknown] = await refusedWith(profiles.getProfile('01JZZZZZZZZZZZZZZZZZZZZZZZ'));
    assert.equal(unknown, 404);
    const included = { include: ['profiless' as 'push-tokens'] };
    assert.deepEqual(await refusedWith(profiles.getProfiles(included)), [
      400,
      ['include', "'profiless' is not an allowed include parameter for this resource."],
    ]);
    assert.deepEqual(await refusedWith(profiles.getProfiles({ filter: 'equals(email,a@b.c)' })), [
      400,
      ['filter', 'Invalid filter provided'],
    ]);
  });
});
