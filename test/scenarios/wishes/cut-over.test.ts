import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { people } from '../../support/people.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

describe('what people ask for: the switch from another tool', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());

  const emailOf = (who: string) => world.profile(who).subscriptions.email.marketing;
  const HEADER = 'email,phone_number,email_consent,email_consented_at,sms_consent,suppressed';
  const agreed = (who: string) => `${who},,yes,2021-03-04T05:06:07Z,,`;

  scenario(
    'wish-23',
    'who left, joined or moved between two exports is carried over, and who vanished is not opted out',
    async () => {
      const [
        stays = '',
        left = '',
        bounced = '',
        moved = '',
        moves = '',
        gone = '',
        joins = '',
        out = '',
      ] = people(8);
      const older = await world.harness.source('older.csv', [
        HEADER,
        ...[stays, left, bounced, moved, gone].map(agreed),
        `${out},,unsubscribed,2021-03-04T05:06:07Z,,`,
      ]);
      const newer = await world.harness.source('newer.csv', [
        HEADER,
        agreed(joins),
        agreed(stays),
        `${left},,unsubscribed,2024-03-04T05:06:07Z,,`,
        `${bounced},,yes,2021-03-04T05:06:07Z,,yes`,
        agreed(moves),
        `${out},,unsubscribed,2021-03-04T05:06:07Z,,`,
      ]);
      const first = await world.migrate(older, { historical: true });
      assert.equal(first.report.outcomes.confirmed, 6);

      const { outcomes, parts, report } = await world.migrate(newer, {
        historical: true,
        since: older,
      });
      assert.deepEqual(outcomes, {
        [`${joins} email`]: 'confirmed',
        [`${left} email`]: 'confirmed',
        [`${bounced} suppression`]: 'confirmed',
        [`${moves} email`]: 'confirmed',
      });
      assert.deepEqual(
        parts.map(({ line }) => line),
        [2, 4, 5, 6],
      );
      assert.equal(report.rows, 4);
      assert.equal(emailOf(left).consent, 'UNSUBSCRIBED');
      assert.equal(emailOf(bounced).can_receive_email_marketing, false);
      assert.equal(emailOf(out).consent, 'UNSUBSCRIBED');
      for (const who of [stays, moved, moves, gone, joins]) {
        assert.equal(emailOf(who).consent, 'SUBSCRIBED', who);
      }
    },
  );

  scenario(
    'wish-23',
    'an opt-out that only a mistyped address stands for still stops new consent',
    async () => {
      const [known = ''] = people(1);
      const number = '+12015550177';
      const rows = [
        HEADER,
        `${known},${number},,,yes,`,
        `${known.replace('.com', '')},${number},unsubscribed,,,`,
      ];
      const request = { channels: ['email', 'sms'] } as const;
      const older = await world.harness.source('mistyped-older.csv', rows);
      const newer = await world.harness.source('mistyped-newer.csv', [...rows, agreed(known)]);
      await world.migrate(older, request);
      const { outcomes } = await world.migrate(newer, { ...request, since: older });
      assert.equal(outcomes[`${known} email`], 'newer_statement_refused');
      // Only the number was ever subscribed.
      assert.equal(world.hasProfile(known), false);
    },
  );
});
