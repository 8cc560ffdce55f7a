import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { workflowIds } from '../../../src/contracts/names.js';
import type { OptOutWatchResult } from '../../../src/contracts/migration.js';
import { noteOptOuts } from '../../../src/ledger/index.js';
import { SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { people } from '../../support/people.js';
import { startRun } from '../../support/runs.js';
import { outcomesOf } from '../../support/outcomes.js';
import { until } from '../phases.js';

/** What the guard read stays fresh for the whole test: what else is read has to do. */
const TIMING = {
  ...TEST_TIMING,
  consentMaxAgeMs: 600_000,
  textConsentMaxAgeMs: 600_000,
  confirmWithinMs: 4_000,
  appliedWithinMs: 4_000,
};

const MINUTE = 60_000;

/** Ways to say no, of which each is said by as many people. */
const WAYS = ['unsubscribe link', 'spam complaint', 'STOP', 'another run'] as const;
type Way = (typeof WAYS)[number];

interface Person {
  readonly way: Way;
  readonly email: string;
  readonly phone: string;
}

describe('people who say no while a run is under way', { timeout: 180_000 }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({ sandbox: { rateLimitFactor: 1_000 } });
  });
  after(() => harness.close());

  let phones = 0;
  /** People whom the account knows and who have said nothing yet. */
  function crowd(ofEach: number): Person[] {
    return WAYS.flatMap((way) =>
      people(ofEach).map((email) => {
        phones += 1;
        const phone = `+1201555${String(100 + phones).padStart(4, '0')}`;
        harness.sandbox.account.seed({ email, phone_number: phone });
        return { way, email, phone };
      }),
    );
  }

  /** Somebody of whom the run asks for texts as well says no to them alone. */
  const asksForTexts = ({ way }: Person) => way === 'STOP';

  async function start(
    crowd: readonly Person[],
    { waits = false, timing = TIMING }: { waits?: boolean; timing?: typeof TIMING } = {},
  ): Promise<string> {
    const [canary = ''] = people(1);
    const rows = [
      `${canary},,yes,`,
      ...crowd.map((person) =>
        asksForTexts(person) ? `${person.email},${person.phone},yes,yes` : `${person.email},,yes,`,
      ),
    ];
    const { id } = await harness.consentry.migrations.start({
      file: await harness.source(`${canary}.csv`, [
        'email,phone_number,email_consent,sms_consent',
        ...rows,
      ]),
      listId: SINGLE,
      channels: ['email', 'sms'],
      timing,
      ...(waits ? { canary: { rows: 1, waitMs: 1_000 } } : {}),
    });
    return id;
  }

  /** Everybody says no in their way; the other run is through when this is. */
  async function sayNo(crowd: readonly Person[]): Promise<void> {
    const { account } = harness.sandbox;
    const byRun = crowd.filter(({ way }) => way === 'another run');
    for (const { way, email, phone } of crowd) {
      if (way === 'unsubscribe link') account.unsubscribe({ email });
      if (way === 'spam complaint') account.complain({ email });
      if (way === 'STOP') account.stopSms({ phone_number: phone });
    }
    const { id } = await harness.consentry.migrations.start({
      file: await harness.source(`${byRun[0]?.email ?? 'none'}.csv`, [
        'email,email_consent',
        ...byRun.map(({ email }) => `${email},unsubscribed`),
      ]),
      timing: TEST_TIMING,
    });
    await harness.consentry.migrations.waitForEnd(id);
    for (const end of Object.values(await outcomesOf(harness.ledger, id))) {
      assert.equal(end, 'confirmed');
    }
  }

  const isSubscribed = (person: Person): boolean => {
    const truth = harness.sandbox.account.truthFor({ email: person.email });
    if (asksForTexts(person)) return truth?.subscriptions.sms?.marketing.consent === 'SUBSCRIBED';
    return truth?.subscriptions.email.marketing.can_receive_email_marketing === true;
  };

  /** What became of the part that each person has said no to, by way. */
  async function ends(id: string, crowd: readonly Person[]): Promise<Record<string, string[]>> {
    const outcomes = await outcomesOf(harness.ledger, id);
    const by: Record<string, Set<string>> = {};
    for (const person of crowd) {
      const part = asksForTexts(person) ? 'sms' : 'email';
      (by[person.way] ??= new Set()).add(outcomes[`${person.email} ${part}`] ?? 'missing');
    }
    return Object.fromEntries(Object.entries(by).map(([way, all]) => [way, [...all]]));
  }

  const everyWay = (end: string) => Object.fromEntries(WAYS.map((way) => [way, [end]]));

  /** Nothing that the run has sent can be applied any more. */
  async function untilWatched(id: string): Promise<OptOutWatchResult> {
    const watch = harness.client.workflow.getHandle(workflowIds.optOutWatch(id));
    return (await watch.result()) as OptOutWatchResult;
  }

  /** What the ledger knows of a person's opt-outs, for a test that fails. */
  async function known({ email }: Person): Promise<string> {
    const { rows } = await harness.ledger.pool.query(
      `select (select json_agg(o) from consentry.opt_out o where identifier = $1) as opt_outs,
         (select json_agg(f) from consentry.account_feed f) as feeds,
         (select json_agg(r) from consentry.repair r) as repairs`,
      [email],
    );
    return JSON.stringify([rows, harness.sandbox.account.truthFor({ email })], null, 1);
  }

  async function untilCanaryWaits(id: string): Promise<void> {
    const run = harness.client.workflow.getHandle(workflowIds.migration(id));
    await until('the wait after the canary', async () => {
      const { events } = await run.fetchHistory();
      return events?.some((event) => Boolean(event.timerStartedEventAttributes)) === true;
    });
  }

  test('while it waits after its canary: none of the 80 is sent, let alone subscribed', async () => {
    const crowd80 = crowd(20);
    const id = await start(crowd80, { waits: true });
    await untilCanaryWaits(id);
    await harness.consentry.migrations.pause(id);
    await sayNo(crowd80);
    await harness.consentry.migrations.resume(id);
    assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
    assert.deepEqual(await ends(id, crowd80), everyWay('opted_out_during_run'));
    const sent = new Set(
      [...harness.sandbox.account.subscribed()].flatMap(({ email, phone_number, channels }) =>
        channels.map((channel) => (channel === 'email' ? email : phone_number)),
      ),
    );
    const carried = crowd80.filter((person) =>
      sent.has(asksForTexts(person) ? person.phone : person.email),
    );
    assert.deepEqual(carried, []);
    assert.deepEqual(crowd80.filter(isSubscribed), []);
    const outcomes = await outcomesOf(harness.ledger, id);
    for (const { email } of crowd80.filter(asksForTexts)) {
      assert.equal(outcomes[`${email} email`], 'confirmed', 'who stops texts gets mail');
    }
  });

  for (const [says, moment] of [
    ['while its call is on the wire', 'before'],
    ['after Klaviyo took it, before it is applied', 'after'],
  ] as const) {
    test(`${says}: all are unsubscribed again, read back, and reported so`, async () => {
      const late = crowd(4);
      const { account } = harness.sandbox;
      const { delays } = account.settings;
      const quick = delays.subscribeLive;
      delays.subscribeLive = [MINUTE, MINUTE];
      const gate = harness.gates.close('bulk_subscribe_profiles');
      const timing = { ...TIMING, appliedWithinMs: 10_000 };
      const id = await start(late, { timing });
      await gate.reached;
      if (moment === 'before') await sayNo(late);
      gate.open();
      await until(
        'the call',
        async () => (await harness.consentry.migrations.totals(id)).accepted > 0,
      );
      if (moment === 'after') await sayNo(late);
      // Only now is it applied, however long it took to say no.
      account.advance(MINUTE);
      assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
      await untilWatched(id);
      delays.subscribeLive = quick;
      assert.deepEqual(await ends(id, late), everyWay('unsubscribed_again'));
      assert.deepEqual(late.filter(isSubscribed), []);
    });
  }

  test('by leaving the list that a form had put them on: only the event still tells of it', async () => {
    const [person] = crowd(1);
    assert.ok(person);
    const { account } = harness.sandbox;
    const { delays } = account.settings;
    const quick = delays.subscribeLive;
    delays.subscribeLive = [300, 300];
    const gate = harness.gates.close('bulk_subscribe_profiles');
    const id = await start([person]);
    await gate.reached;
    account.subscribe({ email: person.email, list_id: SINGLE });
    account.unsubscribe({ email: person.email, list_id: SINGLE });
    gate.open();
    assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
    await untilWatched(id);
    delays.subscribeLive = quick;
    const ended = await outcomesOf(harness.ledger, id);
    assert.equal(ended[`${person.email} email`], 'unsubscribed_again', await known(person));
    assert.equal(isSubscribed(person), false);
  });

  test('by leaving a list that their text puts them back on: they are off it again, and get texts', async () => {
    const [person] = crowd(1);
    assert.ok(person);
    const { email, phone } = person;
    const { account } = harness.sandbox;
    account.subscribe({ email, list_id: SINGLE });
    const gate = harness.gates.close('bulk_subscribe_profiles');
    const { id } = await harness.consentry.migrations.start({
      file: await harness.source('texts.csv', ['phone_number,sms_consent', `${phone},yes`]),
      listId: SINGLE,
      channels: ['sms'],
      timing: TIMING,
    });
    await gate.reached;
    account.unsubscribe({ email, list_id: SINGLE });
    gate.open();
    assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
    await untilWatched(id);
    assert.deepEqual(await outcomesOf(harness.ledger, id), { [`${phone} sms`]: 'confirmed' });
    const { subscriptions, lists } = account.truthFor({ email })!;
    assert.equal(subscriptions.sms.marketing.consent, 'SUBSCRIBED');
    assert.equal(subscriptions.email.marketing.consent, 'SUBSCRIBED', 'other mail is welcome');
    assert.deepEqual(lists, [], await known(person));
  });

  test('by leaving that list, and are removed from it meanwhile: they are not opted out of everything', async () => {
    const [person] = crowd(1);
    assert.ok(person);
    const { email, phone } = person;
    const { account, url, apiKey } = harness.sandbox;
    account.subscribe({ email, list_id: SINGLE });
    const gate = harness.gates.close('bulk_subscribe_profiles');
    const { id } = await harness.consentry.migrations.start({
      file: await harness.source('removed.csv', ['phone_number,sms_consent', `${phone},yes`]),
      listId: SINGLE,
      channels: ['sms'],
      timing: TIMING,
    });
    await gate.reached;
    account.unsubscribe({ email, list_id: SINGLE });
    const reading = harness.gates.close('get_profiles_for_list');
    gate.open();
    await reading.reached;
    const removed = await fetch(`${url}/api/lists/${SINGLE}/relationships/profiles`, {
      method: 'DELETE',
      headers: {
        authorization: `Klaviyo-API-Key ${apiKey}`,
        revision: '2026-10-15',
        'content-type': 'application/vnd.api+json',
      },
      body: JSON.stringify({ data: [{ type: 'profile', id: account.truthFor({ email })!.id }] }),
    });
    assert.equal(removed.status, 204);
    reading.open();
    assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
    await untilWatched(id);
    const { subscriptions, lists } = account.truthFor({ email })!;
    assert.equal(subscriptions.email.marketing.consent, 'SUBSCRIBED', 'other mail is welcome');
    assert.deepEqual(lists, []);
  });

  test('or of whom Klaviyo tells nothing when an answer got lost: they are not sent again', async () => {
    const [person] = crowd(1);
    assert.ok(person);
    const { account } = harness.sandbox;
    const { switches } = account.settings;
    account.addFault({ endpoint: 'bulk_subscribe_profiles', kind: 'reset_before', times: 1 });
    const gate = harness.gates.close('bulk_subscribe_profiles');
    const id = await startRun(harness, [person.email], {
      timing: { ...TIMING, confirmWithinMs: 2_000 },
    });
    await gate.reached;
    switches.subscriptionsField = 'null';
    gate.open();
    assert.equal((await harness.consentry.migrations.waitForEnd(id)).phase, 'done');
    switches.subscriptionsField = 'object';
    const sent = [...account.subscribed()].filter(({ email }) => email === person.email);
    assert.deepEqual(sent, []);
    const ended = await outcomesOf(harness.ledger, id);
    assert.equal(ended[`${person.email} email`], 'unconfirmed');
  });

  for (const [says, others] of [
    ['before other rows', 1],
    ['of all rows', 0],
  ] as const) {
    test(`before their call was applied, which is known only in the wait after a canary ${says}`, async () => {
      await leavesInTheWait(people(1 + others));
    });
  }

  async function leavesInTheWait(addresses: readonly string[]): Promise<void> {
    const [email = '', other] = addresses;
    const id = await startRun(harness, addresses, {
      timing: { ...TEST_TIMING, optOutsLateMs: 60_000 },
      canary: { rows: 1, waitMs: 600_000 },
    });
    await untilCanaryWaits(id);
    const ended = async () => (await outcomesOf(harness.ledger, id))[`${email} email`];
    assert.equal(await ended(), 'confirmed');
    const said = await harness.ledger.pool.query<{ at: Date }>(
      `select sent_at + interval '1 millisecond' as at from consentry.submission
       where migration_id = $1`,
      [id],
    );
    const at = said.rows[0]?.at.toISOString() ?? '';
    const optOut = {
      channel: 'email',
      identifier: email,
      listId: null,
      at,
      source: 'event',
    } as const;
    await noteOptOuts(harness.ledger.db, harness.accountId, [optOut]);
    await until('that they are out again', async () => (await ended()) === 'unsubscribed_again');
    await harness.consentry.migrations.cancel(id);
    await harness.consentry.migrations.waitForEnd(id);
    if (other === undefined) return;
    const ends = await outcomesOf(harness.ledger, id);
    assert.equal(ends[`${other} email`], 'cancelled_before_sending');
  }

  test('and then yes, by themselves, stay subscribed', async () => {
    const back = crowd(2).filter(({ way }) => way !== 'another run' && way !== 'STOP');
    const { delays } = harness.sandbox.account.settings;
    const quick = delays.subscribeLive;
    delays.subscribeLive = [500, 500];
    const gate = harness.gates.close('bulk_subscribe_profiles');
    const id = await start(back);
    await gate.reached;
    const { account } = harness.sandbox;
    for (const { email } of back) account.unsubscribe({ email });
    gate.open();
    await until('the run takes them out again', async () => {
      const { rows } = await harness.ledger.pool.query(
        'select from consentry.repair where migration_id = $1 and unsubscribed_at is not null',
        [id],
      );
      return rows.length === back.length;
    });
    // Events are dated to the second: of a no and a yes in one second the no counts.
    await delay(1_000);
    for (const { email } of back) account.subscribe({ email });
    await harness.consentry.migrations.waitForEnd(id);
    await untilWatched(id);
    delays.subscribeLive = quick;
    assert.deepEqual(back.filter(isSubscribed), back);
  });
});
