import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { Sandbox, SeedProfile, Switches, TruthLine } from '../../src/index.js';
import { unsubscribe } from '../consent/consent-support.js';
import { linesOf, control } from '../control/control-support.js';
import { importInto } from '../profiles/import-support.js';
import { create, update, upsert } from '../profiles/profiles.js';
import { call, get, HOUR, refusal, row, sandboxFor, subscribe } from '../support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';
const OUT = { marketing: { consent: 'UNSUBSCRIBED' } };
const LONG_AGO = '2020-01-01T00:00:00Z';

/** Seeds profiles that share an identifier; their names tell them apart. */
function seed(sandbox: Sandbox, ...people: SeedProfile[]): void {
  people.forEach((person, i) =>
    sandbox.account.seed({ first_name: `p${i}`, separate_profile: i > 0, ...person }),
  );
}

const names = async (sandbox: Sandbox, path: string) =>
  (await get(sandbox, path)).data.map(({ attributes }) => attributes['first_name']).sort();

describe('profiles that share an identifier', () => {
  for (const [identifier, value] of Object.entries({ email, phone_number })) {
    it(`are all found by their ${identifier}`, async (t) => {
      const where = { property: 'vip', equals: true };
      const sandbox = await sandboxFor(t, { segments: [{ id: 'Vip', name: 'Vip', where }] });
      const more = { [identifier]: value, lists: ['Single'], properties: { vip: true } };
      seed(sandbox, more, more, more);
      sandbox.account.seed({ email: 'bea@shop.test', lists: ['Single'] });
      sandbox.account.advance(HOUR);
      for (const place of ['/api', '/api/lists/Single', '/api/segments/Vip']) {
        for (const filter of [
          `any(${identifier},["${value}"])`,
          `equals(${identifier},"${value}")`,
        ]) {
          const path = `${place}/profiles?filter=${encodeURIComponent(filter)}`;
          assert.deepEqual(await names(sandbox, path), ['p0', 'p1', 'p2'], path);
        }
      }
      const query = `/truth?${new URLSearchParams({ [identifier]: value }).toString()}`;
      const truths = await linesOf<TruthLine>(sandbox, query);
      assert.equal(new Set(truths.map(({ id }) => id)).size, 3);
      assert.deepEqual(sandbox.account.truthsFor({ [identifier]: value }), truths);
      assert.deepEqual(sandbox.account.truthFor({ [identifier]: value }), truths[0], 'the oldest');
      assert.equal((await linesOf<TruthLine>(sandbox, '/truth')).length, 4);
    });
  }

  it('are found exactly if each is written differently', async (t) => {
    const switches = { filterCase: 'sensitive', storedEmails: 'as_written' } as const;
    const sandbox = await sandboxFor(t, { switches });
    seed(sandbox, { email: 'Ada@shop.test' }, { email: 'ADA@shop.test' });
    assert.deepEqual(await names(sandbox, '/api/profiles?filter=equals(email,"ADA@shop.test")'), [
      'p1',
    ]);
  });

  it('are only created as another profile if the seed says so', async (t) => {
    const sandbox = await sandboxFor(t);
    seed(sandbox, { email }, { email });
    sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
    assert.deepEqual(
      sandbox.account.truthsFor({ email }).map((one) => one.subscriptions.email.marketing.consent),
      ['SUBSCRIBED', 'NEVER_SUBSCRIBED'],
    );
  });

  it('conflict with a new one, but not with themselves', async (t) => {
    const sandbox = await sandboxFor(t);
    seed(sandbox, { email, phone_number }, { email, phone_number });
    assert.equal((await create(sandbox, { email })).status, 409);
    for (const { id } of sandbox.account.truthsFor({ email })) {
      const answer = await update(sandbox, id, { email, phone_number, first_name: 'Ada' });
      assert.equal(answer.status, 200);
    }
  });

  it('are deleted together', async (t) => {
    const sandbox = await sandboxFor(t);
    seed(sandbox, { email }, { email }, { email: 'bea@shop.test' });
    const profile = { data: { type: 'profile', attributes: { email } } };
    const data = { type: 'data-privacy-deletion-job', attributes: { profile } };
    await call(sandbox, 'POST', '/api/data-privacy-deletion-jobs', { data });
    sandbox.account.advance(2 * HOUR);
    assert.deepEqual(await names(sandbox, '/api/profiles'), ['p2']);
  });

  it('become one in a merge: an opt-out survives, an opt-in is carried over', async (t) => {
    const sandbox = await sandboxFor(t);
    seed(
      sandbox,
      {
        email,
        phone_number,
        email_consent: 'SUBSCRIBED',
        open_tracking_consent: 'SUBSCRIBED',
        sms_consent: 'UNSUBSCRIBED',
      },
      { email, phone_number, email_consent: 'UNSUBSCRIBED', sms_consent: 'SUBSCRIBED' },
    );
    const { identities, profiles } = sandbox.account;
    identities.merge(0, 1, 'source');
    const [left, ...others] = sandbox.account.truthsFor({ email });
    assert.deepEqual(others, []);
    const { email: mail, sms } = left!.subscriptions;
    assert.deepEqual(
      [mail.marketing.consent, sms.marketing.consent, mail.open_tracking.consent],
      ['UNSUBSCRIBED', 'UNSUBSCRIBED', 'SUBSCRIBED'],
    );
    assert.deepEqual(profiles.secondaryEmails(1), []);
    assert.deepEqual(sandbox.account.truthsFor({ phone_number }).length, 1);
  });
});

/** Which of three profiles with one identifier change. */
const CHANGED: Record<Switches['sameIdentifier'], number[]> = {
  oldest: [0],
  newest: [2],
  all: [0, 1, 2],
};
type Act = (sandbox: Sandbox) => unknown;
type Look = (truth: TruthLine) => boolean;

const isOn: Look = ({ lists }) => lists.length > 0;
const suppressions = ({ subscriptions }: TruthLine) =>
  subscriptions.email.marketing.suppression.map(({ reason }) => reason);

/** An act on three profiles with one identifier; returns which of them changed. */
const ACTS: [string, SeedProfile, Act, Look][] = [
  [
    'a subscribe',
    { email },
    (sandbox) => subscribe(sandbox, [row({ email })], { list: 'Single' }),
    (truth) => truth.subscriptions.email.marketing.consent === 'SUBSCRIBED' && isOn(truth),
  ],
  [
    'a click',
    { email },
    async (sandbox) => {
      await subscribe(sandbox, [row({ email })], { list: 'Double' });
      sandbox.account.advance(HOUR);
      sandbox.account.click({ email });
    },
    isOn,
  ],
  [
    'a subscribe to texts',
    { phone_number },
    (sandbox) => subscribe(sandbox, [row({ phone_number }, ['sms'])], { list: 'Single' }),
    (truth) => truth.subscriptions.sms.marketing.consent === 'SUBSCRIBED' && isOn(truth),
  ],
  [
    'an unsubscribe',
    { email, email_consent: 'SUBSCRIBED' },
    (sandbox) => unsubscribe(sandbox, [{ email, subscriptions: { email: OUT } }]),
    (truth) => truth.subscriptions.email.marketing.consent === 'UNSUBSCRIBED',
  ],
  [
    'an unsubscribe from texts',
    { phone_number, sms_consent: 'SUBSCRIBED' },
    (sandbox) => unsubscribe(sandbox, [{ phone_number, subscriptions: { sms: OUT } }]),
    (truth) => truth.subscriptions.sms.marketing.consent === 'UNSUBSCRIBED',
  ],
  [
    'a link in a mail',
    { email, email_consent: 'SUBSCRIBED' },
    (sandbox) => sandbox.account.unsubscribe({ email }),
    (truth) => truth.subscriptions.email.marketing.consent === 'UNSUBSCRIBED',
  ],
  [
    'a STOP',
    { phone_number, sms_consent: 'SUBSCRIBED' },
    (sandbox) => sandbox.account.stopSms({ phone_number }),
    (truth) => truth.subscriptions.sms.marketing.consent === 'UNSUBSCRIBED',
  ],
  ['a bulk import', { email }, (sandbox) => importInto(sandbox, 'Single', [{ email }]), isOn],
  [
    'a suppress',
    { email },
    (sandbox) => sandbox.account.suppressing.accept('suppress', { emails: [email] }),
    (truth) => suppressions(truth).includes('USER_SUPPRESSED'),
  ],
  [
    'an unsuppress',
    { email, suppressions: ['USER_SUPPRESSED'] },
    (sandbox) => sandbox.account.suppressing.accept('unsuppress', { emails: [email] }),
    (truth) => suppressions(truth).length === 0,
  ],
];
for (const [sameIdentifier, changed] of Object.entries(CHANGED)) {
  for (const [name, person, act, isMet] of ACTS) {
    test(`${name} of people with one identifier changes the ${sameIdentifier}`, async (t) => {
      const switches = { sameIdentifier: sameIdentifier as 'all' };
      const sandbox = await sandboxFor(t, { switches });
      seed(sandbox, person, person, person);
      await act(sandbox);
      sandbox.account.advance(5 * HOUR);
      const met = [...sandbox.account.truth()].flatMap((truth, i) => (isMet(truth) ? [i] : []));
      assert.deepEqual(met, changed);
    });
  }

  test(`an upsert of people with one identifier writes the ${sameIdentifier}`, async (t) => {
    const sandbox = await sandboxFor(t, { switches: { sameIdentifier: sameIdentifier as 'all' } });
    seed(sandbox, { email }, { email, external_id: 'crm-1' }, { email });
    await upsert(sandbox, { email, last_name: 'Ash' });
    const { data } = await get(sandbox, '/api/profiles');
    const written = data.flatMap(({ attributes }, i) => (attributes['last_name'] ? [i] : []));
    assert.deepEqual(written, changed);
  });
}

test('a row reaches each of all by the identifier that it shares', async (t) => {
  const sandbox = await sandboxFor(t, { switches: { sameIdentifier: 'all' } });
  seed(sandbox, { email, phone_number }, { email }, { phone_number });
  await subscribe(sandbox, [row({ email, phone_number }, ['email', 'sms'])], { list: 'Single' });
  sandbox.account.advance(HOUR);
  const consents = [...sandbox.account.truth()].map(({ subscriptions: { email: mail, sms } }) => [
    mail.marketing.consent,
    sms.marketing.consent,
  ]);
  assert.deepEqual(consents, [
    ['SUBSCRIBED', 'SUBSCRIBED'],
    ['SUBSCRIBED', 'NEVER_SUBSCRIBED'],
    ['NEVER_SUBSCRIBED', 'SUBSCRIBED'],
  ]);
});

test('historical consent is refused if it contradicts any profile that the row would change', async (t) => {
  for (const [sameIdentifier, status] of [
    ['oldest', 202],
    ['newest', 400],
    ['all', 400],
  ] as const) {
    const sandbox = await sandboxFor(t, { switches: { sameIdentifier } });
    seed(sandbox, { email }, { email, email_consent: 'UNSUBSCRIBED' });
    const past = row({ email }, ['email'], { consented_at: LONG_AGO });
    const answer = await subscribe(sandbox, [past], { historical_import: true });
    assert.equal(answer.status, status, sameIdentifier);
    if (status === 400) assert.match(String((await refusal(answer)).errors[0]![1]), /is before/);
  }
});

const BAD: [SeedProfile, RegExp][] = [
  [{ anonymous_id: 'app-2' }, /line 2: separate_profile needs an email or a phone_number/],
  [
    { email, anonymous_id: 'app-1' },
    /line 2: separate_profile: another profile has this anonymous/,
  ],
  [{ email, external_id: 'crm-1' }, /line 2: separate_profile: another profile has this external/],
  [{ email, separate_profile: 1 as unknown as boolean }, /separate_profile must be true or false/],
];
for (const [person, words] of BAD) {
  test(`refuses a separate profile with ${JSON.stringify(person)}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const first = { email, anonymous_id: 'app-1', external_id: 'crm-1' };
    const lines = [first, { separate_profile: true, ...person }];
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    const answer = await control(sandbox, 'POST', '/seed', text);
    assert.match((JSON.parse(answer.text) as { error: string }).error, words);
    assert.equal(sandbox.account.profiles.size, 1);
  });
}
