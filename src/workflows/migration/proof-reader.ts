import { CancellationScope, condition } from '@temporalio/workflow';
import type { MigrationTiming, TellPastSubmit, Totals } from '../../contracts/migration.js';
import { reader } from '../activity-options.js';
import { isCancelled, stopOf, type Stop } from '../stop.js';

/** Length of the first turn: short, so that small runs show progress. Turns double from there. */
const FIRST_TURN_MS = 1_000;

/** A turn is no longer than this, and no shorter than this part of the run so far. */
const LONGEST_TURN_MS = 12 * 3_600_000;
const PART_OF_RUN = 1 / 20;

/**
 * The maximum length of the reader's next turn. A turn only returns counts and costs six events, so
 * turns grow with the run: a run of a year has some thousand.
 */
export function turnLength(lastMs: number, sinceStartMs: number, readTurnMs: number): number {
  const doubled = Math.min(Math.max(FIRST_TURN_MS, lastMs * 2), readTurnMs);
  return Math.min(Math.max(doubled, sinceStartMs * PART_OF_RUN), LONGEST_TURN_MS);
}

/** A quiet run is read after this part of its duration so far, or after this maximum. */
const LONGEST_QUIET_MS = 24 * 3_600_000;
const QUIET_PART_OF_RUN = 1 / 4;

/** How long the reader waits in a quiet run, unless a message arrives. */
export function quietLength(turnMs: number, sinceStartMs: number): number {
  return Math.min(Math.max(turnMs, sinceStartMs * QUIET_PART_OF_RUN), LONGEST_QUIET_MS);
}

/**
 * Reads Klaviyo's feeds for all jobs of a migration together, turn after turn. The activity wakes
 * the jobs whose rows are all settled. A turn only returns counts, so long runs add few events; a
 * run with nothing to read back and nobody to follow adds a dozen a day. A cancelled run goes on
 * reading, since what Klaviyo has must still be settled.
 */
export function readUntil(
  migrationId: string,
  timing: MigrationTiming,
  run: {
    readonly isDone: () => boolean;
    /** Nothing is sent now, and nothing will be before a message to the run arrives. */
    readonly isQuiet: () => boolean;
    /** What was sent so far is settled, and more is sent later: opt-outs are followed until then. */
    readonly isBetween: () => boolean;
    /** What a turn tells the run before it ends; null for nothing. */
    readonly tell: () => TellPastSubmit | null;
  },
  on: {
    totals: (totals: Totals) => void;
    /** According to the ledger: an instruction may have reached only the ledger. */
    paused: (paused: boolean) => void;
    /** According to the ledger: nothing more is submitted. */
    stopped: () => void;
    /** So many jobs have nothing left to send. */
    pastSubmit: (jobs: number) => void;
    /** A read failed permanently; the reader goes on with the rest. */
    unread: (why: string) => void;
    failure: (stop: Stop) => void;
  },
): { stop(): Promise<void> } {
  const startedAt = Date.now();
  const turns = new CancellationScope({ cancellable: true });
  let lastUnread: string | null = null;
  const loop = turns.run(async () => {
    for (let turnMs = 0; !run.isDone();) {
      const beganAt = Date.now();
      turnMs = turnLength(turnMs, beganAt - startedAt, timing.readTurnMs);
      const follow = run.isBetween();
      const turn = await reader.readProofs.executeWithOptions({ summary: 'read back' }, [
        { migrationId, turnMs, follow, tell: run.tell(), timing },
      ]);
      on.totals(turn.totals);
      on.pastSubmit(turn.pastSubmit);
      on.paused(turn.paused);
      if (turn.stopped) on.stopped();
      if (turn.unread !== null && turn.unread !== lastUnread) on.unread(turn.unread);
      lastUnread = turn.unread ?? lastUnread;
      if (turn.complete && !follow) {
        // The jobs are ending. Until then only people may need following, if more is sent later.
        await condition(() => run.isBetween() || run.isDone());
      } else if (turn.idle && run.isQuiet()) {
        // A message ends this wait; if one is lost, the next turn makes up for it.
        const waitMs = quietLength(turnMs, Date.now() - startedAt);
        if (await condition(() => !run.isQuiet() || run.isDone(), waitMs)) turnMs = 0;
      } else if (turn.idle) {
        // The turn ended early: the next one begins no sooner than this one could have ended.
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
