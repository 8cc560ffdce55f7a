import { workflowIds } from '../../contracts/names.js';
import type { ValidationFound } from '../../contracts/sync.js';
import { beginSyncRun, endSyncRun, takeFound, type Sync } from '../../ledger/index.js';
import type { consentSyncValidation } from '../../workflows/index.js';
import { newId } from '../ids.js';
import type { Reach } from '../reach.js';
import { resultOf } from '../stopped.js';

/**
 * Lets a worker compare random rows of a sync with what Klaviyo says of them now.
 *
 * @throws MigrationStoppedError with what was in the way
 */
export async function validateSync(
  { client, ledger }: Reach,
  { id: syncId, accountId }: Sync,
  taskQueue: string,
  how: { readonly sample: number; readonly secret: string | null },
): Promise<ValidationFound> {
  const { db } = ledger;
  const runId = newId();
  const workflowId = workflowIds.validation(runId);
  const { sample, secret } = how;
  await beginSyncRun(db, { id: runId, syncId, accountId, workflowId, does: 'validation', secret });
  let found: ValidationFound | null;
  try {
    await resultOf(
      client.workflow.execute<typeof consentSyncValidation>('consentSyncValidation', {
        workflowId,
        taskQueue,
        args: [{ syncId, runId, sample }],
        staticSummary: 'compare rows with Klaviyo',
      }),
    );
  } finally {
    found = await takeFound(db, runId);
    await endSyncRun(db, runId, null);
  }
  if (found === null) throw new Error('The validation ended without a result.');
  return found;
}
