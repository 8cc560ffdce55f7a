import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { DOUBLE, SINGLE } from '../../support/harness.js';
import { outcomesOf } from '../../support/outcomes.js';
import { people } from '../../support/people.js';
import { startRun } from '../../support/runs.js';
import { TEST_TIMING } from '../../support/settings.js';
import { inPhase } from '../../workflows/phases.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

const OLD = 'OLDLST';
const MOVES = { listId: SINGLE, moveFrom: OLD } as const;

describe('moving people from list to list', () => {
  let world: World;
  before(async () => {
    world = await startWorld({ filteredDomains: ['filtered.test'] });
    world.sandbox.account.createList({ id: OLD, name: 'Old', opt_in_process: 'single_opt_in' });
  });
  after(() => world.close());

  const onLists = (who: string) =>
    world
      .profile(who)
      .lists.map(({ id }) => id)
      .sort();
  const consentOf = (who: string) => world.profile(who).subscriptions.email.marketing.consent;
  const seed = (email: string, lists: string[] = [OLD], email_consent = 'SUBSCRIBED' as const) =>
    world.sandbox.account.seed({ email, email_consent, lists });

  scenario(
    'operation-9',
    'people are taken off the old list after they were read on the new one',
    async () => {
      const [subscribed = '', never = '', both = '', elsewhere = '', stranger = ''] = people(5);
      seed(subscribed);
      world.sandbox.account.seed({ email: never, lists: [OLD] });
      seed(both, [OLD, SINGLE]);
      seed(elsewhere, [DOUBLE]);
      const all = [subscribed, never, both, elsewhere, stranger];
      const { id, outcomes } = await world.migrate(['email', ...all], MOVES);
      assert.deepEqual(
        outcomes,
        Object.fromEntries(
          all.flatMap((email) => [
            [`${email} list`, 'list_only'],
            [
              `${email} old_list`,
              email === elsewhere || email === stranger ? 'not_on_list' : 'confirmed',
            ],
          ]),
        ),
      );
      assert.deepEqual(all.map(onLists), [
        [SINGLE],
        [SINGLE],
        [SINGLE],
        [DOUBLE, SINGLE],
        [SINGLE],
      ]);
      assert.deepEqual(all.map(consentOf), [
        'SUBSCRIBED',
        'NEVER_SUBSCRIBED',
        'SUBSCRIBED',
        'SUBSCRIBED',
        'NEVER_SUBSCRIBED',
      ]);
      const plan = await world.harness.consentry.migrations.plan(id);
      assert.deepEqual(
        plan?.toSend.map(({ channel, operation, parts }) => [channel, operation, parts]),
        [
          ['old_list', 'remove_from_list', 5],
          ['list', 'add_to_list', 5],
        ],
      );
    },
  );

  scenario(
    'operation-9',
    'nobody leaves the old list while anybody is still on the way to the new one',
    async () => {
      const { harness } = world;
      const [first = '', last = ''] = people(2);
      for (const email of [first, last]) seed(email);
      const removals = world.calls('remove_profiles_from_list');
      // The second of two jobs waits with its people, while the first has everybody on the new list.
      const gate = harness.gates.close('bulk_import_profiles', 1);
      const running = world.migrate(['email', first, last], { ...MOVES, rowsPerJob: 1 });
      await gate.reached;
      assert.deepEqual(
        [first, last].filter((email) => !onLists(email).includes(OLD)),
        [],
      );
      assert.equal(world.calls('remove_profiles_from_list'), removals);
      gate.open();
      await running;
      assert.deepEqual([first, last].map(onLists), [[SINGLE], [SINGLE]]);
    },
  );

  scenario('operation-9', 'who does not arrive on the new list stays on the old one', async () => {
    const [moves = '', out = '', left = '', twin = ''] = people(4);
    const refused = 'ada@filtered.test';
    for (const email of [moves, refused]) seed(email);
    world.sandbox.account.seed({ email: out, email_consent: 'UNSUBSCRIBED', lists: [OLD] });
    // Left the old list alone: mail to the new one would reach them again.
    seed(left, [OLD, DOUBLE]);
    world.sandbox.account.unsubscribe({ email: left, list_id: OLD });
    // An address of two profiles, both on the old list: an import adds one of them.
    seed(twin);
    world.sandbox.account.seed({ email: twin, lists: [OLD], separate_profile: true });
    const { outcomes } = await world.migrate(['email', moves, out, left, twin, refused], {
      ...MOVES,
      timing: { membershipWithinMs: 1_500 },
    });
    assert.deepEqual(outcomes, {
      [`${moves} list`]: 'list_only',
      [`${moves} old_list`]: 'confirmed',
      [`${out} list`]: 'opted_out_before_run',
      [`${out} old_list`]: 'not_moved',
      [`${left} list`]: 'opted_out_before_run',
      [`${left} old_list`]: 'not_on_list',
      [`${twin} list`]: 'list_only',
      [`${twin} old_list`]: 'not_moved',
      [`${refused} list`]: 'klaviyo_refused_email',
      [`${refused} old_list`]: 'not_moved',
    });
    assert.deepEqual([moves, out, left, refused].map(onLists), [[SINGLE], [OLD], [DOUBLE], [OLD]]);
  });

  scenario(
    'operation-9',
    'who leaves the old list while the run waits is not put on the new one',
    async () => {
      const { harness } = world;
      const [stays = '', leaves = ''] = people(2);
      for (const email of [stays, leaves]) seed(email);
      const id = await startRun(harness, [stays, leaves], { ...MOVES, approvalAbove: 0 });
      await inPhase(harness, id, 'approval');
      world.sandbox.account.unsubscribe({ email: leaves, list_id: OLD });
      await harness.consentry.migrations.approve(id);
      await harness.consentry.migrations.waitForEnd(id);
      assert.deepEqual(await outcomesOf(harness.ledger, id), {
        [`${stays} list`]: 'list_only',
        [`${stays} old_list`]: 'confirmed',
        [`${leaves} list`]: 'opted_out_during_run',
        [`${leaves} old_list`]: 'not_on_list',
      });
      assert.deepEqual([stays, leaves].map(onLists), [[SINGLE], []]);
    },
  );

  scenario(
    'operation-9',
    'a move that is cancelled half-way leaves people on both lists, and a retry ends it',
    async () => {
      const { harness } = world;
      const [ada = ''] = people(1);
      seed(ada);
      const gate = harness.gates.close('bulk_import_profiles');
      const id = await startRun(harness, [ada], MOVES);
      await gate.reached;
      await harness.consentry.migrations.cancel(id);
      gate.open();
      await harness.consentry.migrations.waitForEnd(id);
      assert.deepEqual(await outcomesOf(harness.ledger, id), {
        [`${ada} list`]: 'list_only',
        [`${ada} old_list`]: 'cancelled_before_sending',
      });
      assert.deepEqual(onLists(ada), [OLD, SINGLE].sort());
      const retry = await harness.consentry.migrations.retryFailed(id, { timing: TEST_TIMING });
      await harness.consentry.migrations.waitForEnd(retry.id);
      assert.deepEqual(await outcomesOf(harness.ledger, retry.id), {
        [`${ada} old_list`]: 'confirmed',
      });
      assert.deepEqual(onLists(ada), [SINGLE]);
    },
  );

  scenario(
    'operation-9',
    'two runs that move people to each other’s list exclude each other',
    async () => {
      const { harness } = world;
      const [ada = ''] = people(1);
      seed(ada, [OLD, SINGLE]);
      const gate = harness.gates.close('bulk_import_profiles');
      const id = await startRun(harness, [ada], MOVES);
      await gate.reached;
      const { failure } = await world.migrate(['email', ada], { listId: OLD, moveFrom: SINGLE });
      assert.ok(failure?.includes(`Migration ${id} moves people from list ${OLD}`), failure ?? '');
      gate.open();
      await harness.consentry.migrations.waitForEnd(id);
      assert.deepEqual(onLists(ada), [SINGLE]);
    },
  );
});
