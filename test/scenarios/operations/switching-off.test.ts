import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { DEFAULT_SWITCHES } from 'klaviyo-sandbox';
import { workflowIds } from '../../../src/contracts/names.js';
import { Applying } from '../../../src/starter/programs/apply/applying.js';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import { Reach } from '../../../src/starter/reach.js';
import type { StartedOff } from '../../../src/starter/programs/off/start-off.js';
import { loadPrograms, type Programs } from '../../../src/starter/programs/load.js';
import type { FoundChange } from '../../../src/starter/programs/apply/applying.js';
import { DOUBLE, SINGLE } from '../../support/harness.js';
import { outcomesOf } from '../../support/outcomes.js';
import { people } from '../../support/people.js';
import { TEST_TIMING } from '../../support/settings.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

const GIVEN = 'off: { people: unsubscribe_given }';
const ALL = 'off: { people: unsubscribe_all }';
const NOTHING = 'off: { people: nothing }';
const OFF = 'enabled: false';
const PROOF = "proof: { statement: 'https://shop.test/terms', method: form }";

/** Everybody is read back before a run ends, so nobody has to be watched for long after it. */
const SOON_OVER = { ...TEST_TIMING, appliedWithinMs: 200 };

/** What belongs to the program's own calls may be dated so long after them. */
const LONG_AFTER_MS = 120_000;

describe('programs that are switched off', () => {
  let world: World;
  let files = 0;
  before(async () => {
    world = await startWorld();
  });
  afterEach(() => {
    world.turn(DEFAULT_SWITCHES);
    world.sandbox.account.clearFaults();
  });
  after(() => world.close());

  const options = { timing: TEST_TIMING };
  const emailOf = (who: string) => world.profile(who).subscriptions.email.marketing.consent;
  const consents = (all: readonly string[]) => all.map(emailOf);

  /** A program of its own list of people. */
  interface Club {
    readonly name: string;
    /** Its line in the file, with these settings after what all have. */
    line(...settings: string[]): string;
  }

  async function club(rows: readonly string[], header = 'email,email_consent'): Promise<Club> {
    files += 1;
    const name = `club${files}`;
    await world.harness.source(`${name}.csv`, [header, ...rows]);
    const always = `account: shop, source: { file: ${name}.csv }, list: ${SINGLE}, opt_in: single`;
    return {
      name,
      line: (...settings) => `  ${name}: { ${[always, ...settings].join(', ')} }`,
    };
  }

  const clubOf = (emails: readonly string[]) => club(emails.map((email) => `${email},yes`));

  async function load(...lines: string[]): Promise<Programs> {
    const head = ['version: 1', 'accounts: { shop: {} }', 'programs:'];
    return loadPrograms(await world.harness.source('consentry.yaml', [...head, ...lines]), {});
  }

  /** As `program run`, and until nobody is watched for an opt-out any more. */
  async function run(
    loaded: Programs,
    { name }: Club,
    timing: MigrationRequest['timing'] = SOON_OVER,
  ): Promise<string> {
    const { client, consentry } = world.harness;
    const { programs, migrations } = consentry;
    const program = loaded.programs.find((each) => each.name === name);
    assert.ok(program !== undefined);
    const { started } = await programs.start(await programs.prepare(loaded, program, { timing }));
    assert.ok(started !== null);
    const { id } = started;
    await migrations.waitForEnd(id);
    const { jobs } = await migrations.report(id);
    if (jobs.total > 0) await client.workflow.getHandle(workflowIds.optOutWatch(id)).result();
    return id;
  }

  async function changeOf(loaded: Programs, { name }: Club): Promise<FoundChange> {
    const changes = await world.harness.consentry.applying.changes(loaded);
    const found = changes.find(({ program }) => program === name);
    assert.ok(found !== undefined);
    return found;
  }

  type Outcomes = Readonly<Record<string, string>>;
  interface Applied extends Pick<StartedOff, 'alsoAsked'> {
    readonly id: string | null;
    readonly outcomes: Outcomes;
  }

  /** As `plan`. */
  async function plan(loaded: Programs, of: Club): Promise<Applied> {
    return switchOff(loaded, await changeOf(loaded, of), true);
  }

  /** As `apply`. */
  async function apply(loaded: Programs, of: Club): Promise<Applied> {
    const found = await changeOf(loaded, of);
    assert.equal(found.running, null);
    const applied = await switchOff(loaded, found, false);
    await world.harness.consentry.applying.note(found);
    return applied;
  }

  async function switchOff(
    loaded: Programs,
    found: FoundChange,
    dryRun: boolean,
  ): Promise<Applied> {
    const { applying, migrations } = world.harness.consentry;
    const { started, alsoAsked } = await applying.startOff(loaded, found, { ...options, dryRun });
    if (started === null) return { id: null, outcomes: {}, alsoAsked };
    await migrations.waitForEnd(started.id);
    const outcomes = await outcomesOf(world.harness.ledger, started.id);
    return { id: started.id, outcomes, alsoAsked };
  }

  const email = (outcomes: readonly (readonly [string, string])[]) =>
    Object.fromEntries(outcomes.map(([who, how]) => [`${who} email`, how]));

  scenario('operation-10', 'a program that is switched off takes nobody’s consent', async () => {
    const members = people(2);
    const own = await clubOf(members);
    await run(await load(own.line()), own);
    for (const off of [NOTHING, `${NOTHING}, channels: []`]) {
      const { id } = await apply(await load(own.line(...(off === NOTHING ? [OFF] : []), off)), own);
      assert.equal(id, null);
    }
    assert.deepEqual(consents(members), ['SUBSCRIBED', 'SUBSCRIBED']);
  });

  scenario(
    'operation-10',
    'only consent that the program gave is taken back, and only once',
    async () => {
      const [given = '', before_ = '', left = '', gone = ''] = people(4);
      const { account } = world.sandbox;
      account.seed({ email: before_, email_consent: 'SUBSCRIBED' });
      const own = await clubOf([given, before_, left, gone]);
      await run(await load(own.line()), own);
      account.unsubscribe({ email: left });
      const off = await load(own.line(OFF, GIVEN));
      const planned = await plan(off, own);
      assert.deepEqual(planned.outcomes, {
        ...email([
          [given, 'dry_run'],
          [gone, 'dry_run'],
          [left, 'already_opted_out'],
        ]),
      });
      assert.deepEqual(consents([given, before_, gone]), Array(3).fill('SUBSCRIBED'));
      const applied = await apply(off, own);
      assert.deepEqual(
        applied.outcomes,
        email([
          [given, 'confirmed'],
          [gone, 'confirmed'],
          [left, 'already_opted_out'],
        ]),
      );
      assert.deepEqual(consents([given, gone]), ['UNSUBSCRIBED', 'UNSUBSCRIBED']);
      assert.equal(emailOf(before_), 'SUBSCRIBED');
      const again = await changeOf(off, own);
      assert.deepEqual([again.change, again.off], ['none', null]);

      // Switched on again, the guard holds them as opted out.
      const on = await load(own.line());
      assert.equal((await changeOf(on, own)).change, 'switched_on');
      const outcomes = await outcomesOf(world.harness.ledger, await run(on, own));
      assert.deepEqual(
        outcomes,
        email([
          [given, 'opted_out_before_run'],
          [before_, 'already_consented'],
          [left, 'opted_out_before_run'],
          [gone, 'opted_out_before_run'],
        ]),
      );
    },
  );

  scenario(
    'operation-10',
    'who consented again by themselves keeps that consent, however Klaviyo shows it',
    async () => {
      const [stays = '', returns = '', joins = '', leaves = ''] = people(4);
      const { account } = world.sandbox;
      const other = account.createList({ name: 'Other', opt_in_process: 'single_opt_in' });
      const own = await clubOf([stays, returns, joins, leaves]);
      await run(await load(own.line(PROOF)), own);
      account.pass(LONG_AFTER_MS);
      // A new consent, with a date and a method of its own.
      account.unsubscribe({ email: returns });
      account.subscribe({ email: returns });
      // The consent stays as it was: only an event shows it.
      account.subscribe({ email: joins, list_id: other.id });
      account.unsubscribe({ email: leaves });
      account.pass(LONG_AFTER_MS);
      const off = await load(own.line(PROOF, OFF, GIVEN));
      const { outcomes } = await apply(off, own);
      assert.deepEqual(
        outcomes,
        email([
          [stays, 'confirmed'],
          [returns, 'renewed_elsewhere'],
          [joins, 'renewed_elsewhere'],
          [leaves, 'already_opted_out'],
        ]),
      );
      assert.deepEqual(consents([stays, returns, joins]), [
        'UNSUBSCRIBED',
        'SUBSCRIBED',
        'SUBSCRIBED',
      ]);
      assert.equal((await changeOf(off, own)).change, 'none');
    },
  );

  scenario(
    'operation-10',
    'consent that another program asks for, or another run renewed, is not taken back',
    async () => {
      const [alone = '', shared = '', soon = '', single = '', offToo = ''] = people(5);
      const own = await clubOf([alone, shared, soon, single, offToo]);
      // The same proof: Klaviyo shows no difference.
      const other = await clubOf([shared]);
      const ended = await clubOf([offToo]);
      const later = await clubOf([soon]);
      const others = [other, later].map((each) => each.line(PROOF));
      const on = await load(own.line(PROOF), ended.line(PROOF), ...others);
      await run(on, own);
      await run(on, other);
      await run(on, ended);
      await world.migrate(['email,email_consent', `${single},yes`]);
      await apply(await load(own.line(PROOF), ended.line(PROOF, OFF), ...others), ended);
      const off = await load(own.line(PROOF, OFF, GIVEN), ended.line(PROOF, OFF), ...others);
      const expected = [
        [shared, 'asked_for_elsewhere'],
        // No run has asked them yet, but the source of that program has them.
        [soon, 'asked_for_elsewhere'],
        [single, 'asked_for_elsewhere'],
        [offToo, 'asked_for_elsewhere'],
      ] as const;
      assert.deepEqual((await plan(off, own)).outcomes, email([[alone, 'dry_run'], ...expected]));
      assert.deepEqual(
        (await apply(off, own)).outcomes,
        email([[alone, 'confirmed'], ...expected]),
      );
      assert.deepEqual(consents([shared, soon, single, offToo]), Array(4).fill('SUBSCRIBED'));
      assert.equal(emailOf(alone), 'UNSUBSCRIBED');
    },
  );

  scenario(
    'operation-10',
    'nothing is taken back while a run still gives consent, nor with a key that may not read events',
    async () => {
      const [member = ''] = people(1);
      const own = await clubOf([member]);
      const { harness, sandbox } = world;
      const gate = harness.gates.close('bulk_subscribe_profiles');
      const running = run(await load(own.line()), own);
      await gate.reached;
      const off = await load(own.line(OFF, GIVEN));
      const meanwhile = await changeOf(off, own);
      assert.ok(meanwhile.running !== null);
      gate.open();
      assert.equal(meanwhile.running, await running);
      assert.equal((await changeOf(off, own)).running, null);
      const { settings } = sandbox.account;
      settings.scopes = new Set([
        ...['accounts', 'lists', 'profiles'].map((what) => `${what}:read`),
        ...['lists', 'profiles', 'subscriptions'].map((what) => `${what}:write`),
      ]);
      try {
        await assert.rejects(
          apply(off, own),
          /may not use get_metrics.*it needs the scopes metrics:read/,
        );
      } finally {
        settings.scopes = 'all';
      }
      assert.equal(emailOf(member), 'SUBSCRIBED');
      // It did not end, so it is still to be done.
      assert.equal((await apply(off, own)).outcomes[`${member} email`], 'confirmed');
      assert.equal(emailOf(member), 'UNSUBSCRIBED');
    },
  );

  scenario(
    'operation-10',
    'a source of another program that cannot be read takes nobody’s consent',
    async () => {
      const [member = ''] = people(1);
      const own = await clubOf([member]);
      const other = await clubOf(people(1));
      await run(await load(own.line(), other.line()), own);
      await world.harness.source(`${other.name}.csv`, ['name', 'nobody']);
      const off = await load(own.line(OFF, GIVEN), other.line());
      await assert.rejects(
        plan(off, own),
        /programs\.club\d+ still asks for, but its people cannot/,
      );
      await assert.rejects(apply(off, own), /cannot be read/);
      assert.equal(emailOf(member), 'SUBSCRIBED');
      assert.notEqual((await changeOf(off, own)).off, null);
    },
  );

  scenario(
    'operation-10',
    'consent that is renewed between the plan and the call is not taken back',
    async () => {
      const [stays = '', renews = '', asked = ''] = people(3);
      const { account } = world.sandbox;
      const own = await clubOf([stays, renews, asked]);
      await run(await load(own.line()), own);
      account.pass(LONG_AFTER_MS);
      const off = await load(own.line(OFF, GIVEN));
      // After the plan's look-up, before those of the call.
      const gate = world.harness.gates.close('get_profiles', 2);
      const applying = apply(off, own);
      await gate.reached;
      account.unsubscribe({ email: renews });
      account.subscribe({ email: renews });
      const source = await world.harness.source('late.csv', [
        'email,email_consent',
        `${asked},yes`,
      ]);
      const { migrations } = world.harness.consentry;
      const late = await migrations.start({ file: source, listId: SINGLE, ...options });
      gate.open();
      const { outcomes } = await applying;
      await migrations.waitForEnd(late.id);
      assert.deepEqual(
        outcomes,
        email([
          [stays, 'confirmed'],
          [renews, 'renewed_elsewhere'],
          [asked, 'asked_for_elsewhere'],
        ]),
      );
      assert.equal(emailOf(renews), 'SUBSCRIBED');
    },
  );

  scenario(
    'operation-10',
    'back-dated consent is known by the date that was sent, and older consent is not ours',
    async () => {
      const [ours = '', older = '', deleted = ''] = people(3);
      const { account } = world.sandbox;
      const own = await club(
        [ours, older, deleted].map((address) => `${address},yes,2024-03-01T12:00:00Z`),
        'email,email_consent,email_consented_at',
      );
      await run(await load(own.line('historical: true', PROOF)), own);
      // Klaviyo's support corrects the record: it is from an API call, and from before ours.
      account.seed({
        email: older,
        email_consent: 'SUBSCRIBED',
        email_consent_timestamp: '2021-01-01T00:00:00Z',
        method: 'API',
        custom_method_detail: 'form: https://shop.test/terms',
      });
      const off = await load(own.line('historical: true', PROOF, OFF, GIVEN));
      const { outcomes } = await apply(off, own);
      assert.equal(outcomes[`${ours} email`], 'confirmed');
      assert.equal(outcomes[`${older} email`], 'given_by_another');
      assert.deepEqual(consents([ours, older]), ['UNSUBSCRIBED', 'SUBSCRIBED']);
    },
  );

  scenario(
    'operation-10',
    'an unsubscribe from texts takes no other kind of texts with it',
    async () => {
      const [both, ours, other] = ['+12015550171', '+12015550172', '+12015550173'];
      const { account } = world.sandbox;
      account.seed({ phone_number: other, sms_transactional_consent: 'SUBSCRIBED' });
      const header = 'phone_number,sms_consent,sms_transactional_consent';
      const own = await club([`${both},yes,yes`, `${ours},yes,`, `${other},yes,`], header);
      const texts = 'channels: [sms, sms_transactional]';
      await run(await load(own.line(texts)), own);
      const smsOf = (phone: string) => world.profile(phone).subscriptions.sms.marketing.consent;
      assert.deepEqual([both, ours, other].map(smsOf), Array(3).fill('SUBSCRIBED'));
      // Both kinds of texts end together, and the program still asks for one of them.
      const marketing = await load(own.line('channels: [sms_transactional]', GIVEN));
      assert.deepEqual((await plan(marketing, own)).outcomes, {
        [`${both} sms`]: 'asked_for_elsewhere',
        [`${ours} sms`]: 'dry_run',
        [`${other} sms`]: 'ends_other_texts',
      });
      // Klaviyo may say that consent to marketing texts is consent to the others too: it came with it.
      world.turn({ smsMarketingImplies: 'consent' });
      const { outcomes } = await apply(await load(own.line(OFF, texts, GIVEN)), own);
      assert.deepEqual(outcomes, {
        [`${both} sms`]: 'confirmed',
        [`${both} sms_transactional`]: 'confirmed',
        [`${ours} sms`]: 'confirmed',
        [`${other} sms`]: 'ends_other_texts',
      });
      assert.deepEqual([both, ours, other].map(smsOf), [
        'UNSUBSCRIBED',
        'UNSUBSCRIBED',
        'SUBSCRIBED',
      ]);
    },
  );

  scenario('operation-10', 'all contacts are unsubscribed only if the file says all', async () => {
    const [former = '', given = '', before_ = '', fresh = '', shared = ''] = people(5);
    const { account } = world.sandbox;
    account.seed({ email: before_, email_consent: 'SUBSCRIBED' });
    const own = await clubOf([former, given, before_, shared]);
    const other = await clubOf([shared]);
    await run(await load(own.line()), own);
    const now = [given, before_, fresh, shared].map((address) => `${address},yes`);
    await world.harness.source(`${own.name}.csv`, ['email,email_consent', ...now]);
    const off = await load(own.line(OFF, ALL), other.line());
    const planned = await plan(off, own);
    assert.deepEqual(planned.alsoAsked, [{ channel: 'email', parts: 1 }]);
    assert.equal(Object.keys(planned.outcomes).length, 5);
    const { outcomes } = await apply(off, own);
    assert.deepEqual(
      outcomes,
      email([former, given, before_, fresh, shared].map((who) => [who, 'confirmed'])),
    );
    assert.deepEqual(
      consents([former, given, before_, fresh, shared]),
      Array(5).fill('UNSUBSCRIBED'),
    );
    assert.equal((await changeOf(off, own)).change, 'none');
  });

  scenario(
    'operation-10',
    'nobody is unsubscribed unread while Klaviyo refuses reads, nor again after a lost answer',
    async () => {
      const members = people(6);
      const [joins = '', ...others] = members;
      const own = await clubOf(members);
      const { account } = world.sandbox;
      await run(await load(own.line()), own);
      account.pass(LONG_AFTER_MS);
      const other = account.createList({ name: 'Another', opt_in_process: 'single_opt_in' });
      account.subscribe({ email: joins, list_id: other.id });
      account.pass(LONG_AFTER_MS);
      account.addFault({ endpoint: 'get_events', kind: '429', times: 3 });
      account.addFault({ endpoint: 'bulk_unsubscribe_profiles', kind: 'reset_after', times: 1 });
      const { outcomes } = await apply(await load(own.line(OFF, GIVEN)), own);
      assert.deepEqual(
        outcomes,
        email([[joins, 'renewed_elsewhere'], ...others.map((who) => [who, 'confirmed'] as const)]),
      );
      assert.equal(emailOf(joins), 'SUBSCRIBED');
      assert.deepEqual(consents(others), Array(5).fill('UNSUBSCRIBED'));
    },
  );

  scenario(
    'operation-10',
    'a run that was cancelled in the middle is finished by a retry or the next apply',
    async () => {
      const members = people(130);
      const own = await clubOf(members);
      await run(await load(own.line()), own);
      const off = await load(own.line(OFF, GIVEN));
      const { applying, migrations } = world.harness.consentry;
      const gate = world.harness.gates.close('bulk_unsubscribe_profiles');
      const { started } = await applying.startOff(off, await changeOf(off, own), options);
      assert.ok(started !== null);
      await gate.reached;
      await migrations.cancel(started.id);
      gate.open();
      await migrations.waitForEnd(started.id);
      const { outcomes } = await migrations.report(started.id);
      assert.deepEqual(outcomes, { confirmed: 100, cancelled: 30 });
      assert.equal(consents(members).filter((consent) => consent === 'SUBSCRIBED').length, 30);
      // Only consent that is still the program's, also in a retry.
      const stays = members.find((who) => emailOf(who) === 'SUBSCRIBED') ?? '';
      world.sandbox.account.unsubscribe({ email: stays });
      world.sandbox.account.subscribe({ email: stays });
      const retry = await migrations.retryFailed(started.id, options);
      await migrations.waitForEnd(retry.id);
      const retried = await migrations.report(retry.id);
      assert.deepEqual(retried.outcomes, { confirmed: 29, rejected: 1 });
      assert.equal(
        retried.parts.find(({ reason }) => reason !== null)?.reason,
        'renewed_elsewhere',
      );
      assert.deepEqual((await changeOf(off, own)).off?.people, 'unsubscribe_given');
      const applied = await apply(off, own);
      assert.equal(applied.outcomes[`${stays} email`], 'renewed_elsewhere');
      assert.deepEqual([...new Set(Object.values(applied.outcomes))].sort(), [
        'already_opted_out',
        'renewed_elsewhere',
      ]);
      assert.equal(emailOf(stays), 'SUBSCRIBED');
      assert.equal((await changeOf(off, own)).change, 'none');
    },
  );

  scenario(
    'operation-10',
    'an apply whose process dies before its run is started goes on with the next one',
    async () => {
      const [member = ''] = people(1);
      const own = await clubOf([member]);
      await run(await load(own.line()), own);
      const off = await load(own.line(OFF, GIVEN));
      const { client, ledger, accountId, taskQueue, consentry } = world.harness;
      const taskQueues = taskQueue.slice(0, -accountId.length - 1);
      const { connection } = client;
      const { namespace } = client.options;
      const reach = new Reach(connection as Connection, namespace, ledger, { taskQueues });
      let stored: () => void = () => undefined;
      const isStored = new Promise<void>((resolve) => (stored = resolve));
      // It dies when everything is stored, and before Temporal hears of it.
      reach.client.workflow.start = () => {
        stored();
        return new Promise(() => undefined);
      };
      void new Applying(reach).startOff(off, await changeOf(off, own), options);
      await isStored;
      assert.equal(emailOf(member), 'SUBSCRIBED');
      const found = await changeOf(off, own);
      assert.ok(found.offRunning !== null);
      assert.deepEqual([found.off, found.running], [null, null]);
      await consentry.applying.resumeOff(off, found);
      await consentry.migrations.waitForEnd(found.offRunning);
      assert.equal(emailOf(member), 'UNSUBSCRIBED');
      await consentry.applying.note(await changeOf(off, own));
      assert.equal((await changeOf(off, own)).change, 'none');
    },
  );

  scenario(
    'operation-10',
    'what a double opt-in run gave is taken back, and who has not clicked is left alone',
    async () => {
      const [clicks = '', waits = ''] = people(2);
      const own = await clubOf([clicks, waits]);
      const double = [`list: ${DOUBLE}`, 'opt_in: double'];
      const line = (...more: string[]) =>
        own.line(...more).replace(`list: ${SINGLE}, opt_in: single`, double.join(', '));
      world.sandbox.account.setClicks(0);
      const watched = { watchForMs: 20_000, watchFirstMs: 200, watchLongestMs: 200 };
      const timing = { ...SOON_OVER, confirmWithinMs: 3_000, ...watched };
      const id = await run(await load(line()), own, timing);
      world.sandbox.account.click({ email: clicks });
      const end = Date.now() + 15_000;
      for (;;) {
        const now = await outcomesOf(world.harness.ledger, id);
        if (now[`${clicks} email`] === 'confirmed') break;
        assert.ok(Date.now() < end, 'the click was never seen');
        await delay(50);
      }
      const off = await load(line(OFF, GIVEN));
      assert.deepEqual((await apply(off, own)).outcomes, email([[clicks, 'confirmed']]));
      assert.equal(emailOf(clicks), 'UNSUBSCRIBED');
      assert.equal(world.hasProfile(waits), false);
    },
  );
});
