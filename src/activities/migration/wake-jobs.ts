import { getClient, log } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import pLimit from 'p-limit';
import type { OutcomeCounts } from '../../contracts/migration.js';
import { MESSAGES, workflowIds } from '../../contracts/names.js';
import { countJobOutcomes, markWoken, settledJobs } from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';

/** Concurrent signals: a run can have a hundred thousand waiting jobs. */
const AT_ONCE = 20;

/** Signals the jobs whose rows all have an outcome, so that they stop waiting. */
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
        await signalJob(migrationId, jobNumber, MESSAGES.settled, [outcomes]);
      }),
    ),
  );
  await markWoken(ledger.db, migrationId, jobs);
}

/** Signals jobs to check the ledger again whether they may submit. */
export async function wakeJobs(
  migrationId: string,
  jobs: readonly number[],
  message: 'resumed',
): Promise<void> {
  const limit = pLimit(AT_ONCE);
  await Promise.all(
    jobs.map((jobNumber) => limit(() => signalJob(migrationId, jobNumber, MESSAGES[message], []))),
  );
}

async function signalJob(
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
    // The job has ended, or has not begun: then it checks the ledger by itself.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    log.debug('A job to be signalled is not running', { jobNumber });
  }
}
