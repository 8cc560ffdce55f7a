import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

const HEADER = 'email,phone_number,email_consent,sms_consent';
const TEXTS = { channels: ['email', 'sms'], smsWithoutSender: 'reject' } as const;

describe('what a subscribe does, and when: phone numbers', () => {
  let world: World;
  before(async () => {
    world = await startWorld({
      sms: {
        status: 'active',
        senders: [
          { country: 'US', type: 'toll_free', status: 'active' },
          { country: 'GB', type: 'long_code', status: 'active' },
          { country: 'AU', type: 'long_code', status: 'pending_registration' },
        ],
      },
    });
  });
  after(() => world.close());

  const smsOf = (who: string) => world.profile(who).subscriptions.sms.marketing.consent;

  scenario(
    'effect-10',
    'a landline is refused for texts, and its address is still sent',
    async () => {
      const { outcomes } = await world.migrate(
        [
          HEADER,
          'fixed10@example.com,+442079460110,yes,yes',
          'mobile10@example.com,+447400123456,yes,yes',
        ],
        TEXTS,
      );
      assert.deepEqual(outcomes, {
        'fixed10@example.com email': 'confirmed',
        'fixed10@example.com sms': 'phone_landline',
        'mobile10@example.com email': 'confirmed',
        'mobile10@example.com sms': 'confirmed',
      });
      assert.equal(world.profile('fixed10@example.com').phone_number, null);
      assert.equal(smsOf('mobile10@example.com'), 'SUBSCRIBED');
    },
  );

  scenario('effect-10', 'not all numbers that begin with +1 are in the US', async () => {
    const { outcomes } = await world.migrate(
      [
        HEADER,
        'us10@example.com,+12015550110,yes,yes',
        'canada10@example.com,+14165550110,yes,yes',
        'puertorico10@example.com,+17875550110,yes,yes',
      ],
      { ...TEXTS, country: 'US' },
    );
    for (const who of ['us10', 'canada10', 'puertorico10']) {
      const texts = who === 'us10' ? 'confirmed' : 'phone_country_without_sender';
      assert.equal(outcomes[`${who}@example.com sms`], texts);
      assert.equal(outcomes[`${who}@example.com email`], 'confirmed');
      assert.equal(smsOf(`${who}@example.com`), who === 'us10' ? 'SUBSCRIBED' : 'NEVER_SUBSCRIBED');
    }
  });

  scenario('effect-10', 'a number that its carrier took back is not subscribed again', async () => {
    const { account } = world.sandbox;
    account.seed({ phone_number: '+12015550111', sms_consent: 'SUBSCRIBED' });
    account.deactivatePhone({ phone_number: '+12015550111' });
    const { outcomes } = await world.migrate(
      [HEADER, 'newowner10@example.com,+12015550111,yes,yes'],
      TEXTS,
    );
    assert.deepEqual(outcomes, {
      'newowner10@example.com email': 'confirmed',
      'newowner10@example.com sms': 'opted_out_before_run',
    });
    assert.equal(smsOf('+12015550111'), 'UNSUBSCRIBED');
  });

  scenario(
    'effect-10',
    'a new number does not replace the number that somebody gets texts on',
    async () => {
      world.sandbox.account.seed({
        email: 'moved10@example.com',
        phone_number: '+12015550112',
        sms_consent: 'SUBSCRIBED',
        consent_timestamp: '2022-01-02T03:04:05Z',
      });
      const { outcomes } = await world.migrate(
        [HEADER, 'moved10@example.com,+12015550113,yes,yes'],
        TEXTS,
      );
      assert.deepEqual(outcomes, {
        'moved10@example.com email': 'confirmed',
        'moved10@example.com sms': 'confirmed',
      });
      const before = world.profile('moved10@example.com');
      assert.equal(before.phone_number, '+12015550112');
      assert.equal(before.subscriptions.sms.marketing.consent, 'SUBSCRIBED');
      assert.match(before.subscriptions.sms.marketing.consent_timestamp ?? '', /^2022-01-02/);
      assert.equal(world.profile('+12015550113').email, null);
      assert.equal(smsOf('+12015550113'), 'SUBSCRIBED');
    },
  );

  scenario(
    'effect-11',
    'the countries are those of the account’s active senders, read for each run',
    async () => {
      const row = (who: string, line: string) => `${who}@example.com,+6149157${line},yes,yes`;
      const first = await world.migrate([HEADER, row('first11', '0156')], TEXTS);
      assert.deepEqual(first.outcomes, {
        'first11@example.com email': 'confirmed',
        'first11@example.com sms': 'phone_country_without_sender',
      });
      const { texting } = world.sandbox.account;
      const australia = [...texting.senders()].find(({ country }) => country === 'AU');
      texting.decide(australia?.id ?? '', 'active');
      const second = await world.migrate([HEADER, row('second11', '0157')], TEXTS);
      assert.deepEqual(second.outcomes, {
        'second11@example.com email': 'confirmed',
        'second11@example.com sms': 'confirmed',
      });
      assert.equal(smsOf('+61491570157'), 'SUBSCRIBED');
      assert.equal(smsOf('first11@example.com'), 'NEVER_SUBSCRIBED');
    },
  );
});
