import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SUBMITTING_BATCHES } from '../../../src/contracts/limits.js';
import type { JobRange } from '../../../src/contracts/jobs.js';
import { MESSAGES } from '../../../src/contracts/names.js';
import { until } from '../phases.js';
import { NO_DEADLINE_MS, Stages, type StagedRun } from './staged-runs.js';

const JOBS_PER_BATCH = 2;
const BATCHES = 10;
/** Jobs that a run submits at once. */
const AT_ONCE = SUBMITTING_BATCHES * JOBS_PER_BATCH;

const RANGE: JobRange = {
  firstJob: 1,
  jobs: BATCHES * JOBS_PER_BATCH,
  operation: 'subscribe',
  rows: BATCHES * JOBS_PER_BATCH,
  rowsPerJob: 1,
  settleWithinMs: NO_DEADLINE_MS,
  canary: false,
};
const STAGE = { jobs: [RANGE], batchSize: JOBS_PER_BATCH };

describe('the window of batches, in which no job ever ends by itself', { timeout: 120_000 }, () => {
  let stages: Stages;
  before(async () => {
    stages = await Stages.open();
  });
  after(() => stages.close());

  /** Waits for so many jobs. A migration starts all batches that have room in one task. */
  async function submits(run: StagedRun, jobs: number): Promise<void> {
    await until(`${jobs} jobs`, () => Promise.resolve(run.submitted.size >= jobs));
    assert.equal(await run.batches(), jobs / JOBS_PER_BATCH);
    assert.equal(run.submitted.size, jobs);
  }

  test('starts as many as submit at once, and the next when jobs are past their submit', async () => {
    const { handle } = await stages.play(STAGE, async (run) => {
      await submits(run, AT_ONCE);
      await run.tellPastSubmit(JOBS_PER_BATCH - 1);
      // Answered after the signal was handled.
      await run.handle.query(MESSAGES.progress);
      await submits(run, AT_ONCE);
      for (let batch = 1; batch <= BATCHES - SUBMITTING_BATCHES; batch += 1) {
        await run.tellPastSubmit(batch * JOBS_PER_BATCH);
        await submits(run, AT_ONCE + batch * JOBS_PER_BATCH);
      }
    });
    const { events } = await handle.fetchHistory();
    const perBatch = ((events?.length ?? 0) - OF_ITS_OWN) / BATCHES;
    assert.ok(perBatch <= 15, `${perBatch} events for each batch`);
  });

  test('what arrives late or twice changes nothing', async () => {
    await stages.play(STAGE, async (run) => {
      await submits(run, AT_ONCE);
      await run.tellPastSubmit(3 * JOBS_PER_BATCH);
      await submits(run, AT_ONCE + 3 * JOBS_PER_BATCH);
      await run.tellPastSubmit(JOBS_PER_BATCH);
      await run.tellPastSubmit(3 * JOBS_PER_BATCH);
      await run.handle.query(MESSAGES.progress);
      await submits(run, AT_ONCE + 3 * JOBS_PER_BATCH);
    });
  });

  test('goes on without a signal: the turns of the reader say the same', async () => {
    let pastSubmit = 0;
    let endTurn = (): void => undefined;
    const turn = async () => {
      await new Promise<void>((resolve) => (endTurn = resolve));
      return { pastSubmit };
    };
    await stages.play({ ...STAGE, turn }, async (run) => {
      await submits(run, AT_ONCE);
      pastSubmit = 2 * JOBS_PER_BATCH;
      endTurn();
      await submits(run, AT_ONCE + 2 * JOBS_PER_BATCH);
    });
  });

  test('goes on without a reader: batches that have ended make room', async () => {
    const turn = () => Promise.reject(new Error('no ledger'));
    await stages.play({ ...STAGE, turn }, async (run) => {
      await submits(run, AT_ONCE);
      await run.settle([1, 2, 3]);
      await submits(run, AT_ONCE + JOBS_PER_BATCH);
    });
  });

  test('starts nothing more once a job has stopped the run, whatever makes room', async () => {
    await stages.play(STAGE, async (run) => {
      await submits(run, AT_ONCE);
      await run.handle.signal(MESSAGES.stopped);
      await run.tellPastSubmit(AT_ONCE);
      await run.settle([1, 2]);
      // The run ends by itself when all that was started has.
      await run.settle(run.submitted);
      await run.handle.result();
      await submits(run, AT_ONCE);
    });
  });

  test('starts nothing more when the ledger says at the end of a turn that the run is stopped', async () => {
    let endTurn = (): void => undefined;
    const turn = async () => {
      await new Promise<void>((resolve) => (endTurn = resolve));
      return { stopped: true };
    };
    await stages.play({ ...STAGE, turn }, async (run) => {
      await submits(run, AT_ONCE);
      endTurn();
      await until('the end of the turn', async () => (await turnsOf(run)) > 0);
      await run.settle(run.submitted);
      await run.handle.result();
      await submits(run, AT_ONCE);
    });
  });

  test('has the canary’s jobs first, alone, whatever their number', async () => {
    const canary: JobRange = { ...RANGE, jobs: 3, rows: 3, canary: true };
    const rest: JobRange = { ...RANGE, firstJob: 4, jobs: 17, rows: 17 };
    await stages.play({ ...STAGE, jobs: [canary, rest] }, async (run) => {
      await until('the canary', () => Promise.resolve(run.submitted.size >= 3));
      assert.equal(await run.batches(), 2);
      await run.settle([1, 2, 3]);
      // The three that have ended make room.
      await until('the rest', () => Promise.resolve(run.submitted.size >= 3 + AT_ONCE));
      assert.equal(await run.batches(), 2 + SUBMITTING_BATCHES);
    });
  });
});

/** Events of a migration that no batch causes: its steps, its reader, its end. */
const OF_ITS_OWN = 90;

async function turnsOf({ handle }: StagedRun): Promise<number> {
  const { events } = await handle.fetchHistory();
  const turns = (events ?? []).flatMap((event) =>
    event.activityTaskScheduledEventAttributes?.activityType?.name === 'readProofs'
      ? String(event.eventId)
      : [],
  );
  return (events ?? []).filter((event) =>
    turns.includes(String(event.activityTaskCompletedEventAttributes?.scheduledEventId)),
  ).length;
}
