import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_SWITCHES } from 'klaviyo-sandbox';
import { DOUBLE, SINGLE } from '../../support/harness.js';
import { people } from '../../support/people.js';
import { outcomesOf } from '../../support/outcomes.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

const WITHOUT_CLICKS = { confirmWithinMs: 800 };

describe('what people ask for: opt-in', () => {
  let world: World;
  before(async () => {
    world = await startWorld({
      clicks: { share: 0, delayMs: [0, 0] },
      filteredDomains: ['filtered.test'],
    });
  });
  afterEach(() => world.turn(DEFAULT_SWITCHES));
  after(() => world.close());

  const rows = (addresses: readonly string[], consent = 'yes') => [
    'email,email_consent',
    ...addresses.map((email) => `${email},${consent}`),
  ];
  const emailOf = (who: string) => world.profile(who).subscriptions.email.marketing;
  const listsOf = (who: string) => world.profile(who).lists.map(({ id }) => id);
  const messagesTo = (addresses: readonly string[]) =>
    [...world.sandbox.account.messages()].filter(({ to }) => addresses.includes(to));
  const carried = (email: string) =>
    [...world.sandbox.account.subscribed()].some((line) => line.email === email);

  scenario(
    'wish-1',
    'what Klaviyo accepts and never shows is not reported as a success',
    async () => {
      const [shown = '', ...rest] = people(2);
      const dropped = rest.map((email) => email.replace('example.com', 'filtered.test'))[0] ?? '';
      const { outcomes } = await world.migrate(rows([shown, dropped]), { timing: WITHOUT_CLICKS });
      assert.deepEqual(outcomes, {
        [`${shown} email`]: 'confirmed',
        [`${dropped} email`]: 'unconfirmed',
      });
      assert.equal(carried(dropped), true);
      assert.equal(world.hasProfile(dropped), false);
    },
  );

  scenario(
    'wish-1',
    'people who have not clicked yet are reported as pending, and watched until the click',
    async () => {
      const [clicks = '', waits = ''] = people(2);
      const { id, outcomes } = await world.migrate(rows([clicks, waits]), {
        listId: DOUBLE,
        optIn: 'double',
        timing: { ...WITHOUT_CLICKS, watchForMs: 20_000, watchFirstMs: 200, watchLongestMs: 200 },
      });
      assert.deepEqual(outcomes, {
        [`${clicks} email`]: 'no_click_yet',
        [`${waits} email`]: 'no_click_yet',
      });
      assert.equal(world.hasProfile(clicks), false);
      world.sandbox.account.click({ email: clicks });
      const end = Date.now() + 15_000;
      for (;;) {
        const now = await outcomesOf(world.harness.ledger, id);
        if (now[`${clicks} email`] === 'confirmed') break;
        assert.ok(Date.now() < end, 'the click was never seen');
        await delay(50);
      }
      assert.equal(emailOf(clicks).double_optin, true);
      assert.equal(world.hasProfile(waits), false);
    },
  );

  scenario('wish-1', 'a default that was declared wrongly ends as never seen', async () => {
    // The account's own default is double opt-in, which no API tells.
    const [email = ''] = people(1);
    for (const [optIn, ends] of [
      ['single', 'unconfirmed'],
      ['double', 'no_click_yet'],
    ] as const) {
      const run = await world.migrate(rows([email]), {
        listId: null,
        optIn,
        timing: WITHOUT_CLICKS,
      });
      assert.deepEqual(run.outcomes, { [`${email} email`]: ends });
      assert.equal(world.hasProfile(email), false);
    }
  });

  scenario('wish-5', 'nobody is asked to confirm by surprise', async () => {
    const [known = '', ...others] = people(3);
    world.sandbox.account.seed({ email: known, email_consent: 'NEVER_SUBSCRIBED' });
    const sent = world.calls('bulk_subscribe_profiles');
    const { failure } = await world.migrate(rows([known, ...others]), { listId: DOUBLE });
    assert.match(failure ?? '', /double opt-in list.*--opt-in double/);
    assert.equal(world.calls('bulk_subscribe_profiles'), sent);
    assert.deepEqual(messagesTo([known, ...others]), []);
  });

  scenario(
    'wish-5',
    'people who are already subscribed are not asked to confirm again',
    async () => {
      for (const subscribedOnDoubleOptIn of ['messaged', 'joins'] as const) {
        world.turn({ subscribedOnDoubleOptIn });
        const [there = '', fresh = ''] = people(2);
        world.sandbox.account.seed({ email: there, email_consent: 'SUBSCRIBED' });
        const { outcomes } = await world.migrate(rows([there, fresh]), {
          listId: DOUBLE,
          optIn: 'double',
          timing: WITHOUT_CLICKS,
        });
        assert.deepEqual(outcomes, {
          [`${there} email`]: 'already_consented',
          [`${there} list`]: 'list_only',
          [`${fresh} email`]: 'no_click_yet',
        });
        assert.deepEqual(
          messagesTo([there, fresh]).map(({ to }) => to),
          [fresh],
        );
        assert.deepEqual(listsOf(there), [DOUBLE]);
      }
    },
  );

  scenario('wish-6', 'imported people start no welcome flow', async () => {
    for (const historicalEvents of ['backdated', 'now'] as const) {
      world.turn({ historicalEvents });
      const [email = ''] = people(1);
      const { outcomes } = await world.migrate(
        ['email,email_consent,email_consented_at', `${email},yes,2020-02-03T04:05:06Z`],
        { historical: true },
      );
      assert.deepEqual(outcomes, { [`${email} email`]: 'confirmed' });
      const line = [...world.sandbox.account.subscribed()].find((sent) => sent.email === email);
      assert.equal(line?.historical_import, true);
      const dates = await eventDates(world.profile(email).id);
      assert.ok(dates.length > 0);
      if (historicalEvents === 'now') continue;
      assert.deepEqual(new Set(dates.map((date) => date.slice(0, 10))), new Set(['2020-02-03']));
    }
  });

  scenario(
    'wish-6',
    'the flows that a live run would start are named before it starts',
    async () => {
      world.sandbox.account.createList({
        id: 'FLOWS1',
        name: 'With flows',
        opt_in_process: 'single_opt_in',
        flows: [
          { name: 'Welcome series', status: 'live' },
          { name: 'Old series', status: 'draft' },
        ],
      });
      const warned = async (historical: boolean) => {
        const { report } = await world.migrate(
          [
            'email,email_consent,email_consented_at',
            ...people(1).map((email) => `${email},yes,2020-02-03T04:05:06Z`),
          ],
          { listId: 'FLOWS1', historical, dryRun: true },
        );
        return report.warnings.filter((warning) => warning.includes('series'));
      };
      const [warning = '', ...more] = await warned(false);
      assert.match(warning, /Welcome series/);
      assert.doesNotMatch(warning, /Old series/);
      assert.deepEqual(more, []);
      assert.deepEqual(await warned(true), []);
    },
  );

  scenario(
    'wish-7',
    'the time of a confirmation elsewhere is kept as the consent date',
    async () => {
      const [email = ''] = people(1);
      const { outcomes } = await world.migrate(
        [
          'Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP',
          `${email},2021-03-04 05:06:07,192.0.2.1,2021-03-04 05:10:00,192.0.2.1`,
        ],
        { listId: DOUBLE, historical: true, timezone: 'Europe/Berlin' },
      );
      assert.deepEqual(outcomes, { [`${email} email`]: 'confirmed' });
      const consent = emailOf(email);
      assert.match(consent.consent_timestamp ?? '', /^2021-03-04T04:10:00/);
      assert.match(consent.custom_method_detail ?? '', /mailchimp-subscribed/);
      assert.deepEqual(messagesTo([email]), []);
    },
  );

  scenario('wish-16', 'adding people to a double opt-in list never counts as consent', async () => {
    const [put = ''] = people(1);
    const { outcomes } = await world.migrate(rows([put]), { listId: DOUBLE, implicit: true });
    assert.deepEqual(outcomes, { [`${put} list`]: 'list_only' });
    assert.deepEqual(listsOf(put), [DOUBLE]);
    assert.equal(emailOf(put).consent, 'NEVER_SUBSCRIBED');
    assert.equal(emailOf(put).can_receive_email_marketing, true);
  });

  scenario('wish-16', 'nobody gets onto a double opt-in list before the click', async () => {
    const [known = ''] = people(1);
    world.sandbox.account.seed({ email: known });
    const imports = world.calls('bulk_import_profiles');
    const { outcomes } = await world.migrate(rows([known]), {
      listId: DOUBLE,
      optIn: 'double',
      timing: WITHOUT_CLICKS,
    });
    assert.deepEqual(outcomes, { [`${known} email`]: 'no_click_yet' });
    assert.deepEqual(listsOf(known), []);
    assert.equal(world.calls('bulk_import_profiles'), imports);
    assert.equal(world.sandbox.account.click({ email: known }), 1);
    await delay(200);
    assert.deepEqual(listsOf(known), [DOUBLE]);
    assert.equal(emailOf(known).consent, 'SUBSCRIBED');
  });

  scenario(
    'wish-19',
    'every person gets one confirmation message, however many there are',
    async () => {
      for (const repeatDoubleOptInMessage of [true, false]) {
        world.turn({ repeatDoubleOptInMessage });
        const many = people(30);
        const { report } = await world.migrate(rows([...many, ...many]), {
          listId: DOUBLE,
          optIn: 'double',
          timing: WITHOUT_CLICKS,
        });
        assert.deepEqual(report.outcomes, { pending_double_opt_in: 30, rejected: 30 });
        const messages = messagesTo(many);
        assert.deepEqual(messages.map(({ to }) => to).sort(), [...many].sort());
        assert.deepEqual(new Set(messages.map(({ count }) => count)), new Set([1]));
      }
    },
  );

  scenario('wish-18', 'no run creates a list', async () => {
    const lists = () => world.sandbox.account.lists.all().map(({ id }) => id);
    const before = lists();
    const { failure } = await world.migrate(rows(people(1)), { listId: 'NOSUCH' });
    assert.match(failure ?? '', /NOSUCH/);
    const { outcomes } = await world.migrate(rows(people(1)), { listId: SINGLE });
    assert.deepEqual(Object.values(outcomes), ['confirmed']);
    assert.deepEqual(lists(), before);
    assert.equal(world.calls('create_list'), 0);
  });

  /** Datetimes of everything that Klaviyo keeps about a profile. */
  async function eventDates(profileId: string): Promise<string[]> {
    const url = new URL('/api/events', world.sandbox.url);
    url.searchParams.set('filter', `equals(profile_id,"${profileId}")`);
    const answer = await fetch(url, {
      headers: {
        authorization: `Klaviyo-API-Key ${world.sandbox.apiKey}`,
        revision: '2026-07-15',
      },
    });
    assert.equal(answer.status, 200);
    const { data } = (await answer.json()) as { data: { attributes: { datetime: string } }[] };
    return data.map(({ attributes }) => attributes.datetime);
  }
});
