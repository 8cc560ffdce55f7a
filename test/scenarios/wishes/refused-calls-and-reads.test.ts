import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { DEFAULT_SWITCHES } from 'klaviyo-sandbox';
import { people } from '../../support/people.js';
import { scenario } from '../scenario.js';
import { WITHOUT_SENDERS } from '../scopes.js';
import { startWorld, type World } from '../world.js';

describe('what people ask for: requests and answers', () => {
  let world: World;
  before(async () => {
    world = await startWorld({ clicks: { share: 0, delayMs: [0, 0] } });
  });
  afterEach(() => {
    world.turn(DEFAULT_SWITCHES);
    world.sandbox.account.clearFaults();
    world.sandbox.account.settings.scopes = 'all';
  });
  after(() => world.close());

  const statusesOf = (operation: string) =>
    world.sandbox.account.requests().find((line) => line.operation === operation)?.statuses ?? {};
  const sentTo = (email: string) =>
    [...world.sandbox.account.subscribed()].filter((line) => line.email === email);
  const consentOf = (who: string) => world.profile(who).subscriptions;

  const texts = (us: string, ca: string, serial: number) => [
    'email,phone_number,email_consent,sms_consent',
    `${us},+1201555014${serial},yes,yes`,
    `${ca},+1416555014${serial},yes,yes`,
  ];

  scenario(
    'wish-2',
    'consent to texts in a country without a sending number never causes a 400',
    async () => {
      const [us = '', ca = ''] = people(2);
      const rows = texts(us, ca, 0);
      world.sandbox.account.forgetRequests();
      const stopped = await world.migrate(rows, { channels: ['email', 'sms'] });
      assert.match(
        stopped.failure ?? '',
        /without an active sender: CA 1\..*--sms-without-sender reject/,
      );
      assert.deepEqual(statusesOf('bulk_subscribe_profiles'), {});

      const { outcomes } = await world.migrate(rows, {
        channels: ['email', 'sms'],
        smsWithoutSender: 'reject',
      });
      assert.deepEqual(outcomes, {
        [`${us} email`]: 'confirmed',
        [`${us} sms`]: 'confirmed',
        [`${ca} email`]: 'confirmed',
        [`${ca} sms`]: 'phone_country_without_sender',
      });
      assert.deepEqual(statusesOf('bulk_subscribe_profiles'), { 202: 1 });
      assert.equal(consentOf(ca).sms.marketing.consent, 'NEVER_SUBSCRIBED');
    },
  );

  scenario(
    'wish-2',
    'if the set-up can’t be read, Klaviyo’s refusal only refuses the texts of that row',
    async () => {
      const { settings } = world.sandbox.account;
      settings.scopes = new Set(WITHOUT_SENDERS);
      for (const errorsPerAnswer of ['all', 1] as const) {
        world.turn({ errorsPerAnswer });
        const [us = '', ca = ''] = people(2);
        const { outcomes } = await world.migrate(texts(us, ca, errorsPerAnswer === 1 ? 1 : 2), {
          channels: ['email', 'sms'],
          smsCountries: ['US', 'CA'],
        });
        assert.deepEqual(outcomes, {
          [`${us} email`]: 'confirmed',
          [`${us} sms`]: 'confirmed',
          [`${ca} email`]: 'confirmed',
          [`${ca} sms`]: 'phone_country_without_sender',
        });
        assert.equal(consentOf(us).sms.marketing.consent, 'SUBSCRIBED');
        assert.equal(consentOf(ca).email.marketing.consent, 'SUBSCRIBED');
      }
    },
  );

  scenario('wish-3', 'phone and source of a live row reach Klaviyo', async () => {
    const [email = ''] = people(1);
    const { outcomes } = await world.migrate(
      ['email,phone_number,email_consent,sms_consent', `${email},+12015550145,yes,yes`],
      { channels: ['email', 'sms'], customSource: 'Fair 2024' },
    );
    assert.deepEqual(outcomes, { [`${email} email`]: 'confirmed', [`${email} sms`]: 'confirmed' });
    const [line] = sentTo(email);
    assert.equal(line?.custom_source, 'Fair 2024');
    assert.equal(line.historical_import, false);
    assert.equal(world.profile(email).phone_number, '+12015550145');
    assert.equal(consentOf(email).sms.marketing.consent, 'SUBSCRIBED');
    assert.equal(consentOf(email).email.marketing.custom_method_detail, 'Fair 2024');
  });

  scenario('wish-10', 'a storm of refusals is waited out, and nobody is sent twice', async () => {
    const { account } = world.sandbox;
    account.addFault({ kind: '429', share: 0.3, forMs: 3_000 });
    account.addFault({ kind: '503', share: 0.2, forMs: 3_000 });
    account.addFault({ endpoint: 'bulk_subscribe_profiles', kind: '504', times: 1, applied: true });
    const many = people(40);
    const { report } = await world.migrate([
      'email,email_consent',
      ...many.map((email) => `${email},yes`),
    ]);
    account.clearFaults();
    assert.deepEqual(report.outcomes, { confirmed: 40 });
    for (const email of many) {
      assert.equal(sentTo(email).length, 1);
      assert.equal(consentOf(email).email.marketing.consent, 'SUBSCRIBED');
    }
  });

  scenario(
    'wish-11',
    'an e-mail and a phone of two profiles are sent as the two people they are',
    async () => {
      for (const [n, twoProfiles] of (['merge', 'ignore_phone'] as const).entries()) {
        world.turn({ twoProfiles });
        const { account } = world.sandbox;
        const [email = ''] = people(1);
        const phone = `+1201555015${n}`;
        account.seed({ email });
        account.seed({ phone_number: phone });
        const ids = [world.profile(email).id, world.profile(phone).id];
        const { outcomes } = await world.migrate(
          ['email,phone_number,email_consent,sms_consent', `${email},${phone},yes,yes`],
          { channels: ['email', 'sms'] },
        );
        assert.deepEqual(outcomes, {
          [`${email} email`]: 'confirmed',
          [`${email} sms`]: 'confirmed',
        });
        assert.deepEqual([world.profile(email).id, world.profile(phone).id], ids);
        assert.equal(consentOf(email).email.marketing.consent, 'SUBSCRIBED');
        assert.equal(consentOf(phone).sms.marketing.consent, 'SUBSCRIBED');
      }
      for (const operation of ['create_profile', 'create_or_update_profile', 'merge_profiles']) {
        assert.equal(world.calls(operation), 0, operation);
      }
    },
  );

  scenario(
    'wish-12',
    'bad rows are removed from a refused call, and the rest is sent',
    async () => {
      const { account } = world.sandbox;
      world.turn({ invalidPhoneWithEmail: 'reject' });
      for (const [errorsPerAnswer, calls] of [
        ['all', 2],
        [2, 4],
        [1, 6],
      ] as const) {
        world.turn({ errorsPerAnswer });
        account.forgetRequests();
        const good = people(20);
        const bad = people(5);
        const { report, outcomes } = await world.migrate(
          [
            'email,phone_number,email_consent,whatsapp_consent',
            ...good.map((email) => `${email},,yes,`),
            ...bad.map(
              (email, n) =>
                `${email},+8835100123${errorsPerAnswer === 'all' ? 4 : errorsPerAnswer}${n},yes,yes`,
            ),
          ],
          { channels: ['email', 'whatsapp'] },
        );
        assert.deepEqual(report.outcomes, { confirmed: 25 });
        for (const email of bad) {
          assert.equal(outcomes[`${email} whatsapp`], 'klaviyo_refused_phone');
          assert.equal(consentOf(email).email.marketing.consent, 'SUBSCRIBED');
          assert.equal(world.profile(email).phone_number, null);
        }
        assert.equal(world.calls('bulk_subscribe_profiles'), calls);
      }
    },
  );

  scenario('wish-13', 'people beyond the first page are read too', async () => {
    const there = people(130);
    for (const email of there) {
      world.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
    }
    const fresh = people(130);
    const { report, parts } = await world.migrate(
      [
        'email,email_consent,email_consented_at',
        ...[...there, ...fresh].map((email) => `${email},yes,2021-02-03T04:05:06Z`),
      ],
      { historical: true },
    );
    assert.deepEqual(report.outcomes, { confirmed: 130, already_consented: 130 });
    const confirmed = parts.filter(({ outcome }) => outcome === 'confirmed');
    assert.deepEqual(new Set(confirmed.map((part) => part.settledBy)), new Set(['list_members']));
    assert.ok(there.every((email) => sentTo(email).length === 0));
  });

  scenario('wish-14', 'show returns every channel and every suppression of a person', async () => {
    const [email = ''] = people(1);
    world.sandbox.account.seed({
      email,
      phone_number: '+12015550155',
      email_consent: 'SUBSCRIBED',
      sms_consent: 'UNSUBSCRIBED',
      sms_transactional_consent: 'UNSUBSCRIBED',
      whatsapp_consent: 'SUBSCRIBED',
      push_consent: 'SUBSCRIBED',
      consent_timestamp: '2021-02-03T04:05:06Z',
      suppressions: ['HARD_BOUNCE'],
    });
    for (const person of [
      { by: 'email', value: email },
      { by: 'phone_number', value: '+12015550155' },
    ] as const) {
      const { profiles } = await world.harness.consentry.people.liveConsent(person);
      const [profile, ...others] = profiles;
      assert.deepEqual(others, []);
      const told = profile?.channels.map(({ channel, consent }) => [channel, consent]);
      assert.deepEqual(Object.fromEntries(told ?? []), {
        email: 'SUBSCRIBED',
        sms: 'UNSUBSCRIBED',
        sms_transactional: 'UNSUBSCRIBED',
        whatsapp: 'SUBSCRIBED',
        push: 'SUBSCRIBED',
      });
      assert.deepEqual(
        profile?.suppressions.map(({ reason }) => reason),
        ['HARD_BOUNCE'],
      );
    }
  });

  scenario('wish-15', 'a blank cell clears nothing in Klaviyo', async () => {
    const [joins = '', put = ''] = people(2);
    for (const [n, email] of [joins, put].entries()) {
      world.sandbox.account.seed({
        email,
        phone_number: `+1201555016${n}`,
        sms_consent: 'SUBSCRIBED',
        consent_timestamp: '2021-02-03T04:05:06Z',
      });
    }
    const before = [joins, put].map((email) => consentOf(email).sms);
    const { outcomes } = await world.migrate(
      ['email,phone_number,email_consent,sms_consent', `${joins},,yes,`, `${put},,list_only,`],
      { channels: ['email', 'sms'] },
    );
    assert.deepEqual(outcomes, { [`${joins} email`]: 'confirmed', [`${put} list`]: 'list_only' });
    for (const [n, email] of [joins, put].entries()) {
      assert.equal(world.profile(email).phone_number, `+1201555016${n}`);
      assert.deepEqual(consentOf(email).sms, before[n]);
    }
  });
});
