import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { people } from '../../support/people.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

describe('what people ask for: exports of other tools as they are', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());

  const consentOf = (who: string) => world.profile(who).subscriptions.email.marketing.consent;

  scenario('wish-25', 'of several lines about one person an opt-out wins', async () => {
    const [ada = '', bob = '', cat = ''] = people(3);
    const line = (who: string, tags: string, status: string) =>
      `${who},,,,${tags},2020-01-01 05:06:07,,${status}`;
    const { outcomes, report } = await world.migrate([
      'Email,First Name,Last Name,Phone,Tags,Date Created,IP,Status',
      line(ada, 'news', 'Unsubscribed'),
      line(ada, 'offers', 'Active'),
      line(bob, 'news', 'Active'),
      line(bob, 'offers', 'Bounced'),
      line(cat, 'news', 'Active'),
      line(cat, 'offers', 'Unconfirmed'),
    ]);
    assert.equal(report.rows, 6);
    assert.equal(consentOf(ada), 'UNSUBSCRIBED');
    assert.equal(
      world.profile(bob).subscriptions.email.marketing.can_receive_email_marketing,
      false,
    );
    assert.notEqual(consentOf(bob), 'SUBSCRIBED');
    assert.equal(consentOf(cat), 'SUBSCRIBED');
    assert.equal(outcomes[`${cat} email`], 'confirmed');
  });

  scenario(
    'wish-25',
    'lines below a customer’s first are about that customer, and about no other',
    async () => {
      const [ada = '', bob = '', cat = ''] = people(3);
      await world.migrate(
        [
          'ID,Email,Phone,Email Marketing: Status,Email Marketing: Updated At,Address City,Top Row',
          `1,${ada},,subscribed,2021-03-04 05:06:07 -0400,Rome,TRUE`,
          '1,,,,,Oslo,',
          '1,,,unsubscribed,2022-03-04 05:06:07 -0400,Bonn,',
          `2,${bob},,subscribed,2021-03-04 05:06:07 -0400,Lyon,TRUE`,
          '2,,,,,Nice,',
          '3,,,unsubscribed,2022-03-04 05:06:07 -0400,Gent,TRUE',
          `4,${cat},,pending,2021-03-04 05:06:07 -0400,Cork,TRUE`,
        ],
        { historical: true },
      );
      assert.equal(consentOf(ada), 'UNSUBSCRIBED');
      assert.equal(consentOf(bob), 'SUBSCRIBED');
      assert.match(
        world.profile(bob).subscriptions.email.marketing.consent_timestamp ?? '',
        /^2021-03-04T09:06:07/,
      );
      assert.equal(world.hasProfile(cat), false);
    },
  );

  scenario(
    'wish-25',
    'each of several addresses of a contact ends as its own status says',
    async () => {
      const [home = '', work = '', other = ''] = people(3);
      const { parts } = await world.migrate([
        'Email address - home,Email permission status - home,Email address - work,Email permission status - work,Confirmed Opt-Out Date',
        `${home},Explicit,${work},Unsubscribed,03/04/2021 05:06 PM EST`,
        `${other},Implicit,,,`,
      ]);
      assert.deepEqual(
        parts.map(({ line, email, channel, operation }) => [line, email, channel, operation]),
        [
          [2, home, 'email', 'subscribe'],
          [2, work, 'email', 'unsubscribe'],
          [3, other, 'list', 'add_to_list'],
        ],
      );
      assert.equal(consentOf(home), 'SUBSCRIBED');
      assert.equal(consentOf(work), 'UNSUBSCRIBED');
      assert.notEqual(consentOf(other), 'SUBSCRIBED');
    },
  );

  scenario(
    'wish-25',
    'what is attested of people of whom an export has no opt-out is asked for, and compared with what was before',
    async () => {
      const [ada = '', bob = ''] = people(2);
      const header = 'Record ID,Email,Unsubscribed from all email,Email hard bounce reason';
      const rows = [header, `1,${ada},,`, `2,${bob},true,`];
      const older = await world.harness.source('contacts-older.csv', rows);
      const newer = await world.harness.source('contacts-newer.csv', [
        ...rows.slice(0, 2),
        `2,${bob},,`,
      ]);
      const silent = await world.migrate(older);
      assert.equal(silent.outcomes[`${ada} email`], 'nothing_asked');
      const noticed = (await world.harness.consentry.migrations.plan(silent.id))?.notes;
      assert.deepEqual(noticed, [{ channel: 'email', note: 'consent_not_recorded', parts: 1 }]);
      const attested = { attested: 'Order forms of May 2024' };
      const { outcomes } = await world.migrate(older, attested);
      assert.equal(outcomes[`${ada} email`], 'confirmed');
      assert.equal(consentOf(bob), 'UNSUBSCRIBED');
      // Without it, or with other words, that run had other settings.
      const said = { ...attested, attested: 'By word of mouth' };
      await assert.rejects(world.migrate(newer, { ...said, since: older }), {
        code: 'since_not_migrated',
        message: /other settings: attested/,
      });
      const only = await world.harness.source('contacts-attested.csv', [header, `7,${ada},,`]);
      await world.migrate(only, attested);
      await assert.rejects(world.migrate(newer, { since: only }), {
        code: 'since_not_migrated',
        message: /other settings: attested/,
      });
      // Who is no longer among the opt-outs had opted out all the same.
      const later = await world.migrate(newer, { ...attested, since: older });
      assert.equal(later.outcomes[`${bob} email`], 'opted_out_before_run');
      assert.equal(consentOf(bob), 'UNSUBSCRIBED');
    },
  );

  scenario('wish-25', 'a plan says whose dates of consent are those of an upload', async () => {
    const rows = (at: string) => [
      'email,email_consent,email_consented_at',
      ...people(1_000).map((email) => `${email},yes,${at}`),
    ];
    const planOf = async (at: string, historical: boolean) => {
      const { id } = await world.migrate(rows(at), { historical, dryRun: true, timezone: 'UTC' });
      return (await world.harness.consentry.migrations.plan(id))?.sharedDates;
    };
    const at = '2021-03-04T05:06:07Z';
    assert.deepEqual(await planOf(at, true), [{ channel: 'email', at, parts: 1_000 }]);
    assert.deepEqual(await planOf(at, false), []);
    assert.deepEqual(await planOf('2021-03-04', true), []);
  });
});
