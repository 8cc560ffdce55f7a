import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { DEFAULT_SWITCHES } from 'klaviyo-sandbox';
import { sql } from 'kysely';
import { DOUBLE } from '../../support/harness.js';
import { people } from '../../support/people.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

describe('faults known of other tools: requests', () => {
  let world: World;
  before(async () => {
    world = await startWorld({ clicks: { share: 0, delayMs: [0, 0] } });
  });
  afterEach(() => {
    world.turn(DEFAULT_SWITCHES);
    world.sandbox.account.clearFaults();
  });
  after(() => world.close());

  /** When the latest requests to a path came, and what they were answered. */
  const requestsTo = (path: string) =>
    world.sandbox.account.trail
      .latest(1_000)
      .filter((line) => line.path.startsWith(path))
      .map(({ at, status }) => ({ at: Date.parse(at), status }));

  scenario('bug-6', 'no call is made for a single person', async () => {
    const rows = people(300).map((email, n) => `${email},+1201555${1_300 + n},yes,yes`);
    world.sandbox.account.forgetRequests();
    const { report } = await world.migrate(
      ['email,phone_number,email_consent,sms_consent', ...rows],
      // Who opts out meanwhile is asked for by the time that a run takes, not by its people.
      { channels: ['email', 'sms'], timing: { optOutsMaxAgeMs: 60_000 } },
    );
    assert.deepEqual(report.outcomes, { confirmed: 300 });
    assert.equal(world.calls('bulk_subscribe_profiles'), 1);
    const all = world.sandbox.account
      .requests()
      .flatMap(({ statuses }) => Object.values(statuses))
      .reduce((sum, times) => sum + times, 0);
    assert.ok(all < 30, `${all} calls for 300 people`);
    for (const operation of ['create_profile', 'create_or_update_profile', 'bulk_import_profiles'])
      assert.equal(world.calls(operation), 0, operation);
  });

  scenario('bug-6', 'the phone number that was checked is the one that is sent', async () => {
    const written = ['(201) 555-0120', '201.555.0121', '+1 201-555-0122', "'+12015550123"];
    const emails = people(written.length);
    const { outcomes } = await world.migrate(
      [
        'email,phone_number,email_consent,sms_consent',
        ...written.map((phone, n) => `${emails[n]},${phone},yes,yes`),
      ],
      { channels: ['email', 'sms'], country: 'US' },
    );
    for (const [n, email] of emails.entries()) {
      assert.equal(outcomes[`${email} sms`], 'confirmed');
      assert.equal(world.profile(email).phone_number, `+1201555012${n}`);
    }
  });

  scenario('bug-7', 'phone, consent dates and the historical flag all reach Klaviyo', async () => {
    const [email = ''] = people(1);
    const { outcomes } = await world.migrate(
      [
        'email,phone_number,email_consent,email_consented_at,sms_consent,sms_consented_at',
        `${email},+12015550130,yes,2019-08-07T06:05:04Z,yes,2020-09-08T07:06:05Z`,
      ],
      { listId: DOUBLE, channels: ['email', 'sms'], historical: true, customSource: 'Old shop' },
    );
    assert.deepEqual(outcomes, { [`${email} email`]: 'confirmed', [`${email} sms`]: 'confirmed' });
    const sent = [...world.sandbox.account.subscribed()].find((line) => line.email === email);
    assert.equal(sent?.historical_import, true);
    assert.equal(sent.custom_source, 'Old shop');
    assert.equal(sent.phone_number, '+12015550130');
    const { subscriptions, phone_number } = world.profile(email);
    assert.equal(phone_number, '+12015550130');
    assert.match(subscriptions.email.marketing.consent_timestamp ?? '', /^2019-08-07T06:05:04/);
    assert.match(subscriptions.sms.marketing.consent_timestamp ?? '', /^2020-09-08T07:06:05/);
    assert.equal(subscriptions.email.marketing.custom_method_detail, 'Old shop');
    assert.deepEqual([...world.sandbox.account.messages()], []);
  });

  scenario(
    'bug-8',
    'a refused call waits as long as Klaviyo says, and as often as it takes',
    async () => {
      const [email = ''] = people(1);
      const { account } = world.sandbox;
      account.forgetRequests();
      account.addFault({
        endpoint: 'bulk_subscribe_profiles',
        kind: '429',
        times: 4,
        retryAfter: 1,
      });
      const { outcomes } = await world.migrate(['email,email_consent', `${email},yes`]);
      assert.deepEqual(outcomes, { [`${email} email`]: 'confirmed' });
      const calls = requestsTo('/api/profile-subscription-bulk-create-jobs');
      assert.deepEqual(
        calls.map(({ status }) => status),
        [429, 429, 429, 429, 202],
      );
      for (const [n, call] of calls.slice(1).entries()) {
        const waited = call.at - (calls[n]?.at ?? 0);
        assert.ok(waited >= 1_000, `call ${n + 2} came after ${waited} ms`);
      }
    },
  );

  scenario('bug-9', 'reads also wait as long as Klaviyo says, and never give up', async () => {
    const [email = ''] = people(1);
    const { account } = world.sandbox;
    account.forgetRequests();
    account.addFault({ endpoint: 'get_events', kind: '429', times: 6, retryAfter: 1 });
    const { outcomes, parts } = await world.migrate(['email,email_consent', `${email},yes`], {
      timing: { eventsSilentMs: 20_000 },
    });
    assert.deepEqual(outcomes, { [`${email} email`]: 'confirmed' });
    assert.equal(parts[0]?.settledBy, 'events');
    const calls = requestsTo('/api/events');
    assert.equal(calls.filter(({ status }) => status === 429).length, 6);
    for (const [n, call] of calls.slice(1, 7).entries()) {
      const waited = call.at - (calls[n]?.at ?? 0);
      assert.ok(waited >= 1_000, `read ${n + 2} came after ${waited} ms`);
    }
  });

  scenario('bug-9', 'a clock that is an hour ahead of Klaviyo’s hides nobody', async () => {
    const { db } = world.harness.ledger;
    await sql`
      create function consentry.ahead() returns trigger language plpgsql as
      'begin new.created_at := now() + interval ''1 hour''; return new; end'`.execute(db);
    await sql`create trigger ahead before insert on consentry.run
      for each row execute function consentry.ahead()`.execute(db);
    world.sandbox.account.forgetRequests();
    try {
      for (const historical of [false, true]) {
        const [email = ''] = people(1);
        const { outcomes } = await world.migrate(
          ['email,email_consent,email_consented_at', `${email},yes,2020-01-02T03:04:05Z`],
          { historical, timing: { confirmWithinMs: 1_500 } },
        );
        assert.deepEqual(outcomes, { [`${email} email`]: 'confirmed' });
        const { subscriptions } = world.profile(email);
        assert.equal(subscriptions.email.marketing.consent, 'SUBSCRIBED');
      }
      const refused = [...requestsTo('/api/events'), ...requestsTo('/api/lists/')].filter(
        ({ status }) => status === 400,
      );
      assert.deepEqual(refused, [], 'a date of a filter was still to come');
    } finally {
      await sql`drop function consentry.ahead cascade`.execute(db);
    }
  });

  scenario('bug-9', 'an event that shows late is not missed', async () => {
    for (const events of ['at_once', 'late'] as const) {
      world.turn({ events });
      const addresses = people(20);
      const { report, parts } = await world.migrate(
        ['email,email_consent', ...addresses.map((email) => `${email},yes`)],
        { timing: { eventsSilentMs: 20_000 } },
      );
      assert.deepEqual(report.outcomes, { confirmed: 20 });
      assert.deepEqual(new Set(parts.map(({ settledBy }) => settledBy)), new Set(['events']));
    }
  });
});
