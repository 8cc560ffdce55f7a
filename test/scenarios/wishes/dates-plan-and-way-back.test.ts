import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { TruthLine } from 'klaviyo-sandbox';
import { writeRowsCsv } from '../../../src/cli/report/part-rows.js';
import { writePrivateFile } from '../../../src/cli/report/private-file.js';
import { undoColumns, undoRows } from '../../../src/cli/report/undo.js';
import { SourceError } from '../../../src/importers/index.js';
import { people } from '../../support/people.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

describe('what people ask for: sources, dates and the way back', () => {
  let world: World;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    world = await startWorld({
      clicks: { share: 0, delayMs: [0, 0] },
      filteredDomains: ['filtered.test'],
    });
  });
  after(async () => {
    await world.close();
    await rm(folder, { recursive: true });
  });

  const emailOf = (who: string) => world.profile(who).subscriptions.email.marketing;
  const carried = (email: string) =>
    [...world.sandbox.account.subscribed()].some((line) => line.email === email);

  scenario(
    'wish-4',
    'a consent date is understood in each usual format, and sent as Klaviyo accepts it',
    async () => {
      const forms = {
        '2021-03-04T05:06:07Z': '2021-03-04T05:06:07',
        '2021-03-04T05:06:07+02:00': '2021-03-04T03:06:07',
        '2021-03-04 05:06:07.891': '2021-03-03T16:06:07',
        '2021-03-04 05:06': '2021-03-03T16:06:00',
        '2021-03-04': '2021-03-03T23:00:00',
        '1985-03-04': '1990-01-01T00:00:00',
      };
      const emails = people(Object.keys(forms).length);
      const { report } = await world.migrate(
        [
          'email,email_consent,email_consented_at',
          ...Object.keys(forms).map((date, n) => `${emails[n]},yes,${date}`),
        ],
        { historical: true, timezone: 'Pacific/Auckland' },
      );
      assert.deepEqual(report.outcomes, { confirmed: emails.length });
      const kept = emails.map((email) => emailOf(email).consent_timestamp?.slice(0, 19));
      assert.deepEqual(kept, Object.values(forms));
    },
  );

  scenario('wish-4', 'a local time is never read as a time in the future', async () => {
    const hourAgo = new Date(Date.now() - 3_600_000);
    const inAuckland = hourAgo
      .toLocaleString('sv-SE', { timeZone: 'Pacific/Auckland' })
      .replace('T', ' ');
    const [local = '', future = ''] = people(2);
    const rows = [
      'email,email_consent,email_consented_at',
      `${local},yes,${inAuckland}`,
      `${future},yes,2999-01-01 00:00:00`,
    ];
    await assert.rejects(
      world.migrate(rows, { historical: true }),
      (error) => error instanceof SourceError && /--timezone/.test(error.message),
    );
    const { outcomes } = await world.migrate(rows, {
      historical: true,
      timezone: 'Pacific/Auckland',
    });
    assert.deepEqual(outcomes, {
      [`${local} email`]: 'confirmed',
      [`${future} email`]: 'consent_date_in_future',
    });
    const kept = emailOf(local).consent_timestamp?.slice(0, 19);
    assert.equal(kept, hourAgo.toISOString().slice(0, 19));
    assert.equal(carried(future), false);
  });

  scenario('wish-4', 'a date of today is not in the future, whatever the hour', async () => {
    // In one of the two it is not noon yet, which is what a date alone stands for.
    for (const timezone of ['UTC', 'Pacific/Auckland']) {
      const [email = ''] = people(1);
      const date = new Date().toLocaleDateString('sv-SE', { timeZone: timezone });
      const { outcomes } = await world.migrate(
        ['email,email_consent,email_consented_at', `${email},yes,${date}`],
        { historical: true, timezone },
      );
      assert.deepEqual(outcomes, { [`${email} email`]: 'confirmed' });
      assert.equal(emailOf(email).consent, 'SUBSCRIBED');
    }
  });

  scenario(
    'wish-20',
    'an older date changes neither a newer opt-out nor the date of a consent',
    async () => {
      const [out = '', since = ''] = people(2);
      world.sandbox.account.seed({
        email: out,
        email_consent: 'UNSUBSCRIBED',
        consent_timestamp: '2024-01-02T03:04:05Z',
      });
      world.sandbox.account.seed({
        email: since,
        email_consent: 'SUBSCRIBED',
        consent_timestamp: '2020-01-02T03:04:05Z',
      });
      const { outcomes } = await world.migrate(
        [
          'email,email_consent,email_consented_at',
          `${out},yes,2022-02-03T04:05:06Z`,
          `${since},yes,2022-02-03T04:05:06Z`,
        ],
        { historical: true },
      );
      assert.equal(outcomes[`${out} email`], 'opted_out_before_run');
      assert.equal(outcomes[`${since} email`], 'already_consented');
      assert.equal(emailOf(out).consent, 'UNSUBSCRIBED');
      assert.match(emailOf(since).consent_timestamp ?? '', /^2020-01-02/);
    },
  );

  scenario('wish-20', 'undoing a run takes nothing from people that they had before', async () => {
    const [given = '', had = '', out = ''] = people(3);
    world.sandbox.account.seed({ email: had, email_consent: 'SUBSCRIBED' });
    world.sandbox.account.seed({ email: out, email_consent: 'UNSUBSCRIBED' });
    const before = [had, out].map(emailOf);
    const { id } = await world.migrate([
      'email,email_consent',
      ...[given, had, out].map((email) => `${email},yes`),
    ]);
    const path = join(folder, 'undo.csv');
    const { consentry } = world.harness;
    const lines = undoRows(consentry.migrations.parts(id), id, 'all', () => undefined);
    const columns = undoColumns(['email'], 'all');
    await writePrivateFile(path, (file) => writeRowsCsv(lines, columns, file, true));
    const { outcomes } = await world.migrate(path);
    assert.deepEqual(outcomes, {
      [`${given} email`]: 'confirmed',
      // The run had put them on the list.
      [`${had} list`]: 'confirmed',
    });
    assert.deepEqual(world.profile(had).lists, []);
    assert.equal(emailOf(given).consent, 'UNSUBSCRIBED');
    assert.deepEqual([had, out].map(emailOf), before);
  });

  scenario(
    'wish-21',
    'a plan with counts comes before the first write, and changes are reported with before and after',
    async () => {
      const [joins = '', leaves = '', had = '', out = ''] = people(4);
      const bystanders = people(25);
      for (const email of [leaves, had, ...bystanders]) {
        world.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
      }
      world.sandbox.account.seed({ email: out, email_consent: 'UNSUBSCRIBED' });
      const untouched = [out, ...bystanders];
      const before = untouched.map(lineOf);
      const rows = [
        'email,email_consent',
        `${joins},yes`,
        `${leaves},unsubscribed`,
        `${had},yes`,
        `${out},yes`,
      ];
      const dry = await world.migrate(rows, { dryRun: true });
      const plan = await world.harness.consentry.migrations.plan(dry.id);
      const planned = plan?.toSend.map(({ channel, operation, parts }) => [
        channel,
        operation,
        parts,
      ]);
      assert.deepEqual(planned, [
        ['email', 'unsubscribe', 1],
        ['list', 'add_to_list', 1],
        ['email', 'subscribe', 1],
      ]);
      assert.equal(world.hasProfile(joins), false);
      assert.equal(emailOf(leaves).consent, 'SUBSCRIBED');

      const { id, parts } = await world.migrate(rows);
      const told = parts
        .filter(({ channel }) => channel === 'email')
        .map(({ email, consentBefore, consentAfter, sent }) => [
          email,
          consentBefore,
          consentAfter,
          sent,
        ]);
      assert.deepEqual(told, [
        [joins, null, 'SUBSCRIBED', true],
        [leaves, 'SUBSCRIBED', 'UNSUBSCRIBED', true],
        [had, 'SUBSCRIBED', null, false],
        [out, 'UNSUBSCRIBED', null, false],
      ]);
      const transitions = await world.harness.consentry.migrations.transitions(id);
      assert.equal(
        transitions.reduce((sum, transition) => sum + transition.parts, 0),
        3,
      );
      assert.deepEqual(untouched.map(lineOf), before);
    },
  );

  scenario(
    'wish-21',
    'the run waits for the first batch, and the rest is sent only if it was applied',
    async () => {
      const [first = '', second = ''] = people(2);
      const canary = { rows: 1, waitMs: 300 };
      const good = await world.migrate(['email,email_consent', `${first},yes`, `${second},yes`], {
        canary,
      });
      assert.deepEqual(Object.values(good.outcomes), ['confirmed', 'confirmed']);
      const sentAt = [...world.sandbox.account.subscribed()]
        .filter(({ email }) => email === first || email === second)
        .map(({ sent_at }) => Date.parse(sent_at));
      assert.ok((sentAt[1] ?? 0) - (sentAt[0] ?? 0) >= 300);

      const [lost = '', kept = ''] = people(2);
      const dropped = lost.replace('example.com', 'filtered.test');
      const bad = await world.migrate(['email,email_consent', `${dropped},yes`, `${kept},yes`], {
        canary,
        timing: { confirmWithinMs: 1_000 },
      });
      assert.match(bad.failure ?? '', /canary did not end as planned/);
      assert.deepEqual(bad.outcomes, {
        [`${dropped} email`]: 'unconfirmed',
        [`${kept} email`]: 'canary_failed',
      });
      assert.equal(carried(kept), false);
    },
  );

  scenario('wish-21', 'people who opt out while a run waits are not sent', async () => {
    const [first = '', second = ''] = people(2);
    const running = world.migrate(['email,email_consent', `${first},yes`, `${second},yes`], {
      canary: { rows: 1, waitMs: 1_500 },
      timing: { consentMaxAgeMs: 500 },
    });
    while (!carried(first)) await delay(20);
    world.sandbox.account.seed({ email: second, email_consent: 'UNSUBSCRIBED' });
    const { outcomes } = await running;
    assert.deepEqual(outcomes, {
      [`${first} email`]: 'confirmed',
      [`${second} email`]: 'opted_out_before_run',
    });
    assert.equal(carried(second), false);
    assert.equal(emailOf(second).consent, 'UNSUBSCRIBED');
  });

  scenario(
    'wish-22',
    'what a spreadsheet does to phone numbers is undone or refused, never guessed',
    async () => {
      const [quoted = '', plain = '', broken = '', german = ''] = people(4);
      const { outcomes } = await world.migrate(
        [
          '\uFEFFemail;phone_number;country;email_consent;sms_consent',
          `${quoted};'+12015550170;;yes;yes`,
          `${plain};12015550171;US;yes;yes`,
          `${broken};1,20156E+10;US;yes;yes`,
          `${german};4915123456789;;yes;yes`,
        ],
        { channels: ['email', 'sms'] },
      );
      assert.deepEqual(outcomes, {
        [`${quoted} email`]: 'confirmed',
        [`${quoted} sms`]: 'confirmed',
        [`${plain} email`]: 'confirmed',
        [`${plain} sms`]: 'confirmed',
        [`${broken} email`]: 'confirmed',
        [`${broken} sms`]: 'phone_scientific_notation',
        [`${german} email`]: 'confirmed',
        [`${german} sms`]: 'phone_country_unknown',
      });
      assert.equal(world.profile(quoted).phone_number, '+12015550170');
      assert.equal(world.profile(plain).phone_number, '+12015550171');
      for (const email of [broken, german]) assert.equal(world.profile(email).phone_number, null);
    },
  );

  function lineOf(email: string): TruthLine {
    return world.profile(email);
  }
});
