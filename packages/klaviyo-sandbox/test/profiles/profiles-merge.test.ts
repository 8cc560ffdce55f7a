import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { call, get, HOUR, refusal, row, sandboxFor, subscribe } from '../support.js';
import { create, idOf, type ProfileAnswer } from './profiles.js';

const PHONE = '+12015550123';
const OTHER_PHONE = '+12015550124';
const DELETE = '/api/data-privacy-deletion-jobs';

const mergeBody = (into: string, ...from: string[]) => ({
  data: {
    type: 'profile-merge',
    id: into,
    relationships: { profiles: { data: from.map((id) => ({ type: 'profile', id })) } },
  },
});
const deletionBody = (attributes: object, id?: string) => ({
  data: {
    type: 'data-privacy-deletion-job',
    attributes: {
      profile: { data: { type: 'profile', ...(id === undefined ? {} : { id }), attributes } },
    },
  },
});

type Seed = Parameters<Sandbox['account']['seed']>[0];

/** Seeds `into@shop.test` and the other one, merges them, and waits. */
async function merged(t: TestContext, into: Seed, from: Seed): Promise<Sandbox> {
  const sandbox = await sandboxFor(t);
  const { account } = sandbox;
  const ids = [into, from].map((seed) => {
    account.seed(seed);
    return account.profiles.id(account.profiles.end - 1);
  });
  const response = await call(sandbox, 'POST', '/api/profile-merge', mergeBody(ids[0]!, ids[1]!));
  assert.equal(response.status, 202);
  assert.equal(account.profiles.size, 2);
  account.advance(HOUR);
  assert.equal(account.profiles.size, 1);
  assert.equal((await call(sandbox, 'GET', `/api/profiles/${ids[1]}`)).status, 404);
  return sandbox;
}

const INTO = { email: 'into@shop.test' };
const FROM = { email: 'from@shop.test' };
const CONSENT: [string, Seed, Seed, [email: string, canReceive: boolean, sms: string]][] = [
  [
    'keeps the opt-out of the source',
    { ...INTO, email_consent: 'SUBSCRIBED' },
    { ...FROM, email_consent: 'UNSUBSCRIBED' },
    ['UNSUBSCRIBED', false, 'NEVER_SUBSCRIBED'],
  ],
  [
    'keeps the opt-out of the destination',
    { ...INTO, email_consent: 'UNSUBSCRIBED' },
    { ...FROM, email_consent: 'SUBSCRIBED' },
    ['UNSUBSCRIBED', false, 'NEVER_SUBSCRIBED'],
  ],
  [
    'does not take the opt-in of another address',
    INTO,
    { ...FROM, email_consent: 'SUBSCRIBED' },
    ['NEVER_SUBSCRIBED', true, 'NEVER_SUBSCRIBED'],
  ],
  [
    'adds an address with its consent if there was none',
    { phone_number: PHONE, sms_consent: 'SUBSCRIBED' },
    { ...FROM, email_consent: 'SUBSCRIBED' },
    ['SUBSCRIBED', true, 'SUBSCRIBED'],
  ],
  [
    'adds a phone with its consent if there was none',
    { ...INTO, email_consent: 'SUBSCRIBED' },
    { phone_number: PHONE, sms_consent: 'SUBSCRIBED' },
    ['SUBSCRIBED', true, 'SUBSCRIBED'],
  ],
  [
    'drops consent to texts with its phone',
    { ...INTO, phone_number: PHONE },
    { phone_number: OTHER_PHONE, sms_consent: 'SUBSCRIBED' },
    ['NEVER_SUBSCRIBED', true, 'NEVER_SUBSCRIBED'],
  ],
  [
    'keeps a suppression by hand',
    { ...INTO, email_consent: 'SUBSCRIBED' },
    { ...FROM, suppressions: ['USER_SUPPRESSED'] },
    ['SUBSCRIBED', false, 'NEVER_SUBSCRIBED'],
  ],
  [
    'drops the bounce of another address',
    { ...INTO, email_consent: 'SUBSCRIBED' },
    { ...FROM, suppressions: ['HARD_BOUNCE'] },
    ['SUBSCRIBED', true, 'NEVER_SUBSCRIBED'],
  ],
];
for (const [name, into, from, [email, canReceive, sms]] of CONSENT) {
  test(`a merge ${name}`, async (t) => {
    const { account } = await merged(t, into, from);
    const [truth] = [...account.truth()];
    const { marketing } = truth!.subscriptions.email;
    assert.deepEqual(
      [
        marketing.consent,
        marketing.can_receive_email_marketing,
        truth!.subscriptions.sms.marketing.consent,
      ],
      [email, canReceive, sms],
    );
  });
}

test('a merge carries over addresses, lists and details that the destination lacks', async (t) => {
  const sandbox = await sandboxFor(t);
  const { account } = sandbox;
  await create(sandbox, { ...INTO, title: 'Dr', properties: { a: 1 } });
  await create(sandbox, {
    ...FROM,
    title: 'Prof',
    external_id: 'crm-1',
    properties: { a: 2, b: 2 },
  });
  const [into, from] = ['into@shop.test', 'from@shop.test'].map((email) => idOf(sandbox, email)!);
  const joined = Date.UTC(2024, 0, 1);
  account.lists.get('Single')!.join(account.profiles.withId(from!)!, joined);
  await call(sandbox, 'POST', '/api/profile-merge', mergeBody(into!, from!));
  assert.equal(idOf(sandbox, 'from@shop.test'), from, 'not at once');
  account.advance(HOUR);
  assert.equal(idOf(sandbox, 'from@shop.test'), into);
  const { data } = await get<ProfileAnswer>(sandbox, `/api/profiles/${into}`);
  const { email, title, external_id, properties } = data.attributes;
  assert.deepEqual(
    { email, title, external_id, properties },
    { ...INTO, title: 'Dr', external_id: 'crm-1', properties: { a: 1, b: 2 } },
  );
  assert.equal(account.profiles.withExternalId('crm-1'), account.profiles.withId(into!));
  assert.equal(account.lists.get('Single')!.joinedAt(account.profiles.withId(into!)!), joined);
});

test('a merge carries over the events', async (t) => {
  const sandbox = await sandboxFor(t);
  const { account } = sandbox;
  await create(sandbox, INTO);
  await subscribe(sandbox, [row(FROM)], { list: 'Single' });
  account.advance(HOUR);
  const [into, from] = ['into@shop.test', 'from@shop.test'].map((email) => idOf(sandbox, email)!);
  const count = async (id: string) =>
    (await get(sandbox, `/api/events?filter=equals(profile_id,"${id}")`)).data.length;
  assert.equal(await count(from!), 2);
  await call(sandbox, 'POST', '/api/profile-merge', mergeBody(into!, from!));
  account.advance(HOUR);
  assert.equal(await count(into!), 2);
});

test('changes accepted for the source by its id reach the destination', async (t) => {
  const sandbox = await sandboxFor(t);
  const { account } = sandbox;
  await create(sandbox, { ...INTO, phone_number: OTHER_PHONE });
  await create(sandbox, { phone_number: PHONE });
  const into = idOf(sandbox, 'into@shop.test')!;
  const from = account.profiles.id(account.profiles.withPhone(PHONE)!);
  const wish = { ...row({ phone_number: PHONE }, ['sms']), id: from };
  const historical = {
    ...wish.attributes.subscriptions.sms!.marketing,
    consented_at: '2024-01-01T00:00:00Z',
  };
  wish.attributes.subscriptions = { sms: { marketing: historical } };
  const accepted = await subscribe(sandbox, [wish], { historical_import: true });
  assert.equal(accepted.status, 202);
  account.identities.merge(
    account.profiles.withId(from)!,
    account.profiles.withId(into)!,
    'destination',
  );
  account.advance(HOUR);
  assert.equal(account.profiles.size, 1);
  const [truth] = [...account.truth()];
  assert.equal(truth!.subscriptions.sms.marketing.consent, 'SUBSCRIBED');
});

test('a subscribe that merges two people keeps the addresses of both', async (t) => {
  const sandbox = await sandboxFor(t);
  const { account } = sandbox;
  account.seed({ ...INTO, phone_number: OTHER_PHONE });
  account.seed({ ...FROM, phone_number: PHONE, sms_consent: 'SUBSCRIBED' });
  const into = idOf(sandbox, 'into@shop.test');
  await subscribe(sandbox, [row({ ...INTO, phone_number: PHONE })], { list: 'Single' });
  account.advance(HOUR);
  assert.equal(account.profiles.size, 1);
  assert.equal(idOf(sandbox, 'from@shop.test'), into);
  const [truth] = [...account.truth()];
  assert.deepEqual(
    [truth!.email, truth!.phone_number, truth!.subscriptions.sms.marketing.consent],
    ['into@shop.test', PHONE, 'SUBSCRIBED'],
  );
});

test('answers a merge with the id of the destination', async (t) => {
  const sandbox = await sandboxFor(t);
  await create(sandbox, INTO);
  await create(sandbox, FROM);
  const [into, from] = ['into@shop.test', 'from@shop.test'].map((email) => idOf(sandbox, email)!);
  const response = await call(sandbox, 'POST', '/api/profile-merge', mergeBody(into!, from!));
  const { data } = (await response.json()) as { data: { type: string; id: string } };
  assert.deepEqual([response.status, data.type, data.id], [202, 'profile', into]);
});

test('refuses a merge of no profile, of several, of unknown ones and of one with itself', async (t) => {
  const sandbox = await sandboxFor(t);
  await create(sandbox, INTO);
  const id = idOf(sandbox, 'into@shop.test')!;
  const refused = async (body: unknown) => {
    const { status, errors } = await refusal(
      await call(sandbox, 'POST', '/api/profile-merge', body),
    );
    return [status, errors[0]![0]];
  };
  const at = '/data/relationships/profiles/data';
  assert.deepEqual(await refused(mergeBody(id)), [400, at]);
  assert.deepEqual(await refused(mergeBody(id, 'a', 'b')), [400, at]);
  assert.deepEqual(await refused(mergeBody(id, id)), [400, `${at}/0/id`]);
  assert.deepEqual(await refused(mergeBody(id, 'NOPE01')), [404, '/data/']);
  assert.deepEqual(await refused(mergeBody('NOPE01', id)), [404, '/data/']);
});

for (const field of ['id', 'email', 'phone_number'] as const) {
  test(`deletes a profile by its ${field}, with memberships, tokens and events`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { account } = sandbox;
    const person = { email: 'a@shop.test', phone_number: PHONE };
    await subscribe(sandbox, [row(person)], { list: 'Single' });
    account.advance(HOUR);
    const index = account.profiles.withEmail('a@shop.test')!;
    const id = account.profiles.id(index);
    const token = { token: 'tok', platform: 'ios', vendor: 'apns', enablement: 'AUTHORIZED' };
    account.pushTokens.register(index, { ...token, background: 'AVAILABLE', metadata: null });
    const body = field === 'id' ? deletionBody({}, id) : deletionBody({ [field]: person[field] });
    const response = await call(sandbox, 'POST', DELETE, body);
    assert.deepEqual([response.status, await response.text()], [202, '']);
    assert.equal(account.profiles.size, 1, 'not at once');
    account.advance(2 * HOUR);
    assert.equal(account.profiles.size, 0);
    assert.equal(account.lists.get('Single')!.size, 0);
    assert.equal(account.profiles.withPushToken('tok'), undefined);
    assert.equal(account.profiles.withPhone(PHONE), undefined);
    assert.equal(account.journal.events.size, 0);
    assert.equal((await call(sandbox, 'GET', `/api/profiles/${id}`)).status, 404);
  });
}

test('a deletion names exactly one identifier of an existing profile', async (t) => {
  const sandbox = await sandboxFor(t);
  const status = async (body: unknown) => (await call(sandbox, 'POST', DELETE, body)).status;
  assert.equal(await status(deletionBody({ email: 'nobody@shop.test' })), 404);
  assert.equal(await status(deletionBody({})), 400);
  assert.equal(await status(deletionBody({ email: 'a@shop.test', phone_number: PHONE })), 400);
  sandbox.account.advance(1_001);
  assert.equal(await status(deletionBody({ email: 'a@shop.test' }, 'NOPE01')), 400);
});
