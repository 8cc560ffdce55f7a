import { getClient, log } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import pLimit from 'p-limit';
import type { OutcomeCounts } from '../../contracts/migration.js';
import { MESSAGES, workflowIds } from '../../contracts/names.js';
import { countJobOutcomes, markWoken, settledJobs } from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';

/** Jobs that are told at once: a run can have a thousand that wait. */
const AT_ONCE = 20;

/** Tells the jobs whose rows all have an outcome that they need not wait any more. */
export async function wakeSettledJobs(
  { ledger }: Pick<ActivityDependencies, 'ledger'>,
  migrationId: string,
): Promise<void> {
  const jobs = await settledJobs(ledger.db, migrationId);
  const limit = pLimit(AT_ONCE);
  await Promise.all(
    jobs.map((jobNumber) =>
      limit(async () => {
        const outcomes = await countJobOutcomes(ledger.db, migrationId, jobNumber);
        await tell(migrationId, jobNumber, MESSAGES.settled, [outcomes]);
      }),
    ),
  );
  await markWoken(ledger.db, migrationId, jobs);
}

/** Tells jobs to ask the ledger again whether they may submit. */
export async function wakeJobs(
  migrationId: string,
  jobs: readonly number[],
  message: 'resumed',
): Promise<void> {
  const limit = pLimit(AT_ONCE);
  await Promise.all(
    jobs.map((jobNumber) => limit(() => tell(migrationId, jobNumber, MESSAGES[message], []))),
  );
}

async function tell(
  migrationId: string,
  jobNumber: number,
  message: string,
  args: readonly [OutcomeCounts] | readonly [],
): Promise<void> {
  try {
    await getClient()
      .workflow.getHandle(workflowIds.job(migrationId, jobNumber))
      .signal(message, ...args);
  } catch (error) {
    // It has ended, or has not begun: then it asks the ledger by itself.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    log.debug('A job that was to be told is not there', { jobNumber });
  }
}
