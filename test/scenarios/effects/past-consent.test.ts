import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { DOUBLE, SINGLE } from '../../support/harness.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

const COLUMNS = [
  'email,phone_number',
  'email_consent,email_consented_at',
  'sms_consent,sms_consented_at',
].join(',');
const HISTORICAL = { historical: true, undated: 'reject' } as const;

describe('what a subscribe does, and when: consent that was given before', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());

  const held = (email: string) => world.profile(email).subscriptions.email.marketing;
  const carried = (email: string) =>
    [...world.sandbox.account.subscribed()].filter((line) => line.email === email);

  scenario(
    'effect-4',
    'historical consent is applied on a double opt-in list, dated, and mails nobody',
    async () => {
      for (const historicalEvents of ['backdated', 'now'] as const) {
        for (const events of ['at_once', 'late'] as const) {
          world.turn({ historicalEvents, events });
          const email = `past4-${historicalEvents}-${events}@example.com`;
          const { outcomes, parts } = await world.migrate(
            [COLUMNS, `${email},,yes,2021-03-04T05:06:07Z,,`],
            { ...HISTORICAL, listId: DOUBLE, customSource: 'The shop of 2021' },
          );
          assert.deepEqual(outcomes, { [`${email} email`]: 'confirmed' });
          const consent = held(email);
          assert.match(consent.consent_timestamp ?? '', /^2021-03-04T05:06:07/);
          assert.equal(parts[0]?.consentAfterAt?.toISOString(), '2021-03-04T05:06:07.000Z');
          assert.equal(consent.method, 'API');
          assert.equal(consent.custom_method_detail, 'The shop of 2021');
          assert.equal(consent.double_optin, false);
          assert.equal(world.profile(email).lists[0]?.id, DOUBLE);
        }
      }
      world.turn({ historicalEvents: 'backdated', events: 'at_once' });
      assert.deepEqual([...world.sandbox.account.messages()], []);
    },
  );

  scenario('effect-4', 'each channel keeps its own date', async () => {
    const { outcomes } = await world.migrate(
      [
        COLUMNS,
        'both4@example.com,+12015550140,yes,2021-03-04T05:06:07Z,yes,2022-04-05T06:07:08Z',
        ',+12015550141,,,yes,2022-04-05T06:07:08Z',
      ],
      { ...HISTORICAL, channels: ['email', 'sms'] },
    );
    assert.deepEqual(outcomes, {
      'both4@example.com email': 'confirmed',
      'both4@example.com sms': 'confirmed',
      '+12015550141 sms': 'confirmed',
    });
    assert.match(held('both4@example.com').consent_timestamp ?? '', /^2021-03-04T05:06:07/);
    for (const who of ['both4@example.com', '+12015550141']) {
      const { marketing } = world.profile(who).subscriptions.sms;
      assert.match(marketing.consent_timestamp ?? '', /^2022-04-05T06:07:08/);
    }
  });

  scenario(
    'effect-5',
    'only a live run can start flows, and a historical one never does',
    async () => {
      await world.migrate([COLUMNS, 'live5@example.com,,yes,2021-03-04T05:06:07Z,,']);
      await world.migrate([COLUMNS, 'past5@example.com,,yes,2021-03-04T05:06:07Z,,'], HISTORICAL);
      const flags = ['live5', 'past5'].map((who) =>
        carried(`${who}@example.com`).map((line) => line.historical_import),
      );
      assert.deepEqual(flags, [[false], [true]]);
      const minuteAgo = Date.now() - 60_000;
      assert.ok(Date.parse(held('live5@example.com').consent_timestamp ?? '') > minuteAgo);
      assert.ok(Date.parse(held('past5@example.com').consent_timestamp ?? '') < minuteAgo);
      for (const who of ['live5', 'past5']) {
        assert.equal(world.profile(`${who}@example.com`).lists[0]?.id, SINGLE);
      }
    },
  );

  scenario(
    'effect-6',
    'consent from before 1990 is dated 1990, and the ledger records it',
    async () => {
      const { outcomes, parts } = await world.migrate(
        [COLUMNS, 'old6@example.com,,yes,1971-02-03T00:00:00Z,,'],
        HISTORICAL,
      );
      assert.deepEqual(outcomes, { 'old6@example.com email': 'confirmed' });
      assert.match(held('old6@example.com').consent_timestamp ?? '', /^1990-01-01T00:00:00/);
      assert.equal(parts[0]?.consentAfterAt?.toISOString(), '1990-01-01T00:00:00.000Z');
    },
  );
});
