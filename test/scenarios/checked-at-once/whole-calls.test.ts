import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { DOUBLE, SINGLE } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { scenario } from '../scenario.js';
import { WITHOUT_SENDERS } from '../scopes.js';
import { startWorld, type World } from '../world.js';

const HEADER = 'email,email_consent';
describe('what Klaviyo checks at once: requests as a whole', () => {
  let world: World;
  before(async () => {
    world = await startWorld({
      clicks: { share: 0, delayMs: [0, 0] },
      filteredDomains: ['filtered.test'],
    });
  });
  after(() => world.close());

  const carried = (email: string): boolean =>
    [...world.sandbox.account.subscribed()].some((line) => line.email === email);

  scenario(
    'check-1',
    'an accepted call proves nothing: an outcome is what was read back',
    async () => {
      const { outcomes, parts } = await world.migrate(
        [HEADER, 'taken1@example.com,yes', 'taken1@filtered.test,yes'],
        { timing: { ...TEST_TIMING, confirmWithinMs: 1_500 } },
      );
      assert.deepEqual(outcomes, {
        'taken1@example.com email': 'confirmed',
        'taken1@filtered.test email': 'unconfirmed',
      });
      assert.ok(carried('taken1@filtered.test'), 'Klaviyo took both in one call');
      assert.ok(!world.hasProfile('taken1@filtered.test'));
      for (const { outcome, settledBy, sent } of parts) {
        assert.ok(sent);
        assert.notEqual(settledBy, 'klaviyo_answer', `${outcome} is what the answer said`);
      }
      const [confirmed, unseen] = parts;
      assert.equal(confirmed?.consentAfter, 'SUBSCRIBED');
      assert.equal(unseen?.reason, 'not_seen_before_deadline');
    },
  );

  scenario('check-2', 'a refused row does not affect the others of its call', async () => {
    const { outcomes } = await refusedNumbers('check2', 'all');
    assert.deepEqual(outcomes, {
      'check2-good@example.com email': 'confirmed',
      'check2-a@example.com email': 'confirmed',
      'check2-a@example.com sms': 'phone_country_without_sender',
      'check2-b@example.com email': 'confirmed',
      'check2-b@example.com sms': 'phone_country_without_sender',
      'check2-c@example.com email': 'confirmed',
      'check2-c@example.com sms': 'phone_country_without_sender',
    });
    assert.equal(world.profile('check2-good@example.com').lists[0]?.id, SINGLE);
    assert.equal(world.profile('check2-a@example.com').phone_number, null);
  });

  scenario('check-3', 'however few errors one answer names, all of them are found', async () => {
    for (const [errorsPerAnswer, calls] of [
      ['all', 2],
      [1, 4],
      [2, 3],
    ] as const) {
      const name = `check3${errorsPerAnswer}`;
      const run = await refusedNumbers(name, errorsPerAnswer);
      assert.equal(run.calls, calls, `${errorsPerAnswer}: ${run.calls} calls`);
      for (const who of ['a', 'b', 'c']) {
        assert.equal(
          run.outcomes[`${name}-${who}@example.com sms`],
          'phone_country_without_sender',
        );
        assert.equal(run.outcomes[`${name}-${who}@example.com email`], 'confirmed');
      }
    }
  });

  /** Three numbers that only Klaviyo can refuse, and how many subscribe calls that took. */
  async function refusedNumbers(name: string, errorsPerAnswer: 'all' | number) {
    const { settings } = world.sandbox.account;
    const { scopes } = settings;
    settings.scopes = new Set(WITHOUT_SENDERS);
    world.turn({ errorsPerAnswer });
    const before = world.calls('bulk_subscribe_profiles');
    try {
      const { outcomes } = await world.migrate(
        [
          'email,phone_number,email_consent,sms_consent',
          `${name}-good@example.com,,yes,`,
          ...['a', 'b', 'c'].map((who, i) => `${name}-${who}@example.com,+1416555012${i},yes,yes`),
        ],
        { channels: ['email', 'sms'], smsCountries: ['US', 'CA'] },
      );
      return { outcomes, calls: world.calls('bulk_subscribe_profiles') - before };
    } finally {
      settings.scopes = scopes;
      world.turn({ errorsPerAnswer: 'all' });
    }
  }

  scenario(
    'check-14',
    'a list that does not exist stops the run before anything is sent',
    async () => {
      for (const [unknownIdOnGet, implicit] of [
        [404, false],
        [404, true],
        [400, false],
      ] as const) {
        world.turn({ unknownIdOnGet });
        const email = `nolist${unknownIdOnGet}${implicit}@example.com`;
        const { outcomes, failure } = await world.migrate([HEADER, `${email},yes`], {
          listId: 'NOSUCH',
          implicit,
        });
        assert.match(failure ?? '', /NOSUCH/);
        const part = implicit ? 'list' : 'email';
        assert.deepEqual(outcomes, { [`${email} ${part}`]: 'migration_stopped' });
        assert.ok(!world.hasProfile(email));
      }
      world.turn({ unknownIdOnGet: 404 });
    },
  );

  scenario('check-14', 'a list that is deleted half-way stops the run, and says so', async () => {
    for (const [endpoint, implicit] of [
      ['bulk_subscribe_profiles', false],
      ['bulk_import_profiles', true],
    ] as const) {
      const { account } = world.sandbox;
      const listId = `GONE${implicit}`;
      account.createList({ id: listId, name: listId, opt_in_process: 'single_opt_in' });
      account.addFault({ endpoint, kind: 'delete_list', listId, times: 1 });
      const { outcomes, failure } = await world.migrate([HEADER, `${endpoint}@example.com,yes`], {
        listId,
        implicit,
      });
      assert.match(
        failure ?? '',
        /refused the whole bulk_(subscribe|import)_profiles call .*list/is,
      );
      const part = implicit ? 'list' : 'email';
      assert.deepEqual(outcomes, { [`${endpoint}@example.com ${part}`]: 'migration_stopped' });
      assert.ok(!world.hasProfile(`${endpoint}@example.com`));
    }
  });

  scenario(
    'check-15',
    'a malformed address is not sent, and the others get on the list',
    async () => {
      const { outcomes } = await world.migrate(
        [
          HEADER,
          'listed15@example.com,yes',
          'two words15@example.com,yes',
          'listed15@example,yes',
          'listed15@filtered.test,yes',
        ],
        { implicit: true, timing: { ...TEST_TIMING, membershipWithinMs: 1_500 } },
      );
      assert.deepEqual(outcomes, {
        'listed15@example.com list': 'list_only',
        'two words15@example.com list': 'email_invalid',
        'listed15@example list': 'email_invalid',
        // Taken, and refused in the errors of the import.
        'listed15@filtered.test list': 'klaviyo_refused_email',
      });
      assert.ok(!world.hasProfile('listed15@example'));
      const { lists, subscriptions } = world.profile('listed15@example.com');
      assert.deepEqual(
        lists.map(({ id }) => id),
        [SINGLE],
      );
      assert.equal(subscriptions.email.marketing.consent, 'NEVER_SUBSCRIBED');
    },
  );

  scenario(
    'check-18',
    'more people than fit in one call are sent in several, each of them once',
    async () => {
      const before = world.calls('bulk_subscribe_profiles');
      const carriedBefore = [...world.sandbox.account.subscribed()].length;
      const emails = Array.from({ length: 1_001 }, (_, i) => `many18-${i}@example.com`);
      const { report } = await world.migrate([HEADER, ...emails.map((email) => `${email},yes`)]);
      assert.deepEqual(report.outcomes, { confirmed: 1_001 });
      assert.equal(world.calls('bulk_subscribe_profiles') - before, 2);
      const lines = [...world.sandbox.account.subscribed()].slice(carriedBefore);
      assert.deepEqual(lines.map(({ email }) => email).sort(), [...emails].sort());
    },
  );

  scenario('check-18', 'a run with nobody to send makes no call', async () => {
    world.sandbox.account.seed({ email: 'out18@example.com', email_consent: 'UNSUBSCRIBED' });
    const before = world.calls('bulk_subscribe_profiles');
    const { outcomes } = await world.migrate([HEADER, 'out18@example.com,yes', 'bad18,yes']);
    assert.deepEqual(outcomes, {
      'out18@example.com email': 'opted_out_before_run',
      'bad18 email': 'email_invalid',
    });
    assert.equal(world.calls('bulk_subscribe_profiles'), before);
  });

  scenario('check-19', 'somebody who is in the source twice is sent once', async () => {
    for (const duplicateRows of ['accept_last', 'reject'] as const) {
      world.turn({ duplicateRows });
      const [first, second] = duplicateRows === 'reject' ? ['0150', '0151'] : ['0152', '0153'];
      const before = world.calls('bulk_subscribe_profiles');
      const { outcomes } = await world.migrate(
        [
          'email,phone_number,email_consent,sms_consent',
          `${duplicateRows}@example.com,,yes,`,
          `${duplicateRows.toUpperCase()}@Example.com,,yes,`,
          `${duplicateRows}-a@example.com,+1201555${first},yes,yes`,
          `${duplicateRows}-b@example.com,(201) 555-${first},yes,yes`,
          `,+1201555${second},,yes`,
          `,+1 201 555 ${second},,yes`,
        ],
        { channels: ['email', 'sms'], country: 'US' },
      );
      const ended = Object.entries(outcomes).sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(
        ended.map(([, outcome]) => outcome).sort(),
        [
          ...['confirmed', 'confirmed', 'confirmed', 'confirmed', 'confirmed'],
          ...['duplicate_email', 'duplicate_phone', 'duplicate_phone'],
        ],
        JSON.stringify(ended),
      );
      assert.equal(world.calls('bulk_subscribe_profiles') - before, 1, 'nothing was refused');
      const owner = world.profile(`+1201555${first}`);
      assert.equal(owner.subscriptions.sms.marketing.consent, 'SUBSCRIBED');
      for (const who of [duplicateRows, `${duplicateRows}-a`, `${duplicateRows}-b`]) {
        const { email } = world.profile(`${who}@example.com`).subscriptions;
        assert.equal(email.marketing.consent, 'SUBSCRIBED');
      }
    }
    world.turn({ duplicateRows: 'accept_last' });
  });

  scenario('check-20', 'the address and number of two people stay two people', async () => {
    for (const twoProfiles of ['merge', 'ignore_phone'] as const) {
      world.turn({ twoProfiles });
      const { account } = world.sandbox;
      const number = twoProfiles === 'merge' ? '+12015550160' : '+12015550161';
      account.seed({ email: `${twoProfiles}20@example.com` });
      account.seed({ email: `${twoProfiles}20-other@example.com`, phone_number: number });
      const { outcomes } = await world.migrate(
        [
          'email,phone_number,email_consent,sms_consent',
          `${twoProfiles}20@example.com,${number},yes,yes`,
        ],
        { channels: ['email', 'sms'] },
      );
      assert.deepEqual(outcomes, {
        [`${twoProfiles}20@example.com email`]: 'confirmed',
        [`${twoProfiles}20@example.com sms`]: 'confirmed',
      });
      const asked = world.profile(`${twoProfiles}20@example.com`);
      const owner = world.profile(number);
      assert.equal(asked.phone_number, null);
      assert.equal(asked.subscriptions.email.marketing.consent, 'SUBSCRIBED');
      assert.equal(owner.email, `${twoProfiles}20-other@example.com`);
      assert.equal(owner.subscriptions.sms.marketing.consent, 'SUBSCRIBED');
      assert.equal(owner.subscriptions.email.marketing.consent, 'NEVER_SUBSCRIBED');
    }
    world.turn({ twoProfiles: 'merge' });
  });

  scenario('check-21', 'a call that is too large is not made, and the run says so', async () => {
    const before = world.calls('bulk_subscribe_profiles');
    const { outcomes, failure } = await world.migrate([HEADER, 'large21@example.com,yes'], {
      listId: DOUBLE,
      optIn: 'double',
      customSource: 'x'.repeat(5_500_000),
    });
    assert.match(failure ?? '', /5500\d{3} bytes, but Klaviyo takes 5000000/);
    assert.equal(world.calls('bulk_subscribe_profiles'), before);
    assert.deepEqual(outcomes, { 'large21@example.com email': 'migration_stopped' });
  });
});
