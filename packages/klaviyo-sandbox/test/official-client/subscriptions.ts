import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FilterBuilder, type SubscriptionDeleteJobCreateQuery } from 'klaviyo-api';
import {
  HOUR,
  MINUTE,
  officialClient,
  refusedWith,
  row,
  subscribeQuery,
  type Official,
} from './support.js';

async function consentOf({ profiles }: Official, email: string) {
  const { body } = await profiles.getProfiles({
    filter: new FilterBuilder().equals('email', email).build(),
    additionalFieldsProfile: ['subscriptions'],
  });
  const subscriptions = body.data[0]?.attributes.subscriptions;
  return { email: subscriptions?.email?.marketing, sms: subscriptions?.sms?.marketing };
}

function unsubscribeQuery(email: string, list?: string): SubscriptionDeleteJobCreateQuery {
  const subscriptions = { email: { marketing: { consent: 'UNSUBSCRIBED' as const } } };
  return {
    data: {
      type: 'profile-subscription-bulk-delete-job',
      attributes: {
        profiles: { data: [{ type: 'profile', attributes: { email, subscriptions } }] },
      },
      ...(list === undefined
        ? {}
        : { relationships: { list: { data: { type: 'list', id: list } } } }),
    },
  };
}

describe('the official client subscribes and unsubscribes', () => {
  it('sees consent once the delay of a live subscribe is over', async (t) => {
    const client = await officialClient(t);
    const ann = row({ email: 'ann@example.com', phoneNumber: '+12065550101' }, ['email', 'sms']);
    const answer = await client.profiles.bulkSubscribeProfiles(
      subscribeQuery([ann], { list: 'Single', customSource: 'Till' }),
    );
    assert.equal(answer.response.status, 202);
    assert.equal(answer.body, undefined);
    assert.deepEqual(await consentOf(client, 'ann@example.com'), {
      email: undefined,
      sms: undefined,
    });
    client.after(5 * MINUTE);
    const { email, sms } = await consentOf(client, 'ann@example.com');
    assert.equal(email?.consent, 'SUBSCRIBED');
    assert.equal(email?.canReceiveEmailMarketing, true);
    assert.equal(email?.customMethodDetail, 'Till');
    assert.ok(email?.consentTimestamp instanceof Date);
    assert.equal(sms?.consent, 'SUBSCRIBED');
    assert.equal(sms?.canReceiveSmsMarketing, true);
  });

  it('waits for the click on a double opt-in list', async (t) => {
    const client = await officialClient(t);
    await client.profiles.bulkSubscribeProfiles(
      subscribeQuery([row({ email: 'bo@example.com' })], { list: 'Double' }),
    );
    client.after(HOUR);
    assert.equal((await consentOf(client, 'bo@example.com')).email, undefined);
    assert.equal(client.sandbox.account.click({ email: 'bo@example.com' }), 1);
    client.after(5 * MINUTE);
    const { email } = await consentOf(client, 'bo@example.com');
    assert.equal(email?.consent, 'SUBSCRIBED');
    assert.equal(email?.doubleOptin, true);
  });

  it('keeps the date of a historical import', async (t) => {
    const client = await officialClient(t);
    const given = new Date('2021-03-04T05:06:07Z');
    await client.profiles.bulkSubscribeProfiles(
      subscribeQuery([row({ email: 'cy@example.com' }, ['email'], given)], {
        list: 'Double',
        historicalImport: true,
      }),
    );
    client.after(HOUR);
    const { email } = await consentOf(client, 'cy@example.com');
    assert.equal(email?.consent, 'SUBSCRIBED');
    assert.equal(email?.consentTimestamp?.getTime(), given.getTime());
  });

  it('is refused as a whole for one bad row', async (t) => {
    const client = await officialClient(t);
    const rows = [row({ email: 'di@example.com' }), row({ phoneNumber: '+491713920012' }, ['sms'])];
    assert.deepEqual(
      await refusedWith(client.profiles.bulkSubscribeProfiles(subscribeQuery(rows))),
      [
        400,
        [
          '/data/attributes/profiles/data/1/attributes/phone_number',
          'Phone number is valid but is not in a supported region for this account.',
        ],
      ],
    );
    client.after(HOUR);
    assert.deepEqual([...client.sandbox.account.truth()], []);
  });

  it('reads in a header that a phone was left out', async (t) => {
    const client = await officialClient(t);
    const rows = [row({ email: 'ed@example.com', phoneNumber: '+1' }, ['email', 'sms'])];
    const { response } = await client.profiles.bulkSubscribeProfiles(
      subscribeQuery(rows, { list: 'Single' }),
    );
    assert.equal(response.headers['x-klaviyo-partial-failure'], 'phone_number');
  });

  it('sees an unsubscribe at once, with its suppression', async (t) => {
    const client = await officialClient(t);
    const email = 'flo@example.com';
    client.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists: ['Single'] });
    const { response } = await client.profiles.bulkUnsubscribeProfiles(unsubscribeQuery(email));
    assert.equal(response.status, 202);
    const { email: consent } = await consentOf(client, email);
    assert.equal(consent?.consent, 'UNSUBSCRIBED');
    assert.equal(consent?.canReceiveEmailMarketing, false);
    assert.deepEqual(
      consent?.suppression?.map(({ reason, timestamp }) => [reason, timestamp instanceof Date]),
      [['UNSUBSCRIBE', true]],
    );
  });

  it('removes an opt-out by a new subscribe, and keeps a hard bounce', async (t) => {
    const client = await officialClient(t);
    const email = 'hal@example.com';
    client.sandbox.account.seed({
      email,
      email_consent: 'UNSUBSCRIBED',
      suppressions: ['UNSUBSCRIBE', 'USER_SUPPRESSED', 'HARD_BOUNCE'],
    });
    await client.profiles.bulkSubscribeProfiles(
      subscribeQuery([row({ email })], { list: 'Single' }),
    );
    client.after(5 * MINUTE);
    const { email: consent } = await consentOf(client, email);
    assert.equal(consent?.consent, 'SUBSCRIBED');
    assert.equal(consent?.canReceiveEmailMarketing, false);
    assert.deepEqual(
      consent?.suppression?.map(({ reason }) => reason),
      ['HARD_BOUNCE'],
    );
  });

  it('removes a member from the list that an unsubscribe names', async (t) => {
    const client = await officialClient(t);
    const email = 'gil@example.com';
    client.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists: ['Single'] });
    await client.profiles.bulkUnsubscribeProfiles(unsubscribeQuery(email, 'Single'));
    const { email: consent } = await consentOf(client, email);
    assert.deepEqual(
      consent?.listSuppressions?.map(({ listId, reason }) => [listId, reason]),
      [['Single', 'UNSUBSCRIBE']],
    );
    const members = await client.lists.getProfilesForList('Single');
    assert.deepEqual(members.body.data, []);
  });
});
