import { setCurrentDetails } from '@temporalio/workflow';
import type { OptOutWatchInput, OptOutWatchResult } from '../../contracts/migration.js';
import { sweeps } from '../activity-options.js';
import { worksFor } from '../run.js';

/**
 * Follows the people of an ended migration for as long as one of its subscribes may still be applied, or
 * an opt-out of that time may still surface: some 25 minutes. Whoever had said no and is subscribed by
 * the run all the same is taken out again, within seconds of its being seen.
 *
 * Cancel: stops looking.
 * Events: 11.
 */
export async function optOutWatch(input: OptOutWatchInput): Promise<OptOutWatchResult> {
  const { migrationId, timing } = input;
  worksFor({ kind: 'migration', id: migrationId });
  setCurrentDetails('Watching who says no while what was sent may still be applied.');
  const result = await sweeps.watchOptOuts.executeWithOptions({ summary: 'watch opt-outs' }, [
    { migrationId, timing },
  ]);
  setCurrentDetails(
    `${result.unsubscribedAgain} rows were subscribed against an opt-out and taken out again.`,
  );
  return result;
}
