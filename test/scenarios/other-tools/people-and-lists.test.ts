import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { DEFAULT_SWITCHES } from 'klaviyo-sandbox';
import { DOUBLE, SINGLE } from '../../support/harness.js';
import { people } from '../../support/people.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

/** A number in a range that belongs to no country: a person may have it, Klaviyo texts it not. */
const NO_COUNTRY = '+883510012345';

describe('faults known of other tools: people and consent', () => {
  let world: World;
  before(async () => {
    world = await startWorld({
      clicks: { share: 0, delayMs: [0, 0] },
      filteredDomains: ['filtered.test'],
    });
  });
  afterEach(() => {
    world.turn(DEFAULT_SWITCHES);
    world.sandbox.account.clearFaults();
  });
  after(() => world.close());

  const consentOf = (email: string) => world.profile(email).subscriptions.email.marketing.consent;
  const carried = (email: string) =>
    [...world.sandbox.account.subscribed()].filter((line) => line.email === email);

  scenario('bug-1', 'everybody who leaves is opted out, not just the first page', async () => {
    const { account } = world.sandbox;
    const leavers = people(150);
    for (const email of leavers) account.seed({ email, email_consent: 'SUBSCRIBED' });
    const before = world.calls('bulk_unsubscribe_profiles');
    const { report } = await world.migrate([
      'email,email_consent',
      ...leavers.map((email) => `${email},unsubscribed`),
    ]);
    assert.deepEqual(report.outcomes, { confirmed: 150 });
    assert.deepEqual(new Set(leavers.map(consentOf)), new Set(['UNSUBSCRIBED']));
    assert.equal(world.calls('bulk_unsubscribe_profiles') - before, 2);
  });

  scenario(
    'bug-1',
    'an opt-out that Klaviyo did not carry out is not reported as done',
    async () => {
      const { account } = world.sandbox;
      const [email = ''] = people(1);
      account.seed({ email, email_consent: 'SUBSCRIBED' });
      account.addFault({ endpoint: 'bulk_unsubscribe_profiles', kind: '502', times: 1 });
      const { outcomes } = await world.migrate(['email,email_consent', `${email},unsubscribed`]);
      assert.equal(outcomes[`${email} email`], 'confirmed');
      assert.equal(consentOf(email), 'UNSUBSCRIBED');
    },
  );

  scenario('bug-2', 'a bad phone does not cost a person their e-mail consent', async () => {
    for (const invalidPhoneWithEmail of ['partial_failure', 'reject'] as const) {
      world.turn({ invalidPhoneWithEmail });
      const [broken = '', abroad = ''] = people(2);
      const { outcomes } = await world.migrate(
        [
          'email,phone_number,email_consent,sms_consent,whatsapp_consent',
          `${broken},+1201555,yes,yes,`,
          `${abroad},${NO_COUNTRY},yes,,yes`,
        ],
        { channels: ['email', 'sms', 'whatsapp'], timing: { confirmWithinMs: 1_500 } },
      );
      assert.deepEqual(outcomes, {
        [`${broken} email`]: 'confirmed',
        [`${broken} sms`]: 'phone_invalid',
        [`${abroad} email`]: 'confirmed',
        [`${abroad} whatsapp`]:
          invalidPhoneWithEmail === 'reject' ? 'klaviyo_refused_phone' : 'phone_dropped_by_klaviyo',
      });
      assert.equal(consentOf(broken), 'SUBSCRIBED');
      assert.equal(consentOf(abroad), 'SUBSCRIBED');
      assert.equal(world.profile(abroad).phone_number, null);
    }
  });

  scenario(
    'bug-3',
    'nobody is subscribed to texts only because the row has a phone number',
    async () => {
      const [blank = '', no = '', yes = ''] = people(3);
      const { outcomes } = await world.migrate(
        [
          'email,phone_number,email_consent,sms_consent',
          `${blank},+12015550110,yes,`,
          `${no},+12015550111,yes,no`,
          `${yes},+12015550112,yes,yes`,
        ],
        { channels: ['email', 'sms'] },
      );
      assert.deepEqual(outcomes, {
        [`${blank} email`]: 'confirmed',
        [`${no} email`]: 'confirmed',
        [`${yes} email`]: 'confirmed',
        [`${yes} sms`]: 'confirmed',
      });
      const texts = [blank, no, yes].map(
        (email) => world.profile(email).subscriptions.sms.marketing.consent,
      );
      assert.deepEqual(texts, ['NEVER_SUBSCRIBED', 'NEVER_SUBSCRIBED', 'SUBSCRIBED']);
      assert.deepEqual(carried(blank)[0]?.channels, ['email']);
    },
  );

  scenario('bug-4', 'a large source is sent in calls of a thousand people', async () => {
    const before = world.calls('bulk_subscribe_profiles');
    const many = people(2_001);
    const { report } = await world.migrate([
      'email,email_consent',
      ...many.map((email) => `${email},yes`),
    ]);
    assert.deepEqual(report.outcomes, { confirmed: 2_001 });
    assert.equal(world.calls('bulk_subscribe_profiles') - before, 3);
    assert.equal(consentOf(many.at(-1) ?? ''), 'SUBSCRIBED');
  });

  scenario('bug-4', 'the first row does not decide whether the others are historical', async () => {
    const [undated = '', old = '', older = ''] = people(3);
    const { outcomes } = await world.migrate(
      [
        'email,email_consent,email_consented_at',
        `${undated},yes,`,
        `${old},yes,2022-02-03T04:05:06Z`,
        `${older},yes,2012-02-03T04:05:06Z`,
      ],
      { listId: DOUBLE, historical: true, undated: 'list_only' },
    );
    assert.deepEqual(outcomes, {
      [`${undated} list`]: 'list_only',
      [`${old} email`]: 'confirmed',
      [`${older} email`]: 'confirmed',
    });
    assert.equal(consentOf(undated), 'NEVER_SUBSCRIBED');
    assert.deepEqual(carried(undated), []);
    for (const [email, year] of [
      [old, '2022'],
      [older, '2012'],
    ] as const) {
      assert.equal(carried(email)[0]?.historical_import, true);
      const { consent_timestamp } = world.profile(email).subscriptions.email.marketing;
      assert.equal(consent_timestamp?.slice(0, 4), year);
    }
    assert.deepEqual([...world.sandbox.account.messages()], []);
  });

  scenario('bug-4', 'ten runs into ten lists go in parallel', async () => {
    const { account } = world.sandbox;
    const members = people(10);
    const ended = await Promise.all(
      members.map((email, n) => {
        const listId = `SIDE${n}`;
        account.createList({ id: listId, name: listId, opt_in_process: 'single_opt_in' });
        return world.migrate(['email,email_consent', `${email},yes`], { listId });
      }),
    );
    for (const [n, email] of members.entries()) {
      assert.deepEqual(ended[n]?.outcomes, { [`${email} email`]: 'confirmed' });
      const lists = world.profile(email).lists.map(({ id }) => id);
      assert.deepEqual(lists, [`SIDE${n}`]);
    }
  });

  scenario('bug-5', 'a membership is reported only if it was made and read back', async () => {
    const { account } = world.sandbox;
    const [made = ''] = people(1);
    const dropped = made.replace('example.com', 'filtered.test');
    account.addFault({ endpoint: 'bulk_import_profiles', kind: '500', times: 1 });
    const { outcomes } = await world.migrate(
      ['email,email_consent', `${made},list_only`, `${dropped},list_only`],
      { timing: { membershipWithinMs: 1_500 } },
    );
    assert.deepEqual(outcomes, {
      [`${made} list`]: 'list_only',
      [`${dropped} list`]: 'klaviyo_refused_email',
    });
    assert.deepEqual(
      world.profile(made).lists.map(({ id }) => id),
      [SINGLE],
    );
    assert.equal(world.hasProfile(dropped), false);
  });

  scenario('bug-5', 'a deleted list stops the run instead of being skipped', async () => {
    const { account } = world.sandbox;
    account.createList({ id: 'GOING1', name: 'Going', opt_in_process: 'single_opt_in' });
    const [email = ''] = people(1);
    account.addFault({ endpoint: 'bulk_import_profiles', kind: 'delete_list', listId: 'GOING1' });
    const { outcomes, failure } = await world.migrate(
      ['email,email_consent', `${email},list_only`],
      { listId: 'GOING1' },
    );
    assert.match(failure ?? '', /bulk_import_profiles/);
    assert.deepEqual(outcomes, { [`${email} list`]: 'migration_stopped' });
    assert.equal(world.hasProfile(email), false);
  });
});
