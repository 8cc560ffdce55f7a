import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { SINGLE } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { scenario } from '../scenario.js';
import { WITHOUT_SENDERS } from '../scopes.js';
import { startWorld, type World } from '../world.js';

const HEADER = 'email,phone_number,email_consent,sms_consent';
const TEXTS = { channels: ['email', 'sms'], smsWithoutSender: 'reject' } as const;
describe('what Klaviyo checks at once: phone numbers', () => {
  let world: World;
  before(async () => {
    world = await startWorld({
      sms: {
        status: 'active',
        senders: [
          { country: 'US', type: 'toll_free', status: 'active' },
          { country: 'GB', type: 'long_code', status: 'active' },
        ],
      },
    });
  });
  after(() => world.close());

  const emailOf = (who: string) => world.profile(who).subscriptions.email.marketing.consent;
  const smsOf = (who: string) => world.profile(who).subscriptions.sms.marketing.consent;

  scenario('check-4', 'a number of a country without a sender refuses only the texts', async () => {
    const { settings } = world.sandbox.account;
    const { scopes } = settings;
    for (const readable of [true, false]) {
      const line = readable ? '0110' : '0111';
      if (!readable) settings.scopes = new Set(WITHOUT_SENDERS);
      const { outcomes, parts, failure } = await world.migrate(
        [
          HEADER,
          `region-${line}@example.com,+1416555${line},yes,yes`,
          `,+1613555${line},,yes`,
          `here-${line}@example.com,+1201555${line},yes,yes`,
        ],
        { ...TEXTS, ...(readable ? {} : { smsCountries: ['US', 'CA'] }) },
      );
      assert.equal(failure, null);
      assert.deepEqual(outcomes, {
        [`region-${line}@example.com email`]: 'confirmed',
        [`region-${line}@example.com sms`]: 'phone_country_without_sender',
        [`+1613555${line} sms`]: 'phone_country_without_sender',
        [`here-${line}@example.com email`]: 'confirmed',
        [`here-${line}@example.com sms`]: 'confirmed',
      });
      const refused = parts.filter(({ reason }) => reason === 'phone_country_without_sender');
      for (const part of refused) {
        assert.equal(part.outcome, 'rejected');
        // Known before the call where the senders can be read, else from Klaviyo's refusal.
        assert.equal(part.settledBy === 'klaviyo_answer', !readable);
      }
      assert.equal(emailOf(`region-${line}@example.com`), 'SUBSCRIBED');
      assert.equal(world.profile(`region-${line}@example.com`).phone_number, null);
      assert.ok(!world.hasProfile(`+1613555${line}`));
      assert.equal(smsOf(`+1201555${line}`), 'SUBSCRIBED');
    }
    settings.scopes = scopes;
  });

  scenario(
    'check-4',
    'numbers of a country without a sender stop the run unless the flag allows them',
    async () => {
      const { failure } = await world.migrate(
        [HEADER, 'stopped4@example.com,+14165550112,yes,yes'],
        { channels: ['email', 'sms'] },
      );
      assert.match(failure ?? '', /CA.*--sms-without-sender reject/s);
      assert.ok(!world.hasProfile('stopped4@example.com'));
    },
  );

  scenario('check-5', 'a number that cannot get texts is refused with the reason', async () => {
    for (const invalidPhoneWithEmail of ['partial_failure', 'reject'] as const) {
      world.turn({ invalidPhoneWithEmail });
      const name = `bad5-${invalidPhoneWithEmail}`;
      const before = world.calls('bulk_subscribe_profiles');
      const numbers = {
        '+1201555': 'phone_invalid',
        '+18885550100': 'phone_type_not_textable',
        '1.20155E+10': 'phone_scientific_notation',
        '555 0100': 'phone_country_unknown',
        'ask me': 'phone_invalid',
      };
      const { outcomes } = await world.migrate(
        [
          HEADER,
          ...Object.keys(numbers).map((number, i) => `${name}-${i}@example.com,${number},yes,yes`),
          ',+1201555,,yes',
        ],
        TEXTS,
      );
      Object.values(numbers).forEach((reason, i) => {
        assert.equal(outcomes[`${name}-${i}@example.com sms`], reason);
        assert.equal(outcomes[`${name}-${i}@example.com email`], 'confirmed');
        assert.equal(emailOf(`${name}-${i}@example.com`), 'SUBSCRIBED');
        assert.equal(world.profile(`${name}-${i}@example.com`).phone_number, null);
      });
      assert.equal(outcomes['+1201555 sms'], 'phone_invalid');
      assert.equal(world.calls('bulk_subscribe_profiles') - before, 1, 'nothing was refused');
    }
    world.turn({ invalidPhoneWithEmail: 'partial_failure' });
  });

  scenario(
    'check-6',
    'a header that names no row is traced to the number it is about',
    async () => {
      // A number of no country: whole by its form, and none that Klaviyo knows.
      for (const [invalidPhoneWithEmail, dropped, number, reason] of [
        ['partial_failure', true, '+883510012345', 'phone_dropped_by_klaviyo'],
        ['reject', false, '+883510012346', 'klaviyo_refused_phone'],
      ] as const) {
        world.turn({ invalidPhoneWithEmail });
        const name = `header6-${dropped}`;
        const good = dropped ? '+12015550170' : '+12015550171';
        const { outcomes, parts } = await world.migrate(
          [
            'email,phone_number,email_consent,whatsapp_consent',
            `${name}-a@example.com,${number},yes,yes`,
            `${name}-b@example.com,${good},yes,yes`,
            `${name}-c@example.com,,yes,`,
          ],
          {
            channels: ['email', 'whatsapp'],
            timing: { ...TEST_TIMING, confirmWithinMs: 1_500 },
          },
        );
        assert.deepEqual(outcomes, {
          [`${name}-a@example.com email`]: 'confirmed',
          [`${name}-a@example.com whatsapp`]: reason,
          [`${name}-b@example.com email`]: 'confirmed',
          [`${name}-b@example.com whatsapp`]: 'confirmed',
          [`${name}-c@example.com email`]: 'confirmed',
        });
        const lost = parts.find((part) => part.reason === reason);
        assert.equal(lost?.outcome, 'rejected');
        assert.equal(world.profile(`${name}-a@example.com`).phone_number, null);
        assert.equal(emailOf(`${name}-a@example.com`), 'SUBSCRIBED');
        const { whatsapp } = world.profile(good).subscriptions;
        assert.equal(whatsapp?.marketing?.consent, 'SUBSCRIBED');
      }
      world.turn({ invalidPhoneWithEmail: 'partial_failure' });
    },
  );

  scenario(
    'check-7',
    'a bad number does not keep its person off a list, and is not stored',
    async () => {
      world.sandbox.account.seed({
        email: 'known7@example.com',
        phone_number: '+12015550172',
        sms_consent: 'SUBSCRIBED',
      });
      const { outcomes } = await world.migrate(
        [
          'email,phone_number,email_consent',
          'listed7@example.com,+1201555,yes',
          'known7@example.com,+12015550173,yes',
        ],
        { implicit: true },
      );
      assert.deepEqual(outcomes, {
        'listed7@example.com list': 'list_only',
        'known7@example.com list': 'list_only',
      });
      assert.equal(world.profile('listed7@example.com').phone_number, null);
      const known = world.profile('known7@example.com');
      assert.equal(known.lists[0]?.id, SINGLE);
      assert.equal(known.phone_number, '+12015550172');
      assert.equal(known.subscriptions.sms.marketing.consent, 'SUBSCRIBED');
    },
  );

  scenario('check-9', 'texts without a number are refused alone', async () => {
    const { outcomes } = await world.migrate(
      [HEADER, 'nophone9@example.com,,yes,yes', 'onlytexts9@example.com,,,yes'],
      TEXTS,
    );
    assert.deepEqual(outcomes, {
      'nophone9@example.com email': 'confirmed',
      'nophone9@example.com sms': 'phone_missing',
      'onlytexts9@example.com sms': 'phone_missing',
    });
    assert.ok(!world.hasProfile('onlytexts9@example.com'), 'an address alone is no consent to it');
  });

  scenario(
    'check-17',
    'an age gate refuses the texts of people who are too young or give no age',
    async () => {
      const { account } = world.sandbox.account.settings;
      account.ageGated = true;
      const { outcomes } = await world.migrate(
        [
          'email,phone_number,date_of_birth,email_consent,sms_consent',
          'adult17@example.com,+12015550180,1980-02-29,yes,yes',
          'twenty17@example.com,+12015550181,2008-01-01,yes,yes',
          'unknown17@example.com,+12015550182,,yes,yes',
          'garbled17@example.com,+12015550183,31.02.1980,yes,yes',
          // 18 is enough here, and 21 in the US.
          'briton17@example.com,+447400123456,2006-01-01,yes,yes',
          'american17@example.com,+12015550184,2006-01-01,yes,yes',
          'mails17@example.com,+12015550185,,yes,',
        ],
        TEXTS,
      );
      account.ageGated = false;
      const refused = ['twenty17', 'unknown17', 'garbled17', 'american17'];
      for (const who of ['adult17', 'briton17', ...refused]) {
        const email = `${who}@example.com`;
        const texts = refused.includes(who) ? 'klaviyo_refused_age' : 'confirmed';
        assert.equal(outcomes[`${email} sms`], texts, who);
        assert.equal(outcomes[`${email} email`], 'confirmed', who);
        assert.equal(emailOf(email), 'SUBSCRIBED');
        assert.equal(smsOf(email), refused.includes(who) ? 'NEVER_SUBSCRIBED' : 'SUBSCRIBED', who);
      }
      assert.equal(outcomes['mails17@example.com email'], 'confirmed');
    },
  );
});

describe('what Klaviyo checks at once: an account without SMS', () => {
  let world: World;
  before(async () => {
    world = await startWorld({ sms: { status: 'none', senders: [] } });
  });
  after(() => world.close());

  scenario('check-8', 'texts stop the run if the key shows that there is no SMS', async () => {
    const { outcomes, failure } = await world.migrate(
      [HEADER, 'none8@example.com,+12015550190,yes,yes'],
      TEXTS,
    );
    assert.match(failure ?? '', /--channels/);
    assert.equal(outcomes['none8@example.com email'], 'migration_stopped');
    assert.ok(!world.hasProfile('none8@example.com'));
  });

  scenario(
    'check-8',
    'only the texts are refused if only Klaviyo knows that there is no SMS',
    async () => {
      world.sandbox.account.settings.scopes = new Set(WITHOUT_SENDERS);
      const { outcomes } = await world.migrate(
        [HEADER, 'declared8@example.com,+12015550191,yes,yes', ',+12015550192,,yes'],
        { ...TEXTS, smsCountries: ['US'] },
      );
      assert.deepEqual(outcomes, {
        'declared8@example.com email': 'confirmed',
        'declared8@example.com sms': 'phone_country_without_sender',
        '+12015550192 sms': 'sms_not_configured',
      });
      assert.equal(world.profile('declared8@example.com').phone_number, null);
      assert.ok(!world.hasProfile('+12015550192'));
    },
  );
});
