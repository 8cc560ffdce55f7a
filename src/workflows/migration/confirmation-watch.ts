import {
  continueAsNew,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { WatchInput, WatchProgress } from '../../contracts/migration.js';
import { sweeps } from '../activity-options.js';
import { watchProgressQuery } from '../messages.js';
import { worksFor } from '../run.js';

/** Looks before it continues as new: some 11 events each. */
const LOOKS_PER_EXECUTION = 100;

/**
 * Follows the people of a migration who have not clicked in their double opt-in message, for a set
 * time. Looks them up after pauses that double, and settles those who clicked as `confirmed`. Rows
 * still open at the end stay `pending_double_opt_in`.
 *
 * Cancel: stops looking; settled rows stay settled.
 * Events: some 11 per look, 1,100 at most: then it continues as new. A week at 6 hours has 32 looks.
 */
export async function confirmationWatch(input: WatchInput): Promise<WatchProgress> {
  const { migrationId, timing } = input;
  worksFor({ kind: 'migration', id: migrationId });
  const carried = input.carried ?? {
    startedAt: workflowInfo().startTime.toISOString(),
    confirmed: 0,
    looks: 0,
    pauseMs: timing.watchFirstMs,
  };
  const end = Date.parse(carried.startedAt) + timing.watchForMs;
  const until = new Date(end).toISOString();
  let { confirmed, looks, pauseMs } = carried;
  let progress: WatchProgress = { migrationId, pending: null, confirmed, looks, until };
  setHandler(watchProgressQuery, () => progress, { description: 'Who has clicked since' });

  for (let here = 1; ; here += 1) {
    const left = end - Date.now();
    await sleep(Math.max(0, Math.min(pauseMs, left)), { summary: 'wait for clicks' });
    looks += 1;
    const look = await sweeps.lookAtPending.executeWithOptions({ summary: `look ${looks}` }, [
      { migrationId },
    ]);
    confirmed += look.confirmed;
    progress = { migrationId, pending: look.pending, confirmed, looks, until };
    setCurrentDetails(describe({ ...progress, pending: look.pending }));
    if (look.pending === 0 || Date.now() >= end) return progress;
    pauseMs = Math.min(pauseMs * 2, timing.watchLongestMs);
    if (here === LOOKS_PER_EXECUTION) {
      const { startedAt } = carried;
      await continueAsNew<typeof confirmationWatch>({
        ...input,
        carried: { startedAt, confirmed, looks, pauseMs },
      });
    }
  }
}

function describe({
  pending,
  confirmed,
  looks,
  until,
}: WatchProgress & { readonly pending: number }): string {
  const people = (rows: number) => rows.toLocaleString('en-US');
  return (
    `${people(confirmed)} rows were confirmed by a click since the migration ended, ` +
    `${people(pending)} still wait. ${looks} looks; the watch ends ${until}.`
  );
}
