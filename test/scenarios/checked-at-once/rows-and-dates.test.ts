import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { SINGLE } from '../../support/harness.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

const HEADER = 'email,email_consent,email_consented_at';
const HISTORICAL = { historical: true, undated: 'reject' } as const;

describe('what Klaviyo checks at once: rows and their dates', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());

  const carried = (email: string) =>
    [...world.sandbox.account.subscribed()].filter((line) => line.email === email);
  const held = (email: string) => world.profile(email).subscriptions.email.marketing;

  scenario(
    'check-10',
    'a live run sends no date, and Klaviyo dates the consent itself',
    async () => {
      const start = Date.now();
      const { outcomes } = await world.migrate([
        HEADER,
        'live10@example.com,yes,2021-03-04T05:06:07Z',
      ]);
      assert.deepEqual(outcomes, { 'live10@example.com email': 'confirmed' });
      const { consent_timestamp: at } = held('live10@example.com');
      assert.ok(Date.parse(at ?? '') >= start - 1_000, `${at} is before the run`);
    },
  );

  scenario('check-10', 'an unusable date refuses only its own row', async () => {
    const { outcomes } = await world.migrate(
      [
        HEADER,
        'dated10@example.com,yes,2021-03-04T05:06:07Z',
        'undated10@example.com,yes,',
        'future10@example.com,yes,2999-01-01T00:00:00Z',
        'garbled10@example.com,yes,2021-02-30T00:00:00Z',
      ],
      HISTORICAL,
    );
    assert.deepEqual(outcomes, {
      'dated10@example.com email': 'confirmed',
      'undated10@example.com email': 'consent_date_missing',
      'future10@example.com email': 'consent_date_in_future',
      'garbled10@example.com email': 'consent_date_invalid',
    });
    assert.match(held('dated10@example.com').consent_timestamp ?? '', /^2021-03-04T05:06:07/);
    for (const who of ['undated10', 'future10', 'garbled10']) {
      assert.ok(!world.hasProfile(`${who}@example.com`));
    }
  });

  scenario(
    'check-10',
    'a historical run with undated rows stops unless a flag allows it',
    async () => {
      const { outcomes, failure } = await world.migrate(
        [HEADER, 'sure10@example.com,yes,2021-03-04T05:06:07Z', 'unsure10@example.com,yes,'],
        { historical: true },
      );
      assert.match(failure ?? '', /date.*--undated/is);
      assert.equal(outcomes['sure10@example.com email'], 'migration_stopped');
      assert.ok(!world.hasProfile('sure10@example.com'));
    },
  );

  scenario('check-11', 'consent that is older than an opt-out is not sent', async () => {
    world.sandbox.account.seed({
      email: 'left11@example.com',
      email_consent: 'UNSUBSCRIBED',
      consent_timestamp: '2023-05-01T00:00:00Z',
    });
    const { outcomes } = await world.migrate(
      [
        HEADER,
        'left11@example.com,yes,2021-03-04T05:06:07Z',
        'stays11@example.com,yes,2021-03-04T05:06:07Z',
      ],
      HISTORICAL,
    );
    assert.deepEqual(outcomes, {
      'left11@example.com email': 'opted_out_before_run',
      'stays11@example.com email': 'confirmed',
    });
    assert.deepEqual(carried('left11@example.com'), []);
    assert.match(held('left11@example.com').consent_timestamp ?? '', /^2023-05-01/);
  });

  scenario(
    'check-11',
    'somebody who opts out right before the call stays opted out, and is reported so',
    async () => {
      const { account } = world.sandbox;
      account.seed({ email: 'leaves11@example.com' });
      account.addFault({
        endpoint: 'bulk_subscribe_profiles',
        kind: 'unsubscribe_person',
        email: 'leaves11@example.com',
        times: 1,
      });
      const { outcomes, parts } = await world.migrate(
        [
          HEADER,
          'leaves11@example.com,yes,2021-03-04T05:06:07Z',
          'beside11@example.com,yes,2021-03-04T05:06:07Z',
        ],
        HISTORICAL,
      );
      assert.deepEqual(outcomes, {
        'leaves11@example.com email': 'backdated_before_opt_out',
        'beside11@example.com email': 'confirmed',
      });
      assert.equal(parts[0]?.outcome, 'skipped_opted_out');
      assert.equal(parts[0].settledBy, 'klaviyo_answer');
      assert.equal(held('leaves11@example.com').consent, 'UNSUBSCRIBED');
      assert.deepEqual(carried('leaves11@example.com'), []);
    },
  );

  scenario(
    'check-12',
    'somebody who subscribes right before the call keeps the older date, and is added to the list',
    async () => {
      const { account } = world.sandbox;
      account.addFault({
        endpoint: 'bulk_subscribe_profiles',
        kind: 'slow',
        latencyMs: 1_000,
        times: 1,
      });
      const subscribes = async () => {
        while (account.faults.pending().length > 0) await delay(20);
        account.seed({
          email: 'joins12@example.com',
          email_consent: 'SUBSCRIBED',
          consent_timestamp: '2020-02-21T05:29:23Z',
          custom_method_detail: 'A form',
        });
      };
      const [{ outcomes, parts }] = await Promise.all([
        world.migrate(
          [
            HEADER,
            'joins12@example.com,yes,2021-03-04T05:06:07Z',
            'beside12@example.com,yes,2021-03-04T05:06:07Z',
          ],
          HISTORICAL,
        ),
        subscribes(),
      ]);
      assert.deepEqual(outcomes, {
        'joins12@example.com email': 'backdated_after_subscription',
        'joins12@example.com list': 'list_only',
        'beside12@example.com email': 'confirmed',
      });
      assert.equal(parts[0]?.outcome, 'already_consented');
      const {
        consent,
        consent_timestamp: at,
        custom_method_detail: source,
      } = held('joins12@example.com');
      assert.equal(consent, 'SUBSCRIBED');
      assert.match(at ?? '', /^2020-02-21T05:29:23/);
      assert.equal(source, 'A form');
      assert.deepEqual(
        world.profile('joins12@example.com').lists.map(({ id }) => id),
        [SINGLE],
      );
    },
  );

  scenario(
    'check-13',
    'people who are already subscribed are not sent again, and keep the date',
    async () => {
      const dates = ['2021-03-04T05:06:07Z', '2022-01-02T03:04:05Z', '2023-03-04T05:06:07Z'];
      for (const i of dates.keys()) {
        world.sandbox.account.seed({
          email: `there13-${i}@example.com`,
          email_consent: 'SUBSCRIBED',
          consent_timestamp: '2022-01-02T03:04:05Z',
          lists: [SINGLE],
        });
      }
      const { outcomes } = await world.migrate(
        [HEADER, ...dates.map((date, i) => `there13-${i}@example.com,yes,${date}`)],
        HISTORICAL,
      );
      for (const [i, date] of dates.entries()) {
        const email = `there13-${i}@example.com`;
        assert.equal(outcomes[`${email} email`], 'already_consented', date);
        assert.match(held(email).consent_timestamp ?? '', /^2022-01-02T03:04:05/);
        assert.deepEqual(carried(email), []);
      }
    },
  );

  scenario('check-16', 'a row that asks for nothing is in no call', async () => {
    const { outcomes } = await world.migrate([
      HEADER,
      'asked16@example.com,yes,',
      'no16@example.com,no,',
      'blank16@example.com,,',
      'maybe16@example.com,perhaps,',
    ]);
    assert.deepEqual(outcomes, {
      'asked16@example.com email': 'confirmed',
      'no16@example.com email': 'nothing_asked',
      'blank16@example.com email': 'nothing_asked',
      'maybe16@example.com email': 'consent_value_unknown',
    });
    for (const who of ['no16', 'blank16', 'maybe16']) {
      assert.deepEqual(carried(`${who}@example.com`), []);
      assert.ok(!world.hasProfile(`${who}@example.com`));
    }
  });
});
