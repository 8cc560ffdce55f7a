import type { CheckResult } from '../../contracts/migration.js';
import { workflowIds } from '../../contracts/names.js';
import { finishRun, startShortRun } from '../../ledger/index.js';
import type { consentCheck } from '../../workflows/index.js';
import { newId } from '../ids.js';
import type { Reach } from '../reach.js';
import { resultOf } from '../stopped.js';
import type { FullCheck } from './request/schema.js';
import { migrationSettings } from './settings.js';

/**
 * Lets a worker run the preflight of a request alone.
 *
 * @param listByName the request may name its list instead of giving its id
 * @throws SettingsError, NoWorkerError
 * @throws MigrationStoppedError if a run with these settings must not start
 */
export async function checkRequest(
  reach: Reach,
  request: FullCheck,
  listByName = false,
): Promise<CheckResult> {
  const { accountId, taskQueue } = await reach.workersOf(request.account);
  const settings = migrationSettings(request, 'consentry check');
  const { db } = reach.ledger;
  const id = newId();
  await startShortRun(db, { kind: 'check', id, accountId });
  try {
    return await resultOf(
      reach.client.workflow.execute<typeof consentCheck>('consentCheck', {
        workflowId: workflowIds.check(id),
        taskQueue,
        args: [{ checkId: id, settings, ...(listByName ? { listByName } : {}) }],
        staticSummary: 'preflight only',
      }),
    );
  } finally {
    // What was found is worth more than when the check ended, which nothing depends on.
    await finishRun(db, id).catch(() => undefined);
  }
}
