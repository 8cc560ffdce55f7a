import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { DOUBLE, SINGLE } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

const HEADER = 'email,email_consent';
const SOON = { ...TEST_TIMING, confirmWithinMs: 1_200 };
const INTO_DOUBLE = { listId: DOUBLE, optIn: 'double', timing: SOON } as const;

describe('what a subscribe does, and when: live consent', () => {
  let world: World;
  before(async () => {
    world = await startWorld({
      clicks: { share: 0, delayMs: [0, 0] },
      filteredDomains: ['filtered.test'],
    });
  });
  after(() => world.close());

  const held = (email: string) => world.profile(email).subscriptions.email.marketing;
  const messages = (email: string) =>
    [...world.sandbox.account.messages()].filter(({ to }) => to === email);

  scenario(
    'effect-1',
    'nobody is confirmed before Klaviyo shows it, however long that takes',
    async () => {
      const { delays } = world.sandbox.account.settings;
      delays.subscribeLive = [1_000, 1_500];
      const start = Date.now();
      const { outcomes, parts } = await world.migrate([HEADER, 'slow1@example.com,yes']);
      assert.deepEqual(outcomes, { 'slow1@example.com email': 'confirmed' });
      assert.equal(held('slow1@example.com').consent, 'SUBSCRIBED');
      const readAt = parts[0]?.readAt?.getTime() ?? 0;
      assert.ok(readAt >= start + 1_000, `it was read ${readAt - start} ms after the start`);
      delays.subscribeLive = [30, 150];
    },
  );

  scenario(
    'effect-1',
    'what shows after the deadline is unconfirmed, and found by the next run',
    async () => {
      const { delays } = world.sandbox.account.settings;
      delays.subscribeLive = [3_000, 3_000];
      const late = ['email,email_consent', 'late1@example.com,yes'];
      const first = await world.migrate(late, { timing: SOON });
      assert.deepEqual(first.outcomes, { 'late1@example.com email': 'unconfirmed' });
      assert.ok(!world.hasProfile('late1@example.com'), 'it was not there when it was given up');
      delays.subscribeLive = [30, 150];
      world.sandbox.account.advance(5_000);
      assert.equal(held('late1@example.com').consent, 'SUBSCRIBED');
      const second = await world.migrate(late);
      assert.equal(second.outcomes['late1@example.com email'], 'already_consented');
      const { account } = world.sandbox;
      const times = [...account.subscribed()].filter(({ email }) => email === 'late1@example.com');
      assert.equal(times.length, 1);
    },
  );

  scenario(
    'effect-2',
    'before the click there is only a message, and the row is pending',
    async () => {
      world.sandbox.account.seed({ email: 'known2@example.com' });
      const { outcomes } = await world.migrate(
        [HEADER, 'new2@example.com,yes', 'known2@example.com,yes'],
        INTO_DOUBLE,
      );
      assert.deepEqual(outcomes, {
        'new2@example.com email': 'no_click_yet',
        'known2@example.com email': 'no_click_yet',
      });
      assert.ok(!world.hasProfile('new2@example.com'));
      const known = world.profile('known2@example.com');
      assert.equal(known.subscriptions.email.marketing.consent, 'NEVER_SUBSCRIBED');
      assert.deepEqual(known.lists, []);
      for (const who of ['new2', 'known2']) {
        const [message] = messages(`${who}@example.com`);
        assert.equal(message?.count, 1);
        assert.equal(message.list_id, DOUBLE);
      }
    },
  );

  scenario(
    'effect-2',
    'somebody who is asked a second time still needs only one click',
    async () => {
      for (const repeatDoubleOptInMessage of [true, false]) {
        world.turn({ repeatDoubleOptInMessage });
        const email = `again2-${repeatDoubleOptInMessage}@example.com`;
        const lines = [HEADER, `${email},yes`];
        await world.migrate(lines, INTO_DOUBLE);
        const again = { ...INTO_DOUBLE, customSource: 'Again', askAgainDays: 0 };
        const { outcomes } = await world.migrate(lines, again);
        assert.deepEqual(outcomes, { [`${email} email`]: 'no_click_yet' });
        assert.deepEqual(
          messages(email).map(({ count }) => count),
          [repeatDoubleOptInMessage ? 2 : 1],
        );
        world.sandbox.account.click({ email });
        const third = await world.migrate(lines, INTO_DOUBLE);
        assert.equal(third.outcomes[`${email} email`], 'already_consented');
      }
      world.turn({ repeatDoubleOptInMessage: true });
    },
  );

  scenario(
    'effect-2',
    'subscribed people join the double opt-in list without a message',
    async () => {
      for (const subscribedOnDoubleOptIn of ['messaged', 'joins'] as const) {
        world.turn({ subscribedOnDoubleOptIn });
        const email = `${subscribedOnDoubleOptIn}2@example.com`;
        world.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
        const { outcomes } = await world.migrate([HEADER, `${email},yes`], INTO_DOUBLE);
        assert.deepEqual(outcomes, {
          [`${email} email`]: 'already_consented',
          [`${email} list`]: 'list_only',
        });
        assert.deepEqual(messages(email), []);
        assert.equal(world.profile(email).lists[0]?.id, DOUBLE);
      }
      world.turn({ subscribedOnDoubleOptIn: 'messaged' });
    },
  );

  scenario(
    'effect-3',
    'without a list the account decides, and a wrong declaration confirms nobody',
    async () => {
      const { account } = world.sandbox.account.settings;
      const lines = (who: string) => [HEADER, `${who}@example.com,yes`];
      const unsaid = await world.migrate(lines('unsaid3'), { listId: null });
      assert.match(unsaid.failure ?? '', /--opt-in single or --opt-in double/);
      const double = await world.migrate(lines('double3'), {
        ...INTO_DOUBLE,
        listId: null,
      });
      assert.equal(double.outcomes['double3@example.com email'], 'no_click_yet');
      const wrong = await world.migrate(lines('wrong3'), {
        listId: null,
        optIn: 'single',
        timing: SOON,
      });
      assert.equal(wrong.outcomes['wrong3@example.com email'], 'unconfirmed');
      for (const who of ['unsaid3', 'double3', 'wrong3']) {
        assert.ok(!world.hasProfile(`${who}@example.com`));
      }
      account.defaultOptIn = 'single_opt_in';
      const single = await world.migrate(lines('single3'), { listId: null, optIn: 'single' });
      account.defaultOptIn = 'double_opt_in';
      assert.deepEqual(single.outcomes, { 'single3@example.com email': 'confirmed' });
      assert.deepEqual(world.profile('single3@example.com').lists, []);
    },
  );

  scenario(
    'effect-7',
    'nobody is subscribed against an opt-out or a suppression of any kind',
    async () => {
      const { account } = world.sandbox;
      const suppressions = {
        spam7: ['SPAM_COMPLAINT', 'spam_complaint'],
        suppressed7: ['USER_SUPPRESSED', 'suppressed'],
        bounced7: ['HARD_BOUNCE', 'hard_bounce'],
        invalid7: ['INVALID_EMAIL', 'hard_bounce'],
      } as const;
      for (const [who, [reason]] of Object.entries(suppressions)) {
        account.seed({
          email: `${who}@example.com`,
          email_consent: 'SUBSCRIBED',
          suppressions: [reason],
        });
      }
      account.seed({ email: 'left7@example.com', email_consent: 'UNSUBSCRIBED' });
      account.seed({ email: 'leftlist7@example.com', list_suppressions: [SINGLE] });
      account.seed({ email: 'otherlist7@example.com', list_suppressions: [DOUBLE] });
      const who = [...Object.keys(suppressions), 'left7', 'leftlist7'];
      const before = who.map((name) => world.profile(`${name}@example.com`));
      const { outcomes } = await world.migrate([
        HEADER,
        ...[...who, 'otherlist7'].map((name) => `${name}@example.com,yes`),
      ]);
      assert.deepEqual(outcomes, {
        ...Object.fromEntries(
          Object.entries(suppressions).map(([name, [, reason]]) => [
            `${name}@example.com email`,
            reason,
          ]),
        ),
        'left7@example.com email': 'opted_out_before_run',
        'leftlist7@example.com email': 'opted_out_before_run',
        'otherlist7@example.com email': 'confirmed',
      });
      assert.deepEqual(
        who.map((name) => world.profile(`${name}@example.com`)),
        before,
      );
    },
  );

  scenario('effect-8', 'only a click makes consent double opt-in, and confirms it', async () => {
    const { account } = world.sandbox;
    account.setClicks(1);
    const clicked = await world.migrate([HEADER, 'clicked8@example.com,yes'], {
      listId: DOUBLE,
      optIn: 'double',
    });
    account.setClicks(0);
    await world.migrate([HEADER, 'single8@example.com,yes']);
    assert.deepEqual(clicked.outcomes, { 'clicked8@example.com email': 'confirmed' });
    assert.ok(messages('clicked8@example.com')[0]?.clicked_at);
    assert.equal(held('clicked8@example.com').double_optin, true);
    assert.equal(world.profile('clicked8@example.com').lists[0]?.id, DOUBLE);
    assert.equal(held('single8@example.com').double_optin, false);
    assert.equal(held('single8@example.com').consent, 'SUBSCRIBED');
  });

  scenario(
    'effect-9',
    'addresses that Klaviyo silently drops are never reported as confirmed',
    async () => {
      const single = await world.migrate(
        [HEADER, 'dropped9@filtered.test,yes', 'kept9@example.com,yes'],
        { timing: SOON },
      );
      assert.deepEqual(single.outcomes, {
        'dropped9@filtered.test email': 'unconfirmed',
        'kept9@example.com email': 'confirmed',
      });
      const double = await world.migrate([HEADER, 'double9@filtered.test,yes'], INTO_DOUBLE);
      assert.deepEqual(double.outcomes, { 'double9@filtered.test email': 'no_click_yet' });
      assert.deepEqual(messages('double9@filtered.test'), []);
      assert.ok(!world.hasProfile('dropped9@filtered.test'));
    },
  );
});
