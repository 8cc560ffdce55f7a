import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { sql } from 'kysely';
import { workflowIds } from '../../../src/contracts/names.js';
import { DOUBLE, type Harness } from '../../support/harness.js';
import { outcomesOf } from '../../support/outcomes.js';
import { people } from '../../support/people.js';
import { TEST_TIMING } from '../../support/settings.js';
import { inPhase, until } from '../../workflows/phases.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

const ASKS = { listId: DOUBLE, optIn: 'double', timing: { confirmWithinMs: 800 } } as const;

describe('what people ask for: not to be asked every day', () => {
  let world: World;
  let harness: Harness;
  before(async () => {
    world = await startWorld({ clicks: { share: 0, delayMs: [0, 0] } });
    ({ harness } = world);
  });
  after(() => world.close());

  const rows = (addresses: readonly string[]) => [
    'email,email_consent',
    ...addresses.map((email) => `${email},yes`),
  ];
  /** How many messages an address or a number has got. */
  const messages = (to: string): number =>
    [...world.sandbox.account.messages()]
      .filter((message) => message.to === to)
      .reduce((sum, { count }) => Math.max(sum, count), 0);
  const daysPass = (days: number) =>
    sql`update consentry.asked set asked_at = asked_at - make_interval(days => ${days})`.execute(
      harness.ledger.db,
    );
  const planOf = async (id: string) => {
    const plan = await harness.consentry.migrations.plan(id);
    assert.ok(plan !== null);
    return plan;
  };

  scenario('wish-24', 'a run that is repeated every day asks nobody twice in a month', async () => {
    const [ada = '', bob = '', eve = ''] = people(3);
    await world.migrate(rows([ada, bob]), ASKS);
    await daysPass(29);
    const { id, outcomes, parts } = await world.migrate(rows([ada, bob, eve]), ASKS);
    assert.deepEqual(outcomes, {
      [`${ada} email`]: 'asked_already',
      [`${bob} email`]: 'asked_already',
      [`${eve} email`]: 'no_click_yet',
    });
    assert.ok(parts.every(({ outcome }) => outcome === 'pending_double_opt_in'));
    const ago = Date.now() - (parts[0]?.askedAt?.getTime() ?? 0);
    assert.equal(Math.round(ago / 86_400_000), 29);
    const { askedAlready, doubleOptInMessages } = await planOf(id);
    assert.deepEqual([askedAlready, doubleOptInMessages], [2, 1]);
    assert.deepEqual([ada, bob, eve].map(messages), [1, 1, 1]);
    await daysPass(1);
    const later = await world.migrate(rows([ada, bob, eve]), ASKS);
    assert.equal(later.outcomes[`${ada} email`], 'no_click_yet');
    assert.equal(later.outcomes[`${eve} email`], 'asked_already');
    assert.deepEqual([ada, bob, eve].map(messages), [2, 2, 1]);
  });

  scenario(
    'wish-24',
    'how long nobody is asked again can be said, down to not at all',
    async () => {
      const [ada = ''] = people(1);
      const ask = async (askAgainDays: number) =>
        (await world.migrate(rows([ada]), { ...ASKS, askAgainDays })).outcomes[`${ada} email`];
      assert.equal(await ask(7), 'no_click_yet');
      await daysPass(6);
      assert.equal(await ask(7), 'asked_already');
      assert.equal(await ask(6), 'no_click_yet');
      assert.equal(await ask(0), 'no_click_yet');
      assert.equal(messages(ada), 3);
    },
  );

  scenario(
    'wish-24',
    'who has clicked or opted out since they were asked is neither asked nor pending',
    async () => {
      const [clicked = '', out = '', gone = '', waits = ''] = people(4);
      for (const email of [out, gone]) world.sandbox.account.seed({ email });
      const all = [clicked, out, gone, waits];
      await world.migrate(rows(all), ASKS);
      world.sandbox.account.click({ email: clicked });
      world.sandbox.account.unsubscribe({ email: out });
      world.sandbox.account.suppress({ email: gone });
      await delay(200);
      const { outcomes } = await world.migrate(rows(all), ASKS);
      assert.deepEqual(outcomes, {
        [`${clicked} email`]: 'already_consented',
        [`${out} email`]: 'opted_out_before_run',
        [`${gone} email`]: 'suppressed',
        [`${waits} email`]: 'asked_already',
      });
      assert.deepEqual(all.map(messages), [1, 1, 1, 1]);
    },
  );

  scenario('wish-24', 'two runs at the same moment ask each person once', async () => {
    const [ada = '', bob = ''] = people(2);
    const waiting: string[] = [];
    for (const [n, addresses] of [
      [ada, bob],
      [bob, ada],
    ].entries()) {
      const { id } = await harness.consentry.migrations.start({
        ...ASKS,
        file: await harness.source(`moment-${n}.csv`, rows(addresses)),
        timing: { ...TEST_TIMING, ...ASKS.timing },
        approvalAbove: 0,
      });
      await inPhase(harness, id, 'approval');
      waiting.push(id);
    }
    const plans = await Promise.all(waiting.map(planOf));
    assert.deepEqual(
      plans.map(({ doubleOptInMessages }) => doubleOptInMessages),
      [2, 2],
    );
    await Promise.all(waiting.map((id) => harness.consentry.migrations.approve(id)));
    await Promise.all(waiting.map((id) => harness.consentry.migrations.waitForEnd(id)));
    const ended = await Promise.all(waiting.map((id) => outcomesOf(harness.ledger, id)));
    for (const email of [ada, bob]) {
      const ends = ended.map((outcomes) => outcomes[`${email} email`]).sort();
      assert.deepEqual(ends, ['asked_already', 'no_click_yet']);
      assert.equal(messages(email), 1);
    }
  });

  scenario('wish-24', 'who is not asked again is watched for the click all the same', async () => {
    const [ada = ''] = people(1);
    await world.migrate(rows([ada]), ASKS);
    const { id, outcomes } = await world.migrate(rows([ada]), {
      ...ASKS,
      timing: { ...ASKS.timing, watchForMs: 20_000, watchFirstMs: 200, watchLongestMs: 200 },
    });
    assert.deepEqual(outcomes, { [`${ada} email`]: 'asked_already' });
    world.sandbox.account.click({ email: ada });
    await until('the click', async () => {
      const now = await outcomesOf(harness.ledger, id);
      return now[`${ada} email`] === 'confirmed';
    });
    assert.equal(messages(ada), 1);
  });

  scenario('wish-24', 'a dry run asks nobody, says who was asked, and watches nobody', async () => {
    const [ada = '', bob = ''] = people(2);
    await world.migrate(rows([ada]), ASKS);
    const { id } = await world.migrate(rows([ada, bob]), {
      ...ASKS,
      dryRun: true,
      timing: { ...ASKS.timing, watchForMs: 20_000 },
    });
    const { askedAlready, doubleOptInMessages } = await planOf(id);
    assert.deepEqual([askedAlready, doubleOptInMessages], [1, 1]);
    const watch = harness.client.workflow.getHandle(workflowIds.watch(id));
    await assert.rejects(watch.describe(), WorkflowNotFoundError);
    const { outcomes } = await world.migrate(rows([ada, bob]), ASKS);
    assert.deepEqual(outcomes, {
      [`${ada} email`]: 'asked_already',
      [`${bob} email`]: 'no_click_yet',
    });
  });

  scenario('wish-24', 'who is asked for as one person gets the message again', async () => {
    const [ada = ''] = people(1);
    await world.migrate(rows([ada]), ASKS);
    const { id } = await harness.consentry.people.change({
      person: { by: 'email', value: ada },
      operation: 'subscribe',
      ...ASKS,
      timing: { ...TEST_TIMING, ...ASKS.timing },
    });
    await harness.consentry.migrations.waitForEnd(id);
    assert.equal(messages(ada), 2);
  });
});
