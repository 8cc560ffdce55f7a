import { setCurrentDetails, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { WatchInput, WatchProgress } from '../contracts/migration.js';
import { sweeps } from './activity-options.js';
import { watchProgressQuery } from './messages.js';

/**
 * Follows the people of a migration who have not clicked on their double opt-in message, for a set
 * time: looks at them after a pause that doubles, and moves those who clicked to `confirmed`. What
 * is still open at the end stays `pending_double_opt_in`.
 *
 * Cancel: stops looking; what was found stays.
 * Events: some 6 a look; a week at 6 hours has 32 looks.
 */
export async function confirmationWatch(input: WatchInput): Promise<WatchProgress> {
  const { migrationId, timing } = input;
  const end = workflowInfo().startTime.getTime() + timing.watchForMs;
  const until = new Date(end).toISOString();
  let progress: WatchProgress = { migrationId, pending: null, confirmed: 0, looks: 0, until };
  setHandler(watchProgressQuery, () => progress, { description: 'Who has clicked since' });

  let confirmed = 0;
  for (let looks = 1, pauseMs = timing.watchFirstMs; ; looks += 1) {
    const left = end - Date.now();
    await sleep(Math.max(0, Math.min(pauseMs, left)), { summary: 'wait for clicks' });
    const look = await sweeps.lookAtPending.executeWithOptions({ summary: `look ${looks}` }, [
      { migrationId },
    ]);
    confirmed += look.confirmed;
    progress = { migrationId, pending: look.pending, confirmed, looks, until };
    setCurrentDetails(describe({ ...progress, pending: look.pending }));
    if (look.pending === 0 || Date.now() >= end) return progress;
    pauseMs = Math.min(pauseMs * 2, timing.watchLongestMs);
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
