import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_SWITCHES } from 'klaviyo-sandbox';
import { SINGLE } from '../../support/harness.js';
import { inPhase } from '../../workflows/phases.js';
import { outcomesOf } from '../../support/outcomes.js';
import { MigrationStoppedError } from '../../../src/starter/stopped.js';
import { people } from '../../support/people.js';
import { TEST_TIMING } from '../../support/settings.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

describe('operations while something else changes the same people', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  afterEach(() => {
    world.turn(DEFAULT_SWITCHES);
    world.sandbox.account.clearFaults();
    world.harness.gates.openAll();
  });
  after(() => world.close());

  const emailOf = (who: string) => world.profile(who).subscriptions.email.marketing;
  const isMember = (who: string) => world.profile(who).lists.some(({ id }) => id === SINGLE);
  const subscriber = (email: string, lists: string[] = [SINGLE]) =>
    world.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists });

  scenario(
    'operation-4',
    'a suppression counts for everything, even in a run that unsubscribes from its list alone',
    async () => {
      const [email = ''] = people(1);
      const gate = world.harness.gates.close('bulk_suppress_profiles');
      const suppressing = world.migrate(['email,suppressed', `${email},yes`], {
        unsubscribeFrom: 'list',
      });
      await gate.reached;
      const { id: listId } = world.sandbox.account.createList({
        name: 'Another',
        opt_in_process: 'single_opt_in',
      });
      const { outcomes } = await world.migrate(['email,email_consent', `${email},yes`], { listId });
      gate.open();
      await suppressing;
      assert.deepEqual(outcomes, { [`${email} email`]: 'opted_out_during_run' });
      assert.equal(emailOf(email).consent, 'NEVER_SUBSCRIBED');
    },
  );

  /** A run that lifts the suppression of an address, and waits to be approved. */
  async function waitingLift(email: string): Promise<string> {
    const { harness } = world;
    const file = await harness.source(`lift-${email}.csv`, ['email', email]);
    const { id } = await harness.consentry.migrations.start({
      file,
      operation: 'unsuppress',
      approvalAbove: 0,
      timing: TEST_TIMING,
    });
    await inPhase(harness, id, 'approval');
    return id;
  }

  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const suppressed = (email: string, at: string) =>
    world.sandbox.account.seed({
      email,
      email_consent: 'SUBSCRIBED',
      suppressions: ['USER_SUPPRESSED'],
      consent_timestamp: at,
    });

  scenario(
    'operation-5',
    'a suppression that another run asks for while a lift waits is kept, though it shows already',
    async () => {
      const [email = ''] = people(1);
      suppressed(email, minutesAgo(60));
      const id = await waitingLift(email);
      const { parts } = await world.migrate(['email', email], { operation: 'suppress' });
      assert.deepEqual(
        parts.map(({ outcome, reason, sent }) => [outcome, reason, sent]),
        [['confirmed', null, true]],
      );
      await world.harness.consentry.migrations.approve(id);
      await world.harness.consentry.migrations.waitForEnd(id);
      assert.deepEqual(await outcomesOf(world.harness.ledger, id), {
        [`${email} suppression`]: 'opted_out_during_run',
      });
      assert.deepEqual(
        emailOf(email).suppression.map(({ reason }) => reason),
        ['USER_SUPPRESSED'],
      );
    },
  );

  scenario(
    'operation-5',
    'a retry lifts no suppression that is newer than the run that it retries',
    async () => {
      const [email = ''] = people(1);
      const { ledger, consentry } = world.harness;
      const { migrations } = consentry;
      suppressed(email, minutesAgo(5));
      const id = await waitingLift(email);
      await migrations.cancel(id);
      await migrations.waitForEnd(id).catch((error: unknown) => {
        if (!(error instanceof MigrationStoppedError)) throw error;
      });
      // As if that run were older than the suppression.
      await ledger.pool.query(
        "update consentry.run set created_at = created_at - interval '10 minutes' where id = $1",
        [id],
      );
      const retry = await migrations.retryFailed(id, { timing: TEST_TIMING });
      await migrations.waitForEnd(retry.id);
      assert.deepEqual(await outcomesOf(world.harness.ledger, retry.id), {
        [`${email} suppression`]: 'opted_out_during_run',
      });
      assert.equal(emailOf(email).suppression.length, 1);
    },
  );

  scenario(
    'operation-1',
    'an unsubscribe from the list whose answer is lost is read back before it is made again',
    async () => {
      const [email = ''] = people(1);
      subscriber(email);
      world.sandbox.account.addFault({
        endpoint: 'bulk_unsubscribe_profiles',
        kind: 'reset_before',
        times: 1,
      });
      const again = world.harness.gates.close('bulk_unsubscribe_profiles', 1);
      const running = world.migrate(['email,email_consent', `${email},unsubscribed`], {
        unsubscribeFrom: 'list',
        timing: { ...TEST_TIMING, lostAnswerWaitMs: 6_000 },
      });
      // Klaviyo applies the lost call seconds later.
      await Promise.race([again.reached, delay(4_000)]);
      world.sandbox.account.unsubscribe({ email, list_id: SINGLE });
      again.open();
      const { outcomes } = await running;
      assert.deepEqual(outcomes, { [`${email} email`]: 'confirmed' });
      assert.deepEqual([isMember(email), emailOf(email).consent], [false, 'SUBSCRIBED']);
    },
  );

  scenario(
    'operation-1',
    'an unsubscribe from the list by number is read back by that number',
    async () => {
      const [other = '', mine = ''] = people(2);
      const phone = '+12015550170';
      const { account } = world.sandbox;
      account.seed({
        email: mine,
        phone_number: phone,
        sms_consent: 'SUBSCRIBED',
        lists: [SINGLE],
      });
      world.turn({ acceptedRows: 'lost' });
      const { outcomes } = await world.migrate(
        ['email,phone_number,sms_consent', `${other},${phone},unsubscribed`],
        {
          channels: ['sms'],
          unsubscribeFrom: 'list',
          timing: { ...TEST_TIMING, confirmWithinMs: 2_000 },
        },
      );
      assert.deepEqual(outcomes, { [`${other} sms`]: 'unconfirmed' });
      assert.equal(isMember(mine), true);
    },
  );

  scenario(
    'operation-1',
    'two rows of one profile leave the list once, and not everything',
    async () => {
      const [email = ''] = people(1);
      const phone = '+12015550172';
      world.sandbox.account.seed({
        email,
        phone_number: phone,
        email_consent: 'SUBSCRIBED',
        sms_consent: 'SUBSCRIBED',
        lists: [SINGLE],
      });
      const { outcomes } = await world.migrate(
        [
          'email,phone_number,email_consent,sms_consent',
          `${email},,unsubscribed,`,
          `,${phone},,unsubscribed`,
        ],
        { channels: ['email', 'sms'], unsubscribeFrom: 'list' },
      );
      assert.deepEqual(outcomes, {
        [`${email} email`]: 'confirmed',
        [`${phone} sms`]: 'confirmed',
      });
      const { subscriptions } = world.profile(email);
      assert.deepEqual(
        [subscriptions.email.marketing.consent, subscriptions.sms.marketing.consent],
        ['SUBSCRIBED', 'SUBSCRIBED'],
      );
    },
  );

  scenario(
    'operation-1',
    'an address of two profiles leaves the list only if both are on it',
    async () => {
      world.turn({ sameIdentifier: 'all' });
      const [email = ''] = people(1);
      const { account } = world.sandbox;
      subscriber(email);
      account.seed({ email, email_consent: 'SUBSCRIBED', lists: [], separate_profile: true });
      const { outcomes } = await world.migrate(['email,email_consent', `${email},unsubscribed`], {
        unsubscribeFrom: 'list',
      });
      assert.deepEqual(outcomes, { [`${email} email`]: 'not_on_list' });
      assert.deepEqual(
        account.truthsFor({ email }).map((one) => one.subscriptions.email.marketing.consent),
        ['SUBSCRIBED', 'SUBSCRIBED'],
      );
    },
  );

  scenario(
    'operation-3',
    'a removal is about the address of a row, and not about whoever has its number',
    async () => {
      const [email = '', other = ''] = people(2);
      const phone = '+12015550171';
      const { account } = world.sandbox;
      account.seed({ email: other, phone_number: phone, lists: [SINGLE] });
      const { outcomes } = await world.migrate(
        ['email,phone_number,sms_consent,list', `${email},${phone},unsubscribed,remove`],
        { channels: ['email', 'sms'] },
      );
      assert.deepEqual(outcomes, {
        [`${email} list`]: 'not_on_list',
        [`${email} sms`]: 'confirmed',
      });
      assert.equal(isMember(other), true);
    },
  );

  scenario(
    'operation-3',
    'who is deleted between the look-up and the removal does not stop the others',
    async () => {
      const [gone = '', stays = '', merged = ''] = people(3);
      for (const email of [gone, stays, merged]) subscriber(email);
      const { account } = world.sandbox;
      const gate = world.harness.gates.close('remove_profiles_from_list');
      const running = world.migrate([
        'email,list',
        ...[gone, stays, merged].map((email) => `${email},remove`),
      ]);
      await gate.reached;
      for (const value of [gone, merged]) account.deleting.accept({ field: 'email', value });
      while (world.hasProfile(gone) || world.hasProfile(merged)) await delay(20);
      // The same person under a new id.
      subscriber(merged);
      gate.open();
      const { outcomes, failure } = await running;
      assert.equal(failure, null);
      assert.deepEqual(outcomes, {
        [`${gone} list`]: 'not_on_list',
        [`${stays} list`]: 'confirmed',
        [`${merged} list`]: 'confirmed',
      });
      assert.deepEqual([stays, merged].map(isMember), [false, false]);
    },
  );
});
