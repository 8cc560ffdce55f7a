import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { MigrationInput } from '../../contracts/migration.js';
import { workflowIds } from '../../contracts/names.js';
import { getMigration, SegmentIsRunningError, type Ledger } from '../../ledger/index.js';

/** A process that stores a run starts it within this time, or has died. */
const STARTED_WITHIN_MS = 10 * 60_000;

/**
 * Stores a run of a segment. If a former one has not ended although nobody works on it, such as one whose
 * workflow was terminated, its workflow is started once more to end it: nothing more is sent, what was sent is
 * read back, and every row gets its outcome. Until then this run is refused.
 *
 * @param input how the run goes
 * @param store reads nothing of the source if a former run has not ended
 * @throws SegmentIsRunningError
 */
export async function afterFormerRuns<T>(
  { client, ledger, taskQueue }: { client: Client; ledger: Ledger; taskQueue: string },
  input: Omit<MigrationInput, 'migrationId'>,
  store: () => Promise<T>,
): Promise<T> {
  try {
    return await store();
  } catch (error) {
    if (!(error instanceof SegmentIsRunningError)) throw error;
    const { migrationId } = error;
    const { ageMs, settings } = await getMigration(ledger.db, migrationId);
    const status = await statusOf(client, migrationId);
    if (status === 'RUNNING' || (status === null && ageMs < STARTED_WITHIN_MS)) throw error;
    const ends: MigrationInput = {
      ...input,
      migrationId,
      dryRun: settings.dryRun ?? false,
      waitsForApproval: false,
      endsOnly: true,
    };
    await client.workflow.start('consentMigration', {
      workflowId: workflowIds.migration(migrationId),
      taskQueue,
      args: [ends],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: 'end a run whose workflow was terminated',
    });
    throw error;
  }
}

/** Of the workflow of a migration; null if there is none. */
async function statusOf(client: Client, migrationId: string): Promise<string | null> {
  try {
    const handle = client.workflow.getHandle(workflowIds.migration(migrationId));
    return (await handle.describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
