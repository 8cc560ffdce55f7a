import type { ValidationInput } from '../../contracts/sync.js';
import { waitedForSyncSteps } from '../activity-options.js';
import { worksFor } from '../run.js';

/**
 * Compares random rows of a sync with Klaviyo. What was found is in the ledger: Temporal stores only
 * how many rows were compared, and how many values differ.
 *
 * Events: 11.
 */
export async function consentSyncValidation(
  input: ValidationInput,
): Promise<{ readonly rows: number; readonly differences: number }> {
  worksFor({ kind: 'sync', id: input.runId });
  return waitedForSyncSteps.validateSync.executeWithOptions(
    { summary: `compare ${input.sample} rows` },
    [input],
  );
}
