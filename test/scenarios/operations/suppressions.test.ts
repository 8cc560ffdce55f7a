import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { DEFAULT_SWITCHES } from 'klaviyo-sandbox';
import { SINGLE } from '../../support/harness.js';
import { people } from '../../support/people.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

const LONG_AGO = '2024-01-02T03:04:05Z';

describe('operations on suppressions and lists', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  afterEach(() => {
    world.turn(DEFAULT_SWITCHES);
    world.sandbox.account.clearFaults();
  });
  after(() => world.close());

  const emailOf = (who: string) => world.profile(who).subscriptions.email.marketing;
  const reasonsOf = (who: string) => emailOf(who).suppression.map(({ reason }) => reason);
  const isMember = (who: string) => world.profile(who).lists.some(({ id }) => id === SINGLE);

  scenario(
    'operation-4',
    'who is suppressed is unsubscribed at once, if the run asks for it',
    async () => {
      for (const floor of ['unsubscribe', null] as const) {
        const [email = ''] = people(1);
        world.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
        const { outcomes } = await world.migrate(['email', email], {
          operation: 'suppress',
          floor,
        });
        assert.deepEqual(outcomes, {
          ...(floor === null ? {} : { [`${email} email`]: 'confirmed' }),
          [`${email} suppression`]: 'confirmed',
        });
        assert.equal(emailOf(email).consent, floor === null ? 'SUBSCRIBED' : 'UNSUBSCRIBED');
        assert.ok(reasonsOf(email).includes('USER_SUPPRESSED'));
      }
    },
  );

  scenario(
    'operation-5',
    'only suppressions by hand are lifted, and nobody is subscribed by it',
    async () => {
      const [subscribed = '', never = '', out = '', bounced = '', free = '', stranger = ''] =
        people(6);
      const by = (suppressions: ('USER_SUPPRESSED' | 'HARD_BOUNCE')[]) => ({
        suppressions,
        consent_timestamp: LONG_AGO,
      });
      const { account } = world.sandbox;
      account.seed({ email: subscribed, email_consent: 'SUBSCRIBED', ...by(['USER_SUPPRESSED']) });
      account.seed({ email: never, ...by(['USER_SUPPRESSED']) });
      account.seed({ email: out, email_consent: 'UNSUBSCRIBED', ...by(['USER_SUPPRESSED']) });
      account.seed({ email: bounced, email_consent: 'SUBSCRIBED', ...by(['HARD_BOUNCE']) });
      account.seed({ email: free, email_consent: 'SUBSCRIBED' });
      const all = [subscribed, never, out, bounced, free, stranger];
      const { id, outcomes } = await world.migrate([
        'email,suppressed',
        ...all.map((email) => `${email},lifted`),
      ]);
      assert.deepEqual(outcomes, {
        [`${subscribed} suppression`]: 'confirmed',
        [`${never} suppression`]: 'confirmed',
        [`${out} suppression`]: 'confirmed',
        [`${bounced} suppression`]: 'suppression_not_by_hand',
        [`${free} suppression`]: 'not_suppressed',
        [`${stranger} suppression`]: 'not_suppressed',
      });
      assert.deepEqual([subscribed, never, out, bounced].map(reasonsOf), [
        [],
        [],
        ['UNSUBSCRIBE'],
        ['HARD_BOUNCE'],
      ]);
      assert.deepEqual(
        [subscribed, never, out].map((email) => emailOf(email).consent),
        ['SUBSCRIBED', 'NEVER_SUBSCRIBED', 'UNSUBSCRIBED'],
      );
      assert.equal(world.hasProfile(stranger), false);
      const plan = await world.harness.consentry.migrations.plan(id);
      assert.deepEqual(plan?.madeReachable, { subscribed: 1, neverSubscribed: 1 });
    },
  );

  scenario(
    'operation-5',
    'a suppression that is made while the run waits is not lifted',
    async () => {
      const [before = '', meanwhile = ''] = people(2);
      const { account } = world.sandbox;
      // Klaviyo's time is known to a second or two: what was just before the run may be after it.
      account.seed({
        email: before,
        email_consent: 'SUBSCRIBED',
        suppressions: ['USER_SUPPRESSED'],
        consent_timestamp: LONG_AGO,
      });
      account.seed({ email: meanwhile, email_consent: 'SUBSCRIBED' });
      const gate = world.harness.gates.close('get_profiles');
      const running = world.migrate([
        'email,suppressed',
        ...[before, meanwhile].map((email) => `${email},lifted`),
      ]);
      await gate.reached;
      account.suppress({ email: meanwhile });
      gate.open();
      const { outcomes } = await running;
      assert.equal(outcomes[`${meanwhile} suppression`], 'opted_out_during_run');
      assert.deepEqual(reasonsOf(meanwhile), ['USER_SUPPRESSED']);
      assert.equal(outcomes[`${before} suppression`], 'confirmed');
      assert.deepEqual(reasonsOf(before), []);
    },
  );

  scenario('operation-5', 'lifting a suppression waits until Klaviyo shows it', async () => {
    for (const suppressionJobStatus of ['lies', 'honest'] as const) {
      world.turn({ suppressionJobStatus });
      const [email = ''] = people(1);
      world.sandbox.account.seed({
        email,
        email_consent: 'SUBSCRIBED',
        suppressions: ['USER_SUPPRESSED'],
        consent_timestamp: LONG_AGO,
      });
      world.sandbox.account.addFault({
        endpoint: 'bulk_unsuppress_profiles',
        kind: 'reset_after',
        times: 1,
      });
      const { parts } = await world.migrate(['email', email], { operation: 'unsuppress' });
      assert.deepEqual(
        parts.map(({ outcome, settledBy }) => [outcome, settledBy]),
        [['confirmed', 'profile_lookup']],
      );
      assert.deepEqual(reasonsOf(email), []);
    }
  });

  scenario(
    'operation-6',
    'one file does everything, and what takes people out is sent before what brings them in',
    async () => {
      const { account } = world.sandbox;
      const names = ['suppress', 'leave', 'remove', 'lift', 'add', 'subscribe'] as const;
      const emails = people(names.length);
      const who = Object.fromEntries(names.map((name, n) => [name, emails[n]!])) as Record<
        (typeof names)[number],
        string
      >;
      for (const name of ['suppress', 'leave', 'remove'] as const) {
        account.seed({ email: who[name], email_consent: 'SUBSCRIBED', lists: [SINGLE] });
      }
      account.seed({
        email: who.lift,
        email_consent: 'SUBSCRIBED',
        suppressions: ['USER_SUPPRESSED'],
        consent_timestamp: LONG_AGO,
      });
      const { id, outcomes } = await world.migrate([
        'email,email_consent,suppressed,list',
        `${who.subscribe},yes,,`,
        `${who.add},,,add`,
        `${who.lift},,lifted,`,
        `${who.remove},,,remove`,
        `${who.leave},unsubscribed,,`,
        `${who.suppress},,yes,`,
      ]);
      assert.deepEqual(outcomes, {
        [`${who.subscribe} email`]: 'confirmed',
        [`${who.add} list`]: 'list_only',
        [`${who.lift} suppression`]: 'confirmed',
        [`${who.remove} list`]: 'confirmed',
        [`${who.leave} email`]: 'confirmed',
        [`${who.suppress} suppression`]: 'confirmed',
      });
      const plan = await world.harness.consentry.migrations.plan(id);
      assert.deepEqual(
        plan?.jobs.map(({ operation }) => operation),
        ['suppress', 'unsubscribe', 'remove_from_list', 'unsuppress', 'add_to_list', 'subscribe'],
      );
      assert.deepEqual(
        names.map((name) => [emailOf(who[name]).consent, isMember(who[name])]),
        [
          ['SUBSCRIBED', true],
          ['UNSUBSCRIBED', true],
          ['SUBSCRIBED', false],
          ['SUBSCRIBED', false],
          ['NEVER_SUBSCRIBED', true],
          ['SUBSCRIBED', true],
        ],
      );
    },
  );

  scenario(
    'operation-7',
    'a person whom one row takes out is not brought in by another',
    async () => {
      const [suppressed = '', leaves = '', removed = '', unclear = ''] = people(4);
      const { outcomes } = await world.migrate([
        'email,email_consent,suppressed,list',
        `${suppressed},yes,,`,
        `${suppressed},,lifted,add`,
        `${suppressed},,yes,`,
        `${leaves},unsubscribed,,`,
        `${leaves},,,add`,
        `${removed},yes,,`,
        `${removed},,,add`,
        `${removed},,,remove`,
        `${unclear},yes,,`,
        `${unclear},,,out`,
      ]);
      assert.deepEqual(outcomes, {
        [`${suppressed} email`]: 'conflicting_opt_out',
        [`${suppressed} suppression`]: 'conflicting_opt_out',
        [`${suppressed} list`]: 'conflicting_opt_out',
        [`${suppressed} suppression (2)`]: 'confirmed',
        [`${leaves} email`]: 'confirmed',
        [`${leaves} list`]: 'conflicting_opt_out',
        [`${removed} email`]: 'conflicting_removal',
        [`${removed} list`]: 'conflicting_removal',
        [`${removed} list (2)`]: 'not_on_list',
        [`${unclear} email`]: 'conflicting_removal',
        [`${unclear} list`]: 'list_value_unknown',
      });
      assert.equal(world.hasProfile(removed), false);
      assert.equal(world.hasProfile(unclear), false);
    },
  );
});
