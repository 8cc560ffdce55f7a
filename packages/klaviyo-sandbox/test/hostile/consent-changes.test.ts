import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConsentChangeLine, Sandbox } from '../../src/index.js';
import { IN, OUT, profile, unsubscribe } from '../consent/consent-support.js';
import { importInto } from '../profiles/import-support.js';
import { HOUR, row, sandboxFor, subscribe } from '../support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';

/** The changes from now on. */
function changesOf(sandbox: Sandbox): ConsentChangeLine[] {
  const lines: ConsentChangeLine[] = [];
  sandbox.account.onConsentChange((line) => lines.push(line));
  return lines;
}

/** Lines in short form: channel, consent, method, suppressions. */
const short = (lines: readonly ConsentChangeLine[]) =>
  lines.map(({ channel, consent, method, suppressions, list_suppressions }) =>
    [channel, consent, method ?? '-', ...suppressions, ...list_suppressions].join(' '),
  );

const SUBSCRIBED = { email, email_consent: 'SUBSCRIBED' } as const;

/** Ada's seed, what happens to her, and the reported changes. */
const TOLD: [string, object, (sandbox: Sandbox) => unknown, string[]][] = [
  [
    'a subscribe',
    { email },
    (sandbox) => subscribe(sandbox, [row({ email })], { list: 'Single' }),
    ['email.marketing SUBSCRIBED API'],
  ],
  [
    'a subscribe that removes suppressions',
    { email, email_consent: 'UNSUBSCRIBED', suppressions: ['HARD_BOUNCE', 'USER_SUPPRESSED'] },
    (sandbox) => subscribe(sandbox, [row({ email })], { list: 'Single' }),
    [
      'email.marketing SUBSCRIBED API HARD_BOUNCE USER_SUPPRESSED UNSUBSCRIBE',
      'email.marketing SUBSCRIBED - HARD_BOUNCE',
    ],
  ],
  [
    'consent on every channel',
    { email, phone_number },
    (sandbox) =>
      subscribe(
        sandbox,
        [
          profile({
            email,
            phone_number,
            subscriptions: {
              email: { marketing: IN, open_tracking: IN },
              sms: { marketing: IN, transactional: IN },
              whatsapp: { marketing: IN, transactional: IN },
              push: { marketing: IN },
            },
          }),
        ],
        { list: 'Single' },
      ),
    [
      'email.marketing',
      'email.open_tracking',
      'sms.marketing',
      'sms.transactional',
      'whatsapp.marketing',
      'whatsapp.transactional',
      'mobile_push.marketing',
    ].map((channel) => `${channel} SUBSCRIBED API`),
  ],
  [
    'an unsubscribe',
    SUBSCRIBED,
    (sandbox) => unsubscribe(sandbox, [{ email, subscriptions: { email: { marketing: OUT } } }]),
    ['email.marketing UNSUBSCRIBED API', 'email.marketing UNSUBSCRIBED - UNSUBSCRIBE'],
  ],
  [
    'a link in a mail',
    SUBSCRIBED,
    (sandbox) => sandbox.account.unsubscribe({ email }),
    ['email.marketing UNSUBSCRIBED PREFERENCE_PAGE', 'email.marketing UNSUBSCRIBED - UNSUBSCRIBE'],
  ],
  [
    'a STOP',
    { phone_number, sms_consent: 'SUBSCRIBED', sms_transactional_consent: 'SUBSCRIBED' },
    (sandbox) => sandbox.account.stopSms({ phone_number }),
    ['sms.marketing UNSUBSCRIBED TEXT', 'sms.transactional UNSUBSCRIBED TEXT'],
  ],
  [
    'a form',
    { email },
    (sandbox) => sandbox.account.subscribe({ email }),
    ['email.marketing SUBSCRIBED FORM'],
  ],
  [
    'a complaint',
    SUBSCRIBED,
    (sandbox) => sandbox.account.complain({ email }),
    ['email.marketing SUBSCRIBED - SPAM_COMPLAINT'],
  ],
  [
    'a suppression by hand, and its end',
    SUBSCRIBED,
    (sandbox) => {
      sandbox.account.suppress({ email });
      sandbox.account.unsuppress({ email });
    },
    ['email.marketing SUBSCRIBED - USER_SUPPRESSED', 'email.marketing SUBSCRIBED -'],
  ],
  [
    'leaving one list',
    { ...SUBSCRIBED, lists: ['Single'] },
    (sandbox) => sandbox.account.unsubscribe({ email, list_id: 'Single' }),
    ['email.marketing SUBSCRIBED - Single'],
  ],
  [
    'a seed',
    { email },
    (sandbox) => sandbox.account.seed({ ...SUBSCRIBED, method: 'FORM' }),
    ['email.marketing SUBSCRIBED FORM'],
  ],
  [
    'another number',
    { email, phone_number, sms_consent: 'SUBSCRIBED' },
    (sandbox) => sandbox.account.book.changePhone(0, '+12015550124'),
    ['sms.marketing NEVER_SUBSCRIBED -'],
  ],
  [
    'a deletion',
    { ...SUBSCRIBED, suppressions: ['HARD_BOUNCE'] },
    (sandbox) => sandbox.account.deleting.accept({ field: 'email', value: email }),
    ['email.marketing NEVER_SUBSCRIBED -'],
  ],
  [
    'a subscribe of somebody already subscribed',
    { ...SUBSCRIBED, lists: ['Single'] },
    (sandbox) => subscribe(sandbox, [row({ email })], { list: 'Single' }),
    [],
  ],
  [
    'a seed of what is there already',
    { ...SUBSCRIBED, consent_timestamp: '2020-01-01T00:00:00Z' },
    (sandbox) => sandbox.account.seed(SUBSCRIBED),
    [],
  ],
  ['a bulk import', SUBSCRIBED, (sandbox) => importInto(sandbox, 'Single', [{ email }]), []],
  [
    'a second opt-out',
    { email, email_consent: 'UNSUBSCRIBED' },
    (sandbox) => sandbox.account.unsubscribe({ email }),
    [],
  ],
];

const hasEmail = (person: object) => 'email' in person;
const hasPhone = (person: object) => 'phone_number' in person;

describe('a listener to changes of consent', () => {
  for (const [name, person, act, told] of TOLD) {
    it(`gets the changes of ${name}`, async (t) => {
      const sandbox = await sandboxFor(t);
      sandbox.account.seed(person);
      const lines = changesOf(sandbox);
      await act(sandbox);
      sandbox.account.advance(2 * HOUR);
      assert.deepEqual(short(lines), told);
      for (const line of lines) {
        const { email: address, phone_number: phone } = line;
        assert.deepEqual([address !== null, phone !== null], [hasEmail(person), hasPhone(person)]);
        assert.equal(line.profile_id, sandbox.account.profiles.id(0));
      }
    });
  }

  it('gets both changes when two profiles are merged', async (t) => {
    const sandbox = await sandboxFor(t);
    sandbox.account.seed({ email: 'bea@shop.test', push_consent: 'SUBSCRIBED' });
    sandbox.account.seed({ email });
    const lines = changesOf(sandbox);
    sandbox.account.identities.merge(0, 1, 'destination');
    assert.deepEqual(
      lines.map((line) => [line.email, line.channel, line.consent]),
      [
        ['bea@shop.test', 'mobile_push.marketing', 'NEVER_SUBSCRIBED'],
        [email, 'mobile_push.marketing', 'SUBSCRIBED'],
      ],
    );
  });

  it('can calculate how long somebody was subscribed, by this machine’s clock', async (t) => {
    const sandbox = await sandboxFor(t, { clockAheadMs: 3 * HOUR });
    const lines = changesOf(sandbox);
    const before = Date.now();
    sandbox.account.subscribe({ email });
    await new Promise((resolve) => setTimeout(resolve, 50));
    sandbox.account.unsubscribe({ email });
    const [came, left] = lines.map(({ at }) => at) as [number, number];
    assert.ok(came >= before && left <= Date.now());
    assert.ok(left - came >= 49, `${left - came} ms`);
  });

  it('gets no more changes after it stops, while others still do', async (t) => {
    const sandbox = await sandboxFor(t);
    const told: string[] = [];
    const listener = (name: string) => () => told.push(name);
    const [one, other] = ['one', 'other'].map((name) =>
      sandbox.account.onConsentChange(listener(name)),
    ) as [() => void, () => void];
    sandbox.account.subscribe({ email });
    one();
    sandbox.account.complain({ email });
    other();
    assert.equal(sandbox.account.profiles.watch.after, undefined, 'nobody watches the store');
    sandbox.account.unsubscribe({ email });
    assert.deepEqual(told, ['one', 'other', 'other']);
  });
});
