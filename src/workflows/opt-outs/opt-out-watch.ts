import { setCurrentDetails } from '@temporalio/workflow';
import type { OptOutWatchInput, OptOutWatchResult } from '../../contracts/migration.js';
import { sweeps } from '../activity-options.js';
import { worksFor } from '../run.js';

/**
 * Follows the people of an ended migration while one of its subscribes may still be applied, or an
 * opt-out of that time may still become visible: some 25 minutes. People who had opted out but were
 * subscribed by the run are unsubscribed again, within seconds after this is seen.
 *
 * Cancel: stops looking.
 * Events: 11.
 */
export async function optOutWatch(input: OptOutWatchInput): Promise<OptOutWatchResult> {
  const { migrationId, timing } = input;
  worksFor({ kind: 'migration', id: migrationId });
  setCurrentDetails('Watching for opt-outs while what was sent may still be applied.');
  const result = await sweeps.watchOptOuts.executeWithOptions({ summary: 'watch opt-outs' }, [
    { migrationId, timing },
  ]);
  setCurrentDetails(
    `${result.unsubscribedAgain} rows were subscribed against an opt-out and unsubscribed again.`,
  );
  return result;
}
