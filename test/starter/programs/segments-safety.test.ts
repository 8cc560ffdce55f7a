import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Intent } from '../../../src/contracts/intents.js';
import {
  getMigration,
  SegmentAsksElseError,
  SegmentIsRunningError,
  SegmentListError,
  storeSegmentRun,
} from '../../../src/ledger/index.js';
import {
  definitionOf,
  settingsOfRuns,
} from '../../../src/starter/programs/segment/start-segment.js';
import { DOUBLE, SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { intent } from '../../support/intents.js';
import { until } from '../../workflows/phases.js';
import { HEADER, peopleOf, Segment, type SegmentOptions } from './segment.js';

const LEAVES_AT_ONCE = 'key: member_id, leave: { do: unsubscribe, after: 1 run }';

describe('a segment, where something went wrong', { timeout: 300_000 }, () => {
  let harness: Harness;
  let people: ReturnType<typeof peopleOf>;
  let tests = 0;
  before(async () => {
    harness = await startHarness();
    people = peopleOf(harness);
  });
  beforeEach(() => void tests++);
  after(() => harness.close());

  const segmentOf = (settings: string, options?: SegmentOptions) =>
    new Segment(harness, settings, options);

  /** Addresses of a test's own, whose profiles Klaviyo has. */
  const known = (...names: readonly string[]): string[] => {
    const emails = names.map((name) => `${name}-${tests}@safety.test`);
    people.known(...emails);
    return emails;
  };

  const query = (text: string, values: readonly unknown[]) =>
    harness.ledger.pool.query(text, [...values]);

  /** As if what a run asked had been sent, and refused. */
  const fail = (id: string) =>
    query(
      `update consentry.settlement s set outcome = 'rejected', reason = 'klaviyo_refused'
       from consentry.migration m where m.id = $1 and s.migration_number = m.number`,
      [id],
    );

  const stateOf = async (identifier: string): Promise<string | null> => {
    const { rows } = await harness.ledger.pool.query<{ state: string }>(
      'select state from consentry.segment_part where identifier = $1',
      [identifier],
    );
    return rows[0]?.state ?? null;
  };

  it('refuses an opt-out beside a part that cannot be used', async () => {
    const [ada = ''] = known('ada');
    const segment = segmentOf('key: member_id, channels: [email, sms]', {
      header: `${HEADER},email_consent,sms_consent`,
    });
    await segment.has(`1,${ada},,unsubscribed,subscribed`, `2,${ada},+12015550171,subscribed,`);
    await assert.rejects(segment.start(), SegmentAsksElseError);
    await segment.has(`1,${ada},12,subscribed,unsubscribed`);
    await assert.rejects(segment.start(), SegmentAsksElseError, 'of a number that is none');
  });

  it('asks nobody of whom another row says what nobody understands', async () => {
    const [ada = '', bob = '', eve = ''] = known('ada', 'bob', 'eve');
    harness.sandbox.account.seed({ phone_number: '+12015550172' });
    const segment = segmentOf('key: member_id, channels: [email, sms]', {
      header: `${HEADER},email_consent,sms_consent`,
    });
    await segment.has(
      `1,${ada},,perhaps,`,
      `2,${ada},,subscribed,`,
      `3,${bob},+12015550172,subscribed,perhaps`,
      `4,,+12015550172,,subscribed`,
      `5,${eve},,subscribed,`,
    );
    assert.deepEqual((await segment.run()).outcomes, { confirmed: 2 });
    assert.deepEqual(
      [ada, bob, eve].map((email) => people.consentOf(email)),
      ['NEVER_SUBSCRIBED', 'SUBSCRIBED', 'SUBSCRIBED'],
    );
    assert.ok(!people.isOnList(ada));
    const texts = harness.sandbox.account.truthFor({ phone_number: '+12015550172' });
    assert.notEqual(texts?.subscriptions.sms?.marketing?.consent, 'SUBSCRIBED');
  });

  it('never asks again whose opt-out could not be read back', async () => {
    const [ada = ''] = known('ada');
    const segment = segmentOf('key: member_id');
    await segment.has(`1,${ada},`);
    const id = await segment.cancelled();
    // As a run leaves it that asked them, and whose unsubscribe did not arrive.
    await query(
      `update consentry.settlement s set outcome = 'unconfirmed', reason = 'opt_out_not_read_back'
       from consentry.migration m where m.id = $1 and s.migration_number = m.number`,
      [id],
    );
    await query(
      `insert into consentry.repair (migration_id, row_number, channel, opted_out_at, closed_at)
       values ($1, 1, 'email', now(), now())`,
      [id],
    );
    assert.equal((await segment.start()).started, null);
    assert.equal(await stateOf(ada), 'held');
    await query(`update consentry.segment_part set tried_at = now() - interval '9 days'`, []);
    await segment.has(`2,${ada},`);
    assert.equal((await segment.start()).started, null, 'nor by another key, nor later');
    const another = segmentOf('key: member_id');
    await another.has(`1,${ada},`);
    assert.equal((await another.start()).started, null, 'nor by another segment');
    assert.equal(people.consentOf(ada), 'NEVER_SUBSCRIBED');
  });

  it('is not retried by its rows: whoever was in may be gone', async () => {
    const [ada = ''] = known('ada');
    const segment = segmentOf('key: member_id');
    await segment.has(`1,${ada},`);
    const id = await segment.cancelled();
    await assert.rejects(
      harness.consentry.migrations.retryFailed(id),
      /is a run of the segment vip\d+: .*consentry program run vip\d+/,
    );
  });

  it('goes on after a run whose workflow was terminated', async () => {
    const [ada = ''] = known('ada');
    const segment = segmentOf('key: member_id');
    await segment.has(`1,${ada},`);
    const { started } = await segment.start({ approvalAbove: 0 });
    await assert.rejects(segment.start(), SegmentIsRunningError);
    await harness.client.workflow.getHandle(started?.workflowId ?? '').terminate();
    await assert.rejects(segment.start(), SegmentIsRunningError, 'it is being ended');
    const { migrations } = harness.consentry;
    await assert.rejects(migrations.waitForEnd(started?.id ?? ''), /terminated/);
    const { outcomes } = await migrations.report(started?.id ?? '');
    assert.deepEqual(outcomes, { cancelled: 1 }, 'every row has an outcome');
    assert.deepEqual((await segment.run()).outcomes, { confirmed: 1 });
  });

  it('ends a run that was stored when its process died, and never starts it late', async () => {
    const [ada = ''] = known('ada');
    const segment = segmentOf('key: member_id');
    await segment.has(`1,${ada},`);
    const { started } = await segment.start({ approvalAbove: 0 });
    const { workflowId = '' } = started ?? {};
    const handle = harness.client.workflow.getHandle(workflowId);
    await handle.terminate();
    const { namespace } = harness.client.options;
    const workflowExecution = { workflowId };
    await harness.client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
    await until('its deletion', () =>
      handle.describe().then(
        () => false,
        (error: unknown) => error instanceof WorkflowNotFoundError,
      ),
    );
    const { id = '' } = started ?? {};
    await assert.rejects(segment.start(), SegmentIsRunningError, 'it may be about to start');
    await query(`update consentry.run set created_at = now() - interval '1 hour' where id = $1`, [
      id,
    ]);
    await assert.rejects(segment.start(), SegmentIsRunningError, 'it is being ended');
    await assert.rejects(harness.consentry.migrations.waitForEnd(id), /never started/);
    assert.equal(people.consentOf(ada), 'NEVER_SUBSCRIBED');
    assert.deepEqual((await segment.run()).outcomes, { confirmed: 1 });
  });

  it('ends consent that another segment asked for once, and no longer asks for', async () => {
    const [ada = '', bob = ''] = known('ada', 'bob');
    const rows = [`1,${ada},`, `2,${bob},`];
    const [gives, asks] = [
      segmentOf(LEAVES_AT_ONCE),
      segmentOf('key: member_id, leave: { do: nothing, after: 1 run }'),
    ];
    await gives.has(...rows);
    await gives.run();
    await asks.has(...rows);
    await asks.run();
    await asks.has(`2,${bob},`);
    await asks.run();
    await asks.run();
    await gives.has('3,somebody@example.com,');
    await gives.run();
    assert.deepEqual([ada, bob].map(people.consentOf), ['UNSUBSCRIBED', 'SUBSCRIBED']);
  });

  it('leaves consent alone that another segment asks for since the run was stored', async () => {
    const [ada = '', bob = ''] = known('ada', 'bob');
    const [gives, asks] = [segmentOf(LEAVES_AT_ONCE), segmentOf('key: member_id')];
    await gives.has(`1,${ada},`, `2,${bob},`);
    await gives.run();
    await gives.has('3,somebody@example.com,');
    const { started } = await gives.start({ approvalAbove: 0 });
    const { id = '' } = started ?? {};
    await asks.has(`1,${ada},`);
    await asks.run();
    await harness.consentry.migrations.approve(id);
    await harness.consentry.migrations.waitForEnd(id);
    assert.deepEqual([ada, bob].map(people.consentOf), ['SUBSCRIBED', 'UNSUBSCRIBED']);
  });

  it('counts for its brakes whoever a cancelled run did not reach', async () => {
    const emails = known(...Array.from({ length: 60 }, (_, n) => `p${n}`));
    const rows = emails.map((email, n) => `${n},${email},`);
    const segment = segmentOf(`${LEAVES_AT_ONCE}, brakes: { enter: { people: 59 } }`);
    await segment.has(...rows);
    await segment.cancelled({ beyondBrakes: true });
    await assert.rejects(segment.start(), /60 people would enter/);
    await segment.run({ beyondBrakes: true });
    await segment.has(...rows.slice(30));
    await segment.cancelled({ beyondBrakes: true });
    await assert.rejects(segment.start(), /30 people would leave/, 'they have left already');
    await segment.has(...rows);
    assert.deepEqual((await segment.run()).outcomes, {}, 'they are as they were');
    await segment.has(...rows.slice(30));
    await segment.run({ beyondBrakes: true });
    const consents = emails.slice(0, 30).map((email) => people.consentOf(email));
    assert.deepEqual([...new Set(consents)], ['UNSUBSCRIBED'], 'and what it gave is still known');
  });

  it('knows who gave the consent after somebody came back before they had left', async () => {
    const [ada = '', eve = ''] = known('ada', 'eve');
    const segment = segmentOf(LEAVES_AT_ONCE);
    const both = [`1,${ada},`, `9,${eve},`];
    await segment.has(...both);
    await segment.run();
    await segment.has(both[1] ?? '');
    await fail(await segment.cancelled());
    await segment.has(...both);
    assert.deepEqual((await segment.run()).outcomes, { already_consented: 1 });
    await segment.has(both[1] ?? '');
    await segment.run();
    assert.equal(people.consentOf(ada), 'UNSUBSCRIBED');
  });

  it('asks nobody of whom one row consents, and another does not', async () => {
    const [ada = '', eve = ''] = known('ada', 'eve');
    const segment = segmentOf('key: member_id', { header: `${HEADER},email_consent` });
    await segment.has(`1,${ada},,no`, `2,${ada},,yes`, `3,${eve},,yes`);
    assert.deepEqual((await segment.run()).outcomes, { confirmed: 1 });
    assert.equal(people.consentOf(ada), 'NEVER_SUBSCRIBED');
  });

  it('keeps whoever had a key that is somebody else by another column', async () => {
    const [ada = '', bob = '', eve = ''] = known('ada', 'bob', 'eve');
    const segment = segmentOf(LEAVES_AT_ONCE, { header: `${HEADER},shop_id` });
    await segment.has(`5,${ada},,1`, `6,${bob},,5`, `7,${eve},,2`);
    await segment.run();
    segment.settings = LEAVES_AT_ONCE.replace('member_id', 'shop_id');
    await segment.has(`6,${bob},,5`, `7,${eve},,2`);
    assert.equal((await segment.run()).kept, 1);
    const { kept, leaving } = await segment.run();
    assert.deepEqual([kept, leaving], [1, 0]);
    assert.equal(people.consentOf(ada), 'SUBSCRIBED');
  });

  it('takes nothing over of a run that only planned, however it ended', async () => {
    const [ada = '', bob = ''] = known('ada', 'bob');
    const segment = segmentOf(LEAVES_AT_ONCE);
    await segment.has(`1,${ada},`, `2,${bob},`);
    await segment.run();
    const { programs, migrations } = harness.consentry;
    const { id } = await programs.read(await segment.prepare({ dryRun: true }));
    await migrations.waitForEnd(id);
    await query(`update consentry.migration set phase = 'cancelled' where id = $1`, [id]);
    await segment.has(`1,${ada},`);
    const { triedAgain, leaving, outcomes } = await segment.run();
    assert.deepEqual([triedAgain, leaving, outcomes], [0, 1, { confirmed: 1 }]);
    assert.equal(people.consentOf(bob), 'UNSUBSCRIBED', 'proof of what it gave was not lost');
  });

  it('knows after failures that somebody is on the list', async () => {
    const [ada = ''] = known('ada');
    const segment = segmentOf('key: member_id, leave: { after: 1 run }');
    const others = ['8,other8@safety.test,', '9,other9@safety.test,'];
    await segment.has(`1,${ada},`, ...others);
    await segment.run();
    await segment.has(...others);
    await fail(await segment.cancelled());
    await segment.has(`1,${ada},`, ...others);
    await fail(await segment.cancelled());
    await segment.has(...others);
    assert.ok(people.isOnList(ada));
    await segment.run();
    assert.ok(!people.isOnList(ada));
  });

  it('takes off the list whoever clicks after they left', async () => {
    const [ada = ''] = known('ada');
    const segment = segmentOf('key: member_id, leave: { after: 1 run }', {
      list: `list: ${DOUBLE}, opt_in: double`,
    });
    // Nobody clicks by themselves.
    harness.sandbox.account.setClicks(0);
    await segment.has(`1,${ada},`, '9,other9@safety.test,');
    assert.deepEqual((await segment.run()).outcomes, { pending_double_opt_in: 1, rejected: 1 });
    await segment.has('9,other9@safety.test,');
    await segment.run();
    assert.equal(harness.sandbox.account.click({ email: ada }), 1);
    await until('the consent', () => Promise.resolve(people.isOnList(ada, DOUBLE)));
    assert.equal((await segment.start()).started, null, 'not in each run');
    await query(`update consentry.segment_part set tried_at = now() - interval '2 days'`, []);
    await segment.run();
    assert.ok(!people.isOnList(ada, DOUBLE));
    await query(
      `update consentry.segment_part set tried_at = now() - interval '2 days', since = now() - interval '31 days'
       where identifier = $1`,
      [ada],
    );
    await segment.run();
    await segment.start();
    assert.equal(await stateOf(ada), null, 'it is over');
  });

  it('makes one part of two whose keys become one', async () => {
    const [ada = '', eve = ''] = known('ada', 'eve');
    const segment = segmentOf(LEAVES_AT_ONCE);
    await segment.has(`1,${ada},`, `2,${ada},`, `9,${eve},`);
    await segment.run();
    await segment.has(`3,${ada},`, `9,${eve},`);
    assert.equal((await segment.run()).leaving, 0);
    await segment.has(`9,${eve},`);
    assert.deepEqual((await segment.run()).outcomes, { confirmed: 1 });
    assert.equal(people.consentOf(ada), 'UNSUBSCRIBED');
  });

  it('lets people leave after its key is another column', async () => {
    const [ada = '', bob = '', eve = ''] = known('ada', 'bob', 'eve');
    const segment = segmentOf(LEAVES_AT_ONCE, { header: `${HEADER},shop_id` });
    const lines = [ada, bob, eve].map((email, n) => `${n},${email},,s${n}`);
    await segment.has(...lines);
    await segment.run();
    segment.settings = LEAVES_AT_ONCE.replace('member_id', 'shop_id');
    await segment.has(...lines.slice(0, 2));
    const { isBaseline, kept, leaving } = await segment.run();
    assert.deepEqual([isBaseline, kept, leaving], [true, 1, 0]);
    await segment.has(...lines.slice(0, 1));
    assert.equal((await segment.run()).leaving, 1);
    assert.deepEqual(
      [ada, bob, eve].map((email) => people.consentOf(email)),
      ['SUBSCRIBED', 'UNSUBSCRIBED', 'SUBSCRIBED'],
    );
  });

  it('is refused with another list: nobody would leave the old one', async () => {
    const [ada = ''] = known('ada');
    const segment = segmentOf('key: member_id');
    await segment.has(`1,${ada},`);
    await segment.run();
    const moved = await segment.load(
      segment.settings,
      segment.file,
      `list: ${DOUBLE}, opt_in: double`,
    );
    await assert.rejects(segment.start({}, moved), (error: unknown) => {
      assert.ok(error instanceof SegmentListError);
      assert.match(error.message, new RegExp(`on the list ${SINGLE}, .* the list ${DOUBLE} now`));
      return true;
    });
  });

  it('counts for its brake whoever has another address', async () => {
    const emails = known(...Array.from({ length: 40 }, (_, n) => `p${n}`));
    const segment = segmentOf('key: member_id, brakes: { enter: { people: 19 } }');
    await segment.has(...emails.slice(0, 20).map((email, n) => `${n},${email},`));
    await segment.run({ beyondBrakes: true });
    await segment.has(...emails.slice(20).map((email, n) => `${n},${email},`));
    await assert.rejects(
      segment.start(),
      /20 people would enter or have another address, and brakes.enter.people is 19/,
    );
  });

  it('stores no empty row for a channel that was taken out', async () => {
    harness.sandbox.account.seed({ phone_number: '+12015550173' });
    const [eve = ''] = known('eve');
    const segment = segmentOf(`channels: [sms, email], ${LEAVES_AT_ONCE}`);
    const another = segmentOf('channels: [sms], key: member_id');
    await segment.has('1,,+12015550173', `9,${eve},`);
    assert.deepEqual((await segment.run()).outcomes, { confirmed: 2 });
    await another.has('1,,+12015550173');
    await another.run();
    segment.settings = segment.settings.replace('[sms, email]', '[email]');
    await segment.has(`9,${eve},`);
    const { started, found } = await segment.start();
    assert.deepEqual([found?.leaving, started], [1, null], 'the other one has them on the list');
  });

  it('keeps on the list whoever has another address, and the number that was asked', async () => {
    const [now = ''] = known('now');
    const email = `was-${tests}@safety.test`;
    harness.sandbox.account.seed({ email, phone_number: '+12015550174' });
    const segment = segmentOf(`channels: [email, sms], ${LEAVES_AT_ONCE}`);
    await segment.has(`1,${email},+12015550174`);
    await segment.run();
    assert.ok(people.isOnList(email));
    await segment.has(`1,${now},+12015550174`);
    await segment.run();
    assert.ok(people.isOnList(email), 'texts go to the same profile');
    assert.equal(people.consentOf(email), 'UNSUBSCRIBED');
    const other = '2,other@safety.test,';
    await segment.has(other);
    await segment.run();
    assert.ok(!people.isOnList(email), 'it leaves with its member');
  });

  it('keeps keys of any text, whatever they look like in one run', async () => {
    const [ada = '', bob = ''] = known('ada', 'bob');
    const segment = segmentOf('key: member_id');
    await segment.has(`a1,${ada},`, `2,${bob},`);
    await segment.cancelled();
    await segment.has(`2,${bob},`);
    await segment.cancelled();
    await segment.has(`2,${bob},`, `b3,${ada},`);
    assert.equal((await segment.run()).people, 2, 'its keys were never all numbers');
  });

  /** Compares as a worker does for one run of a Schedule. */
  const compare = async (
    segment: Segment,
    runId: string,
    rows: readonly (readonly [key: string, email: string])[],
    onBatch: () => Promise<void> = () => Promise.resolve(),
  ) => {
    const { programs } = harness.consentry;
    const loaded = await segment.load();
    const [program] = loaded.programs;
    const { segment: settings = null } = program ?? {};
    assert.ok(program !== undefined && settings !== null);
    const { request } = await programs.prepare(loaded, program);
    async function* batches(): AsyncGenerator<Intent[]> {
      await onBatch();
      yield rows.map(([key, email], line) => ({ ...intent({ email }), key, line: line + 2 }));
    }
    const id = `${runId}-migration`;
    return storeSegmentRun(
      harness.ledger,
      definitionOf(program, settings, harness.accountId, request),
      {
        id,
        accountId: harness.accountId,
        sourceName: 'vip',
        sourceSha256: '',
        preset: 'generic',
        settings: settingsOfRuns(settings, request, 'vip'),
        requestHash: id,
        share: 1,
        retryOf: null,
        program: program.name,
      },
      batches(),
      { dryRun: false, approved: null, runId, after: null },
    );
  };

  it('compares once in a run, however often its step is tried', async () => {
    const [ada = '', bob = ''] = known('ada', 'bob');
    const segment = segmentOf('key: member_id, leave: { after: 2 runs }');
    await segment.has(`1,${ada},`, `2,${bob},`);
    await segment.run();
    const left = [['1', ada]] as const;
    const first = await compare(segment, `${segment.name}-a`, left);
    // An attempt that had lost its connection to Temporal ended after all; the next one begins.
    const again = await compare(segment, `${segment.name}-a`, left);
    assert.deepEqual(
      [first.found.missing, again.found.leaving, again.generation, again.rows],
      [1, 0, first.generation, 0],
    );
    const next = await compare(segment, `${segment.name}-b`, left);
    assert.deepEqual([next.found.leaving, next.rows], [1, 1]);
    const after = await compare(segment, `${segment.name}-b`, left);
    assert.deepEqual([after.rows, after.generation], [1, next.generation], 'of its own migration');
    await query(`update consentry.run set finished_at = now() where id = $1`, [
      `${segment.name}-b-migration`,
    ]);
  });

  it('dates a run by when it is stored, however long its source was read', async () => {
    const [ada = ''] = known('ada');
    const segment = segmentOf('key: member_id');
    const id = `${segment.name}-slow`;
    const { rows } = await harness.ledger.pool.query<{ at: Date }>(
      'select clock_timestamp() as at',
    );
    await compare(segment, id, [['1', ada]], async () => {
      await harness.ledger.pool.query('select pg_sleep(1)');
    });
    const { createdAt } = await getMigration(harness.ledger.db, `${id}-migration`);
    assert.ok(
      createdAt.getTime() - (rows[0]?.at.getTime() ?? 0) >= 1_000,
      'whoever waited for it would take it for one whose process has died',
    );
    await query(`update consentry.run set finished_at = now() where id = $1`, [`${id}-migration`]);
  });

  /** As a run leaves it whose unsubscribe did not arrive. */
  const notReadBack = async (id: string) => {
    await query(
      `update consentry.settlement s set outcome = 'unconfirmed', reason = 'opt_out_not_read_back'
       from consentry.migration m where m.id = $1 and s.migration_number = m.number and s.row_number = 1`,
      [id],
    );
  };

  for (const [what, settings] of [
    ['has left a segment that does nothing about it', 'leave: { do: nothing, after: 1 run }'],
    ['has another address', 'leave: { do: remove_from_list, after: 1 run }'],
  ] as const) {
    it(`never forgets whose opt-out could not be read back when somebody ${what}`, async () => {
      const [ada = '', eve = '', bob = ''] = known('ada', 'eve', 'bob');
      const segment = segmentOf(`key: member_id, ${settings}`);
      // Of another segment with the same list, so that nothing is to be done for Ada.
      const another = segmentOf('key: member_id');
      await segment.has(`1,${ada},`, `9,${eve},`);
      const id = await segment.cancelled();
      await notReadBack(id);
      await segment.cancelled();
      await another.has(`1,${ada},`);
      assert.equal((await another.start()).started, null);
      await segment.has(`9,${eve},`, ...(what.startsWith('has another') ? [`1,${bob},`] : []));
      await segment.cancelled();
      // Their run was deleted.
      await query('delete from consentry.migration where id = $1', [id]);
      await another.has(`1,${ada},`);
      assert.equal((await another.start()).found?.asked, 0);
    });
  }

  it('never forgets whose opt-out could not be read back when two keys become one', async () => {
    const [ada = '', eve = ''] = known('ada', 'eve');
    const segment = segmentOf('key: member_id');
    await segment.has(`1,${ada},`, `2,${eve},`);
    const id = await segment.cancelled();
    await notReadBack(id);
    await query(
      `update consentry.settlement s set outcome = 'confirmed', reason = null
       from consentry.migration m where m.id = $1 and s.migration_number = m.number and row_number = 2`,
      [id],
    );
    await segment.start();
    // Another key was in by the same address.
    await query(
      `insert into consentry.segment_part (since, tried_at, segment_number, migration_number, row_number,
         channel, state, key, identifier, may_be_at_klaviyo)
       select since, tried_at, segment_number, migration_number, row_number, channel, 'in', '0', $1, true
       from consentry.segment_part where identifier = $2`,
      [ada, eve],
    );
    await segment.has(`3,${ada},`, `2,${eve},`);
    await segment.start();
    await query('delete from consentry.migration where id = $1', [id]);
    const another = segmentOf('key: member_id');
    await another.has(`1,${ada},`);
    assert.equal((await another.start()).found?.asked, 0);
  });

  it('keeps nobody by a number alone that the query has no more, nor takes them off the list', async () => {
    const email = `both-${tests}@safety.test`;
    harness.sandbox.account.seed({ email, phone_number: '+12015550175' });
    const [eve = ''] = known('eve');
    const segment = segmentOf(`channels: [email, sms], ${LEAVES_AT_ONCE}`);
    await segment.has(`1,${email},+12015550175`, `9,${eve},`);
    await segment.run();
    assert.ok(people.isOnList(email));
    // Another source, which has addresses alone.
    const file = `${segment.name}-new.csv`;
    const lines = [`1,${email},`, `9,${eve},`];
    await harness.source(file, [HEADER, ...lines]);
    const changed = await segment.load(segment.settings, file);
    const { found } = await segment.start({}, changed);
    assert.deepEqual([found?.isBaseline, found?.kept], [true, 0]);
    await query(
      `update consentry.segment_member set kept = false, missing_runs = 30000 where kept`,
      [],
    );
    await segment.run({}, changed);
    assert.ok(people.isOnList(email));
  });
});
