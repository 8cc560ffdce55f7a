import { CancellationScope } from '@temporalio/workflow';
import type { MigrationTiming, Totals } from '../contracts/migration.js';
import { reader } from './activity-options.js';
import { isCancelled, stopOf, type Stop } from './stop.js';

/** A turn starts this short, so that small runs show progress, and doubles up to the longest. */
const FIRST_TURN_MS = 1_000;

/**
 * Reads Klaviyo's feeds for all jobs of a migration together, turn after turn. The activity wakes
 * the jobs whose rows are all settled; a turn only brings the counts home, so long runs add few
 * events. A cancelled run goes on reading: what Klaviyo has must still be settled.
 */
export function readUntil(
  migrationId: string,
  timing: MigrationTiming,
  done: () => boolean,
  on: { totals: (totals: Totals) => void; failure: (stop: Stop) => Promise<void> },
): { stop(): Promise<void> } {
  const turns = new CancellationScope();
  const loop = CancellationScope.nonCancellable(() =>
    turns.run(async () => {
      for (let turnMs = FIRST_TURN_MS; !done(); turnMs *= 2) {
        const turn = await reader.readProofs.executeWithOptions({ summary: 'read back' }, [
          {
            migrationId,
            turnMs: Math.min(turnMs, timing.readTurnMs),
            everyMs: timing.readEveryMs,
            eventsSilentMs: timing.eventsSilentMs,
          },
        ]);
        on.totals(turn.totals);
        if (turn.complete) return;
      }
    }),
  );
  const ended = loop.catch(async (error: unknown) => {
    if (isCancelled(error)) return;
    await CancellationScope.nonCancellable(() => on.failure(stopOf(error)));
  });
  return {
    async stop() {
      turns.cancel();
      await ended;
    },
  };
}
