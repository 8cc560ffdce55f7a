import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { HOUR, sandboxFor, subscribe } from '../support.js';
import { IN, profile } from './consent-support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';
const consented_at = '2021-03-04T05:06:07Z';
const SHOWN = '2021-03-04T05:06:07+00:00';
const PAST = { ...IN, consented_at };
const TOKEN = { token: 't1', platform: 'ios', vendor: 'apns', enablement_status: 'PROVISIONAL' };

const viewOf = (sandbox: Sandbox) => sandbox.account.truthFor({ email })!.subscriptions;
const tokensOf = (sandbox: Sandbox) => {
  const { profiles } = sandbox.account;
  return profiles.pushTokens.of(profiles.withEmail(email)!);
};

async function subscribed(
  sandbox: Sandbox,
  subscriptions: object,
  options: Parameters<typeof subscribe>[2] = { list: 'Single' },
): Promise<void> {
  const row = profile({ email, phone_number, subscriptions });
  assert.equal((await subscribe(sandbox, [row], options)).status, 202);
  sandbox.account.advance(HOUR);
}

test('shows a profile without consent as recorded', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email });
  const untracked = {
    consent: 'NEVER_SUBSCRIBED',
    consent_timestamp: null,
    last_updated: null,
    created_timestamp: null,
    metadata: null,
    can_receive: false,
    valid_until: null,
  };
  const text = {
    consent: 'NEVER_SUBSCRIBED',
    consent_timestamp: null,
    method: null,
    method_detail: null,
    last_updated: null,
  };
  assert.deepEqual(viewOf(sandbox), {
    email: {
      marketing: {
        can_receive_email_marketing: true,
        consent: 'NEVER_SUBSCRIBED',
        consent_timestamp: null,
        last_updated: null,
        method: null,
        method_detail: null,
        custom_method_detail: null,
        double_optin: null,
        suppression: [],
        list_suppressions: [],
      },
      open_tracking: untracked,
      click_tracking: untracked,
    },
    sms: {
      marketing: { can_receive_sms_marketing: false, ...text },
      transactional: { can_receive_sms_transactional: false, ...text },
    },
    mobile_push: {
      marketing: {
        can_receive_push_marketing: false,
        consent: 'NEVER_SUBSCRIBED',
        consent_timestamp: null,
      },
    },
    whatsapp: null,
  });
});

test('gives every channel its own date', async (t) => {
  const sandbox = await sandboxFor(t);
  const dates = [1, 2, 3, 4, 5, 6].map((month) => `2021-0${month}-01T00:00:00Z`);
  const [mail, sms, texts, whatsapp, alerts, push] = dates.map((date) => ({
    ...IN,
    consented_at: date,
  }));
  await subscribed(
    sandbox,
    {
      email: { marketing: mail },
      sms: { marketing: sms, transactional: texts },
      whatsapp: { marketing: whatsapp, transactional: alerts },
      push: { marketing: push },
    },
    { historical_import: true },
  );
  const view = viewOf(sandbox);
  const shown = [
    view.email.marketing,
    view.sms.marketing,
    view.sms.transactional,
    view.whatsapp!.marketing!,
    view.whatsapp!.transactional!,
    view.mobile_push.marketing,
  ];
  assert.deepEqual(
    shown.map((entry) => [entry.consent, entry.consent_timestamp]),
    dates.map((date) => ['SUBSCRIBED', date.replace('Z', '+00:00')]),
  );
  assert.equal(view.whatsapp!.conversational, null);
});

test('shows WhatsApp with the number that it was given for', async (t) => {
  const sandbox = await sandboxFor(t);
  await subscribed(sandbox, { whatsapp: { marketing: PAST } }, { historical_import: true });
  const { last_updated, ...entry } = viewOf(sandbox).whatsapp!.marketing!;
  assert.ok(last_updated! > SHOWN);
  assert.deepEqual(entry, {
    consent: 'SUBSCRIBED',
    consent_timestamp: SHOWN,
    created_timestamp: SHOWN,
    metadata: null,
    can_receive: true,
    valid_until: null,
    phone_number,
  });
});

test('consent to marketing texts includes transactional ones, not the other way round', async (t) => {
  const sandbox = await sandboxFor(t);
  const other = '+12025550143';
  sandbox.account.seed({ email, phone_number, sms_consent: 'SUBSCRIBED' });
  sandbox.account.seed({ phone_number: other, sms_transactional_consent: 'SUBSCRIBED' });
  const { sms } = viewOf(sandbox);
  assert.equal(sms.transactional.can_receive_sms_transactional, true);
  assert.equal(sms.transactional.consent, 'NEVER_SUBSCRIBED');
  const theirs = sandbox.account.truthFor({ phone_number: other })!.subscriptions.sms;
  assert.equal(theirs.marketing.can_receive_sms_marketing, false);
});

test('open tracking is stored on the profile and adds nobody to a list', async (t) => {
  const sandbox = await sandboxFor(t);
  await subscribed(sandbox, { email: { open_tracking: IN } });
  const { open_tracking, marketing } = viewOf(sandbox).email;
  assert.deepEqual([open_tracking.consent, open_tracking.can_receive], ['SUBSCRIBED', true]);
  assert.equal(marketing.consent, 'NEVER_SUBSCRIBED');
  assert.deepEqual(sandbox.account.truthFor({ email })!.lists, []);
});

test('open tracking needs no date in a historical import', async (t) => {
  const sandbox = await sandboxFor(t);
  await subscribed(
    sandbox,
    { email: { marketing: PAST, open_tracking: IN } },
    { historical_import: true },
  );
  assert.equal(viewOf(sandbox).email.open_tracking.consent, 'SUBSCRIBED');
});

test('registers push tokens with the consent to push', async (t) => {
  const sandbox = await sandboxFor(t);
  await subscribed(sandbox, { push: { marketing: IN, tokens: [TOKEN] } });
  assert.equal(viewOf(sandbox).mobile_push.marketing.can_receive_push_marketing, true);
  const [token, ...others] = tokensOf(sandbox);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [token?.token, token?.platform, token?.vendor, token?.enablement, token?.background],
    ['t1', 'ios', 'apns', 'PROVISIONAL', 'AVAILABLE'],
  );
});

test('consent to push needs no token', async (t) => {
  const sandbox = await sandboxFor(t);
  await subscribed(sandbox, { push: { marketing: IN } });
  assert.equal(viewOf(sandbox).mobile_push.marketing.consent, 'SUBSCRIBED');
  assert.deepEqual(tokensOf(sandbox), []);
});

test('creates one profile for an anonymous id, however often it is sent', async (t) => {
  const sandbox = await sandboxFor(t);
  const row = profile({
    subscriptions: { push: { marketing: IN, tokens: [TOKEN], anonymous_id: 'device-7' } },
  });
  for (let i = 0; i < 2; i++) {
    assert.equal((await subscribe(sandbox, [row], { list: 'Single' })).status, 202);
    sandbox.account.advance(HOUR);
  }
  const [line, ...others] = [...sandbox.account.truth()];
  assert.deepEqual(others, []);
  assert.deepEqual([line!.email, line!.phone_number], [null, null]);
  assert.equal(line!.subscriptions.mobile_push.marketing.consent, 'SUBSCRIBED');
  assert.equal(sandbox.account.profiles.withPushToken('t1'), 0);
});

test('finds a profile by its id and completes it', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email });
  const { id } = sandbox.account.truthFor({ email })!;
  const row = profile({ phone_number, subscriptions: { sms: { marketing: IN } } }, id);
  assert.equal((await subscribe(sandbox, [row], { list: 'Single' })).status, 202);
  sandbox.account.advance(HOUR);
  const [line, ...others] = [...sandbox.account.truth()];
  assert.deepEqual(others, []);
  assert.deepEqual([line!.id, line!.phone_number], [id, phone_number]);
  assert.equal(line!.subscriptions.sms.marketing.consent, 'SUBSCRIBED');
});

test('a row without the sms channel only keeps the number, whatever its region', async (t) => {
  const sandbox = await sandboxFor(t, { sms: { status: 'none', senders: [] } });
  await subscribed(sandbox, { email: { marketing: IN } });
  assert.equal(sandbox.account.truthFor({ email })!.phone_number, phone_number);
  assert.equal(viewOf(sandbox).sms.marketing.consent, 'NEVER_SUBSCRIBED');
});

test('a landline gets no texts, but WhatsApp and e-mail', async (t) => {
  const sandbox = await sandboxFor(t);
  const row = profile({
    email,
    phone_number: '+442079460123',
    subscriptions: {
      email: { marketing: IN },
      sms: { marketing: IN },
      whatsapp: { marketing: IN },
    },
  });
  assert.equal((await subscribe(sandbox, [row], { list: 'Single' })).status, 202);
  sandbox.account.advance(HOUR);
  const view = viewOf(sandbox);
  assert.equal(view.email.marketing.consent, 'SUBSCRIBED');
  assert.equal(view.sms.marketing.consent, 'NEVER_SUBSCRIBED');
  assert.equal(view.whatsapp!.marketing!.consent, 'SUBSCRIBED');
});

test('one bad phone among many rows: the header does not say whose', async (t) => {
  const sandbox = await sandboxFor(t);
  const both = { email: { marketing: IN }, sms: { marketing: IN } };
  const rows = Array.from({ length: 20 }, (_, i) =>
    profile({
      email: `p${i}@shop.test`,
      phone_number: i === 7 ? '+15551234567' : `+120155501${i + 10}`,
      subscriptions: both,
    }),
  );
  const response = await subscribe(sandbox, rows, { list: 'Single' });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('x-klaviyo-partial-failure'), 'phone_number');
  sandbox.account.advance(HOUR);
  const texted = rows.map(
    (_, i) =>
      sandbox.account.truthFor({ email: `p${i}@shop.test` })!.subscriptions.sms.marketing.consent,
  );
  assert.deepEqual(
    texted.flatMap((consent, i) => (consent === 'SUBSCRIBED' ? [] : [i])),
    [7],
  );
});

test('a subscribe says where consent came from, on the profile and in the log', async (t) => {
  const sandbox = await sandboxFor(t);
  const custom_source = 'run 2026-11-22';
  await subscribed(sandbox, { email: { marketing: IN } }, { list: 'Single', custom_source });
  const { method, method_detail, custom_method_detail, double_optin } =
    viewOf(sandbox).email.marketing;
  assert.deepEqual(
    [method, method_detail, custom_method_detail, double_optin],
    ['API', null, custom_source, false],
  );
  assert.deepEqual(
    [...sandbox.account.subscribed()].map((line) => line.custom_source),
    [custom_source],
  );
});

test('a historical date after an unsubscribe subscribes again', async (t) => {
  const sandbox = await sandboxFor(t);
  const consent_timestamp = '2020-01-01T00:00:00Z';
  sandbox.account.seed({ email, email_consent: 'UNSUBSCRIBED', consent_timestamp });
  await subscribed(sandbox, { email: { marketing: PAST } }, { historical_import: true });
  const { consent, consent_timestamp: shown, suppression } = viewOf(sandbox).email.marketing;
  assert.deepEqual([consent, shown, suppression], ['SUBSCRIBED', SHOWN, []]);
});

test('an opt-out that came after a historical subscribe keeps its person off the list', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email });
  const row = profile({ email, subscriptions: { email: { marketing: PAST } } });
  await subscribe(sandbox, [row], { list: 'Single', historical_import: true });
  sandbox.account.unsubscribe({ email });
  sandbox.account.advance(HOUR);
  assert.deepEqual(sandbox.account.truthFor({ email })!.lists, []);
});

test('a number that its carrier took back loses its consent to texts, and nothing else', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({
    email,
    phone_number,
    email_consent: 'SUBSCRIBED',
    sms_consent: 'SUBSCRIBED',
    sms_transactional_consent: 'SUBSCRIBED',
    whatsapp_consent: 'SUBSCRIBED',
  });
  sandbox.account.deactivatePhone({ phone_number });
  const { email: mail, sms, whatsapp } = viewOf(sandbox);
  assert.deepEqual(
    [sms.marketing, sms.transactional].map(({ consent, method }) => [consent, method]),
    Array(2).fill(['UNSUBSCRIBED', 'CARRIER_DEACTIVATION']),
  );
  assert.equal(mail.marketing.consent, 'SUBSCRIBED');
  assert.equal(whatsapp!.marketing!.consent, 'SUBSCRIBED');
  assert.throws(
    () => sandbox.account.deactivatePhone({ phone_number: '+12025550143' }),
    RangeError,
  );
});

test('a carrier removes nothing from people who never consented to texts', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, phone_number });
  sandbox.account.deactivatePhone({ phone_number });
  assert.equal(viewOf(sandbox).sms.marketing.consent, 'NEVER_SUBSCRIBED');
});

const AGES: [country: string, phone: string, age: number | undefined][] = [
  ['US', '+12015550123', 21],
  ['CA', '+14165550123', undefined],
  ['GB', '+447400123456', 18],
  ['CH', '+41781234567', 16],
];
for (const [country, phone, age] of AGES) {
  test(`the age of ${country} is ${age ?? 'nobody’s business'}`, async (t) => {
    const senders = [{ country, type: 'long_code', status: 'active' }];
    const sandbox = await sandboxFor(t, {
      account: { ageGated: true },
      sms: { status: 'active', senders },
    });
    const status = async (years: number | undefined) => {
      const born = new Date();
      born.setUTCFullYear(born.getUTCFullYear() - (years ?? 0));
      const dated =
        years === undefined ? {} : { age_gated_date_of_birth: born.toISOString().slice(0, 10) };
      const subscriptions = { sms: { marketing: IN } };
      return (await subscribe(sandbox, [profile({ phone_number: phone, subscriptions, ...dated })]))
        .status;
    };
    assert.equal(await status(undefined), age === undefined ? 202 : 400);
    if (age === undefined) return;
    assert.deepEqual([await status(age - 1), await status(age)], [400, 202]);
  });
}
