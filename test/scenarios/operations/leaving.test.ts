import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { DEFAULT_SWITCHES } from 'klaviyo-sandbox';
import { SINGLE } from '../../support/harness.js';
import { people } from '../../support/people.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

describe('operations that take people out', () => {
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
  const isMember = (who: string) => world.profile(who).lists.some(({ id }) => id === SINGLE);
  const subscriber = (email: string, lists: string[] = [SINGLE]) =>
    world.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists });

  scenario(
    'operation-1',
    'an unsubscribe from the list ends that list alone, and never more for who is not on it',
    async () => {
      const [member = '', elsewhere = '', stranger = ''] = people(3);
      subscriber(member);
      subscriber(elsewhere, []);
      const { outcomes } = await world.migrate(
        [
          'email,email_consent',
          ...[member, elsewhere, stranger].map((email) => `${email},unsubscribed`),
        ],
        { unsubscribeFrom: 'list' },
      );
      assert.deepEqual(outcomes, {
        [`${member} email`]: 'confirmed',
        [`${elsewhere} email`]: 'not_on_list',
        [`${stranger} email`]: 'not_on_list',
      });
      assert.deepEqual([isMember(member), emailOf(member).consent], [false, 'SUBSCRIBED']);
      assert.equal(emailOf(elsewhere).consent, 'SUBSCRIBED');
      assert.equal(world.hasProfile(stranger), false);
    },
  );

  scenario(
    'operation-1',
    'who leaves the list while the run waits is not opted out of everything',
    async () => {
      const [stays = '', goes = ''] = people(2);
      for (const email of [stays, goes]) subscriber(email);
      const { harness } = world;
      const gate = harness.gates.close('get_profiles_for_list');
      const running = world.migrate(
        ['email,email_consent', ...[stays, goes].map((email) => `${email},unsubscribed`)],
        { unsubscribeFrom: 'list' },
      );
      await gate.reached;
      world.sandbox.account.unsubscribe({ email: goes, list_id: SINGLE });
      gate.open();
      const { outcomes } = await running;
      assert.deepEqual(outcomes, {
        [`${stays} email`]: 'confirmed',
        [`${goes} email`]: 'not_on_list',
      });
      assert.equal(emailOf(goes).consent, 'SUBSCRIBED');
    },
  );

  scenario('operation-1', 'without the list everybody is opted out of everything', async () => {
    const [member = '', elsewhere = ''] = people(2);
    subscriber(member);
    subscriber(elsewhere, []);
    const { report } = await world.migrate([
      'email,email_consent',
      ...[member, elsewhere].map((email) => `${email},unsubscribed`),
    ]);
    assert.deepEqual(report.outcomes, { confirmed: 2 });
    assert.deepEqual(
      [member, elsewhere].map((email) => emailOf(email).consent),
      ['UNSUBSCRIBED', 'UNSUBSCRIBED'],
    );
  });

  scenario(
    'operation-2',
    'a bare list of people is unsubscribed, from texts only where there is a number',
    async () => {
      const [both = '', mailed = ''] = people(2);
      const phone = '+12015550160';
      world.sandbox.account.seed({
        email: both,
        phone_number: phone,
        email_consent: 'SUBSCRIBED',
        sms_consent: 'SUBSCRIBED',
        sms_transactional_consent: 'SUBSCRIBED',
      });
      subscriber(mailed);
      const { id, outcomes } = await world.migrate(
        ['email,phone_number', `${both},${phone}`, `${mailed},`],
        { operation: 'unsubscribe', channels: ['email', 'sms'] },
      );
      assert.deepEqual(outcomes, {
        [`${both} email`]: 'confirmed',
        [`${both} sms`]: 'confirmed',
        [`${mailed} email`]: 'confirmed',
      });
      const plan = await world.harness.consentry.migrations.plan(id);
      assert.equal(plan?.leaveBothTexts, 1);
      const { sms } = world.profile(both).subscriptions;
      assert.deepEqual(
        [sms.marketing.consent, sms.transactional.consent],
        ['UNSUBSCRIBED', 'UNSUBSCRIBED'],
      );
    },
  );

  scenario('operation-3', 'a removal ends the membership and leaves consent as it is', async () => {
    const [subscribed = '', opted = '', elsewhere = '', stranger = ''] = people(4);
    subscriber(subscribed);
    world.sandbox.account.seed({ email: opted, email_consent: 'UNSUBSCRIBED', lists: [SINGLE] });
    subscriber(elsewhere, []);
    const { outcomes } = await world.migrate([
      'email,list',
      ...[subscribed, opted, elsewhere, stranger].map((email) => `${email},remove`),
    ]);
    assert.deepEqual(outcomes, {
      [`${subscribed} list`]: 'confirmed',
      [`${opted} list`]: 'confirmed',
      [`${elsewhere} list`]: 'not_on_list',
      [`${stranger} list`]: 'not_on_list',
    });
    assert.deepEqual([subscribed, opted].map(isMember), [false, false]);
    assert.deepEqual(
      [subscribed, opted, elsewhere].map((email) => emailOf(email).consent),
      ['SUBSCRIBED', 'UNSUBSCRIBED', 'SUBSCRIBED'],
    );
    assert.deepEqual(emailOf(subscribed).list_suppressions, []);
    assert.equal(world.hasProfile(stranger), false);
  });

  scenario(
    'operation-3',
    'a removal whose answer is lost is made again, and nobody is reported as never on the list',
    async () => {
      const members = people(30);
      for (const email of members) subscriber(email);
      for (const operation of ['remove_profiles_from_list', 'bulk_unsubscribe_profiles'] as const) {
        const some = members.splice(0, 15);
        world.sandbox.account.addFault({ endpoint: operation, kind: 'reset_after', times: 1 });
        const { report, parts } = await world.migrate(
          operation === 'remove_profiles_from_list'
            ? ['email,list', ...some.map((email) => `${email},remove`)]
            : ['email,email_consent', ...some.map((email) => `${email},unsubscribed`)],
          { unsubscribeFrom: 'list' },
        );
        assert.deepEqual(report.outcomes, { confirmed: 15 });
        assert.deepEqual(new Set(parts.map(({ reason }) => reason)), new Set([null]));
        assert.deepEqual(some.filter(isMember), []);
        assert.deepEqual(
          new Set(some.map((email) => emailOf(email).consent)),
          new Set(['SUBSCRIBED']),
        );
      }
    },
  );
});
