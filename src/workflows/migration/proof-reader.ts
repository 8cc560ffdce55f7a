import { CancellationScope, condition } from '@temporalio/workflow';
import type { MigrationTiming, Totals } from '../../contracts/migration.js';
import { reader } from '../activity-options.js';
import { isCancelled, stopOf, type Stop } from '../stop.js';

/** A turn starts this short, so that small runs show progress, and doubles. */
const FIRST_TURN_MS = 1_000;

/** A turn is no longer than this, and no shorter than this part of the run so far. */
const LONGEST_TURN_MS = 12 * 3_600_000;
const PART_OF_RUN = 1 / 20;

/**
 * How long the next turn of the reader lasts at most. It only brings counts home, and each turn is six
 * events: so that a run of a year has some thousand turns, they grow with it.
 */
export function turnLength(lastMs: number, sinceStartMs: number, readTurnMs: number): number {
  const doubled = Math.min(Math.max(FIRST_TURN_MS, lastMs * 2), readTurnMs);
  return Math.min(Math.max(doubled, sinceStartMs * PART_OF_RUN), LONGEST_TURN_MS);
}

/** A run that is quiet is looked at this seldom, or after this part of its time so far. */
const LONGEST_QUIET_MS = 24 * 3_600_000;
const QUIET_PART_OF_RUN = 1 / 4;

/** How long a run in which nothing happens is left alone, unless it is told something. */
export function quietLength(turnMs: number, sinceStartMs: number): number {
  return Math.min(Math.max(turnMs, sinceStartMs * QUIET_PART_OF_RUN), LONGEST_QUIET_MS);
}

/**
 * Reads Klaviyo's feeds for all jobs of a migration together, turn after turn. The activity wakes
 * the jobs whose rows are all settled; a turn only brings the counts home, so long runs add few
 * events, and one that waits with nothing to read back and nobody to follow adds a dozen a day. A
 * cancelled run goes on reading: what Klaviyo has must still be settled.
 */
export function readUntil(
  migrationId: string,
  timing: MigrationTiming,
  run: {
    readonly isDone: () => boolean;
    /** Nothing is sent now, and a message to the run comes before anything is. */
    readonly isQuiet: () => boolean;
    /** All that was to be sent so far is over, and more is sent later: who says no is followed until then. */
    readonly isBetween: () => boolean;
  },
  on: {
    totals: (totals: Totals) => void;
    /** As the ledger says: a word to the run may have reached only that. */
    paused: (paused: boolean) => void;
    /** Something can't be read for good; the reader goes on with the rest. */
    unread: (why: string) => void;
    failure: (stop: Stop) => void;
  },
): { stop(): Promise<void> } {
  const startedAt = Date.now();
  const turns = new CancellationScope({ cancellable: true });
  let told: string | null = null;
  const loop = turns.run(async () => {
    for (let turnMs = 0; !run.isDone();) {
      const beganAt = Date.now();
      turnMs = turnLength(turnMs, beganAt - startedAt, timing.readTurnMs);
      const follow = run.isBetween();
      const turn = await reader.readProofs.executeWithOptions({ summary: 'read back' }, [
        { migrationId, turnMs, follow, timing },
      ]);
      on.totals(turn.totals);
      on.paused(turn.paused);
      if (turn.unread !== null && turn.unread !== told) on.unread(turn.unread);
      told = turn.unread ?? told;
      if (turn.complete && !follow) {
        // Its jobs are ending. Nothing is left to do but to follow people, where more is to come.
        await condition(() => run.isBetween() || run.isDone());
      } else if (turn.idle && run.isQuiet()) {
        // A message says when it goes on; one that was lost is made up for by the next turn.
        const waitMs = quietLength(turnMs, Date.now() - startedAt);
        if (await condition(() => !run.isQuiet() || run.isDone(), waitMs)) turnMs = 0;
      } else if (turn.idle) {
        // It ended early: no turn begins sooner than the last one might have ended.
        const leftMs = beganAt + turnMs - Date.now();
        if (leftMs > 0) await condition(() => run.isQuiet() || run.isDone(), leftMs);
      }
    }
  });
  const ended = loop.catch((error: unknown) => {
    if (!isCancelled(error)) on.failure(stopOf(error));
  });
  return {
    async stop() {
      turns.cancel();
      await ended;
    },
  };
}
