import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Watchdog } from '../../../src/activities/index.js';
import type { SegmentStatus } from '../../../src/starter/programs/activation/activations.js';
import type { Programs } from '../../../src/starter/programs/load.js';
import { startHarness, type Harness } from '../../support/harness.js';
import { until } from '../../workflows/phases.js';
import { nextRun, peopleOf, Segment, untilAnswerable, SOON_OVER } from './segment.js';

/** `PENDING_ACTIVITY_STATE_CANCEL_REQUESTED` of Temporal. */
const CANCEL_REQUESTED = 3;

const HOURLY = 'key: member_id, leave: { after: 1 run }, schedule: { every: 1h }';

describe('segments that run by themselves', { timeout: 300_000 }, () => {
  let harness: Harness;
  let people: ReturnType<typeof peopleOf>;
  let tests = 0;
  before(async () => {
    harness = await startHarness();
    people = peopleOf(harness);
  });
  beforeEach(() => void tests++);
  after(() => harness.close());

  const known = (...names: readonly string[]): string[] => {
    const emails = names.map((name) => `${name}-${tests}@itself.test`);
    people.known(...emails);
    return emails;
  };

  const apply = async (loaded: Programs): Promise<readonly string[]> => {
    const { activations } = harness.consentry;
    const changes = await activations.changes(loaded);
    for (const change of changes) await activations.apply(loaded, change, { timing: SOON_OVER });
    return changes.map(({ change }) => change);
  };

  const statusOf = ({ name }: Segment): Promise<SegmentStatus> =>
    harness.consentry.activations.status(name);

  /** Starts a run, and waits until it waits or has ended. @returns its state */
  const run = async (segment: Segment): Promise<SegmentStatus['runs'][number]> => {
    const { runs } = await statusOf(segment);
    const before = runs[0]?.id ?? null;
    await nextRun(harness, segment.name, before);
    return next(segment, before);
  };

  const next = async (
    segment: Segment,
    before: string | null,
  ): Promise<SegmentStatus['runs'][number]> => {
    await untilAnswerable(harness, segment.name, before);
    const [newest] = (await statusOf(segment)).runs;
    assert.ok(newest !== undefined);
    return newest;
  };

  /** Until its workflow has ended: the Schedule starts no other before. */
  const ended = async ({ workflowId }: SegmentStatus['runs'][number]): Promise<void> => {
    await harness.client.workflow.getHandle(workflowId ?? '').result();
  };

  it('are run by a worker, at the times of their file', async () => {
    const [ada = '', bob = ''] = known('ada', 'bob');
    const segment = new Segment(harness, HOURLY);
    await segment.has(`1,${ada},`, `2,${bob},`);
    assert.deepEqual(await apply(await segment.load()), ['new']);
    const first = await run(segment);
    await ended(first);
    assert.deepEqual([first.state, first.found?.entering, first.why], ['done', 2, null]);
    assert.ok(people.isOnList(ada) && people.isOnList(bob));
    await segment.has(`1,${ada},`);
    const second = await run(segment);
    await ended(second);
    assert.deepEqual([second.state, second.found?.leaving], ['done', 1]);
    assert.ok(!people.isOnList(bob));
    const third = await run(segment);
    assert.deepEqual([third.state, third.migrationId], ['nothing_to_do', null]);
    const { schedule, isLate, lastSuccessMs } = await statusOf(segment);
    assert.ok(schedule?.nextAt !== null && lastSuccessMs !== null && !isLate);
    assert.deepEqual(
      await apply(await segment.load()),
      ['changed'],
      'its timing is no longer that of tests',
    );
  });

  it('change and end with their file', async () => {
    const segment = new Segment(harness, HOURLY);
    await segment.has('1,nobody@itself.test,');
    const { activations } = harness.consentry;
    const loaded = await segment.load();
    for (const change of await activations.changes(loaded)) await activations.apply(loaded, change);
    assert.deepEqual(
      (await activations.changes(loaded))
        .filter(({ program }) => program === segment.name)
        .map(({ change }) => change),
      ['none'],
    );
    await activations.setPaused(segment.name, true);
    assert.equal((await statusOf(segment)).schedule?.paused, true);
    const daily = await segment.load(
      segment.settings.replace('every: 1h', 'cron: "0 3 * * *", time_zone: Europe/Berlin'),
    );
    await apply(daily);
    assert.equal((await statusOf(segment)).schedule?.paused, true, 'a change resumes nothing');
    const gone = await segment.load('key: member_id');
    await apply(gone);
    assert.equal((await statusOf(segment)).schedule, null);
    await assert.rejects(activations.trigger(segment.name), /does not run by itself/);
  });

  it('wait for an answer when their brakes hold them, and no other run starts', async () => {
    const emails = known(...Array.from({ length: 40 }, (_, n) => `p${n}`));
    const rows = emails.map((email, n) => `${n},${email},`);
    const segment = new Segment(harness, `${HOURLY}, brakes: { enter: { people: 29 } }`);
    await segment.has(...rows.slice(0, 30));
    await apply(await segment.load());
    const braked = await run(segment);
    assert.equal(braked.state, 'braked');
    assert.match(braked.why ?? '', /30 people would enter, and brakes.enter.people is 29/);
    const { activations } = harness.consentry;
    await activations.trigger(segment.name);
    await segment.has(...rows);
    await activations.approve(segment.name);
    await until(
      'another comparison',
      async () => (await statusOf(segment)).runs[0]?.found?.entering === 40,
    );
    const again = await next(segment, null);
    assert.equal(again.state, 'braked', 'an approval of 30 is none of 40');
    assert.match(again.why ?? '', /40 people would enter/);
    assert.equal((await statusOf(segment)).runs.length, 1, 'the Schedule started no other');
    await activations.approve(again.id);
    await ended(again);
    await assert.rejects(activations.approve(again.id), /waits for no answer: it is done/);
    const [done] = (await statusOf(segment)).runs;
    assert.deepEqual([done?.state, done?.found?.entering], ['done', 40]);
    assert.ok(emails.every((email) => people.isOnList(email)));
  });

  it('are looked after: whoever is to answer is told once of each run that waits', async () => {
    const emails = known(...Array.from({ length: 30 }, (_, n) => `p${n}`));
    const segment = new Segment(
      harness,
      `${HOURLY}, brakes: { enter: { people: 29 } }, notify: { url: { env: HOOK } }`,
    );
    await segment.has(...emails.map((email, n) => `${n},${email},`));
    await apply(await segment.load());
    const { ledger, accountId } = harness;
    const told: (readonly [string, string])[] = [];
    const watchdog = new Watchdog(
      { ledger, accountId },
      {
        send: (to, { state, message }) => {
          assert.deepEqual(to, { from: 'env', name: 'HOOK' });
          told.push([state, message]);
          return Promise.resolve();
        },
        measure: () => undefined,
        warn: (message) => assert.fail(message),
      },
    );
    const look = async (): Promise<string[]> => {
      await watchdog.look();
      await watchdog.look();
      return told.map(([state]) => state);
    };
    assert.deepEqual(await look(), []);
    const first = await run(segment);
    assert.deepEqual(await look(), ['braked']);
    assert.match(told[0]?.[1] ?? '', /30 people would enter.*consentry program approve vip/);
    await harness.consentry.activations.reject(segment.name);
    await ended(first);
    assert.deepEqual(await look(), ['braked', 'well'], 'nothing waits any more');
    const second = await run(segment);
    assert.deepEqual(await look(), ['braked', 'well', 'braked'], 'another run is another question');
    await harness.consentry.activations.approve(segment.name);
    await ended(second);
    assert.deepEqual((await look()).slice(3), ['well']);
    await ledger.pool.query(
      `update consentry.segment_run set finished_at = finished_at - interval '1 day' where segment_number = $1`,
      [(await statusOf(segment)).segment],
    );
    assert.ok((await statusOf(segment)).isLate);
    assert.deepEqual((await look()).slice(4), ['late']);
  });

  it('send nothing once they are rejected, by a signal too', async () => {
    const emails = known(...Array.from({ length: 30 }, (_, n) => `p${n}`));
    const segment = new Segment(harness, `${HOURLY}, brakes: { enter: { people: 29 } }`);
    await segment.has(...emails.map((email, n) => `${n},${email},`));
    await apply(await segment.load());
    const { activations } = harness.consentry;
    await assert.rejects(activations.reject(segment.name), /No run of vip\d+ waits/);
    await ended(await rejected(() => activations.reject(segment.name)));
    const [first] = (await statusOf(segment)).runs;
    assert.deepEqual([first?.state, first?.migrationId], ['rejected', null]);
    await assert.rejects(
      activations.reject(first?.id ?? ''),
      /waits for no answer: it is rejected/,
    );
    const second = await rejected(({ workflowId }) =>
      harness.client.workflow.getHandle(workflowId ?? '').signal('reject'),
    );
    await ended(second);
    assert.ok(!emails.some((email) => people.isOnList(email)));

    async function rejected(
      reject: (run: SegmentStatus['runs'][number]) => Promise<unknown>,
    ): Promise<SegmentStatus['runs'][number]> {
      const braked = await run(segment);
      assert.equal(braked.state, 'braked');
      await reject(braked);
      return braked;
    }
  });

  it('stop until a person acts when their source is wrong', async () => {
    const [ada = ''] = known('ada');
    const segment = new Segment(harness, HOURLY);
    await segment.has(`1,${ada},`, `1,${ada},`);
    await apply(await segment.load());
    const failed = await run(segment);
    assert.equal(failed.state, 'failed');
    assert.match(failed.why ?? '', /member_id has the same value in several rows/);
    await until('a pause', async () => (await statusOf(segment)).schedule?.paused === true);
    assert.ok(!people.isOnList(ada));
  });

  it('let those leave who were kept, once a person says so', async () => {
    const [ada = '', bob = ''] = known('ada', 'bob');
    const segment = new Segment(harness, HOURLY);
    await segment.has(`1,${ada},`, `2,${bob},`);
    await apply(await segment.load());
    await ended(await run(segment));
    // As if a backup had been restored: the Schedule's last run knows of a later comparison.
    const { ledger } = harness;
    await ledger.pool.query('update consentry.segment set generation = 0 where program = $1', [
      segment.name,
    ]);
    await segment.has(`1,${ada},`);
    const baseline = await run(segment);
    assert.deepEqual([baseline.found?.isBaseline, baseline.found?.leaving], [true, 0]);
    assert.equal((await statusOf(segment)).kept, 1);
    const { activations } = harness.consentry;
    assert.deepEqual(await activations.approve(segment.name), {
      program: segment.name,
      to: 'kept',
      people: 1,
    });
    await ended(await run(segment));
    assert.ok(!people.isOnList(bob) && people.isOnList(ada));
    await assert.rejects(activations.approve(segment.name), /nobody is missing/);
  });

  it('go on after the workflow of a migration was terminated', async () => {
    const [ada = ''] = known('ada');
    const segment = new Segment(harness, HOURLY);
    await segment.has(`1,${ada},`);
    const { started } = await segment.start({ approvalAbove: 0 });
    await apply(await segment.load());
    const skipped = await run(segment);
    assert.equal(skipped.state, 'skipped');
    assert.match(skipped.why ?? '', /has not ended/);
    await ended(skipped);
    await harness.client.workflow.getHandle(started?.workflowId ?? '').terminate();
    const ending = await run(segment);
    assert.equal(ending.state, 'skipped', 'the former run is being ended');
    await ended(ending);
    await assert.rejects(
      harness.consentry.migrations.waitForEnd(started?.id ?? ''),
      /Its workflow was terminated/,
    );
    const done = await run(segment);
    assert.equal(done.state, 'done');
    assert.ok(people.isOnList(ada));
  });

  /** Waits until the newest run of a segment is in this state. */
  const untilState = async (segment: Segment, state: string, before: string | null = null) => {
    let newest: SegmentStatus['runs'][number] | undefined;
    await until(`a run that is ${state}`, async () => {
      [newest] = (await statusOf(segment)).runs;
      return newest !== undefined && newest.id !== before && newest.state === state;
    });
    assert.ok(newest !== undefined);
    return newest;
  };

  const held = new Set<() => Promise<void>>();
  afterEach(async () => {
    for (const letGo of held) await letGo();
  });

  /** Holds a row of the ledger, as a busy one does. @returns what lets it go */
  const hold = async (row: string, values: readonly unknown[]): Promise<() => Promise<void>> => {
    const client = await harness.ledger.pool.connect();
    await client.query('begin');
    // Rows that refer to it can still be written.
    await client.query(`${row} for no key update`, [...values]);
    const letGo = async (): Promise<void> => {
      if (!held.delete(letGo)) return;
      await client.query('commit');
      client.release();
    };
    held.add(letGo);
    return letGo;
  };

  it('leave no run behind that nobody works on when they are cancelled while they compare', async () => {
    const [ada = ''] = known('ada');
    const segment = new Segment(harness, HOURLY);
    await segment.has(`1,${ada},`);
    await apply(await segment.load());
    const letGo = await hold('select from consentry.segment where program = $1', [segment.name]);
    await harness.consentry.activations.trigger(segment.name);
    const { id, workflowId } = await untilState(segment, 'comparing');
    const handle = harness.client.workflow.getHandle(workflowId ?? '');
    await handle.cancel();
    await until('its cancellation', async () => {
      const { raw } = await handle.describe();
      return (raw.pendingActivities ?? []).every(({ state }) => Number(state) === CANCEL_REQUESTED);
    });
    await letGo();
    await assert.rejects(handle.result());
    const cancelled = await untilState(segment, 'cancelled');
    assert.equal(cancelled.id, id);
    // Its comparison was stored all the same: no step is told of a cancellation so soon.
    const { outcomes } = await harness.consentry.migrations.report(cancelled.migrationId ?? '');
    assert.deepEqual(outcomes, { cancelled: 1 }, 'every row has an outcome');
    const next = await run(segment);
    assert.equal(next.state, 'done', next.why ?? '');
    assert.ok(people.isOnList(ada));
  });

  it('send nothing once they are rejected, whoever approves at the same moment', async () => {
    const emails = known(...Array.from({ length: 30 }, (_, n) => `p${n}`));
    const segment = new Segment(harness, `${HOURLY}, brakes: { enter: { people: 29 } }`);
    await segment.has(...emails.map((email, n) => `${n},${email},`));
    await apply(await segment.load());
    const letCompare = await hold('select from consentry.segment where program = $1', [
      segment.name,
    ]);
    await harness.consentry.activations.trigger(segment.name);
    const { id, workflowId } = await untilState(segment, 'comparing');
    const handle = harness.client.workflow.getHandle(workflowId ?? '');
    // It tells that it waits as soon as the ledger is free.
    const letNote = await hold('select from consentry.segment_run where id = $1', [id]);
    await letCompare();
    await until('its brakes', async () => {
      const { state } = await handle.query<{ state: string }>('progress');
      return state === 'braked';
    });
    await handle.executeUpdate('reject');
    await assert.rejects(handle.executeUpdate('approve'));
    await handle.signal('approve');
    await letNote();
    await untilState(segment, 'rejected');
    assert.ok(!emails.some((email) => people.isOnList(email)));
  });

  it('wait again if they were changed since a person was asked', async () => {
    const emails = known(...Array.from({ length: 60 }, (_, n) => `p${n}`));
    const rows = emails.map((email, n) => `${n},${email},`);
    const segment = new Segment(harness, `${HOURLY}, brakes: { enter: { people: 29 } }`);
    await segment.has(...rows.slice(0, 30));
    await apply(await segment.load());
    const braked = await run(segment);
    assert.equal(braked.state, 'braked');
    const other = `${segment.name}-other.csv`;
    await harness.source(other, ['member_id,email,phone_number', ...rows.slice(30)]);
    await apply(await segment.load(segment.settings, other));
    const { activations } = harness.consentry;
    await activations.approve(segment.name);
    await until('another comparison', async () => {
      const { state } = await harness.client.workflow
        .getHandle(braked.workflowId ?? '')
        .query<{ state: string }>('progress');
      return state !== 'comparing';
    });
    const again = await next(segment, null);
    assert.equal(again.state, 'braked', 'other people were approved');
    await activations.approve(segment.name);
    await ended(again);
    assert.deepEqual(
      emails.map((email) => people.isOnList(email)),
      emails.map((_, n) => n >= 30),
    );
  });

  it('let those leave who were kept after a run that waited was terminated', async () => {
    const emails = known(...Array.from({ length: 30 }, (_, n) => `p${n}`));
    const [ada = '', bob = ''] = emails;
    const segment = new Segment(harness, `${HOURLY}, brakes: { enter: { people: 20 } }`);
    await segment.has(`1,${ada},`, `2,${bob},`);
    await apply(await segment.load());
    await ended(await run(segment));
    await segment.has(...emails.map((email, n) => `${n + 1},${email},`));
    const braked = await run(segment);
    assert.equal(braked.state, 'braked');
    await harness.client.workflow.getHandle(braked.workflowId ?? '').terminate();
    await harness.ledger.pool.query(
      'update consentry.segment set generation = 0 where program = $1',
      [segment.name],
    );
    await segment.has(`1,${ada},`);
    await ended(await run(segment));
    const { activations } = harness.consentry;
    await assert.rejects(
      activations.approve(segment.name),
      /has ended/,
      'it was meant for that run',
    );
    assert.deepEqual(await activations.approve(segment.name), {
      program: segment.name,
      to: 'kept',
      people: 1,
    });
    const [, terminated] = (await statusOf(segment)).runs;
    assert.equal(terminated?.state, 'cancelled');
  });
});
