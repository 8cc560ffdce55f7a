import { CancellationScope, executeChild, ParentClosePolicy } from '@temporalio/workflow';
import { jobsOf, type JobRef } from '../../contracts/jobs.js';
import type { BatchInput, JobResult } from '../../contracts/migration.js';
import { workflowIds } from '../../contracts/names.js';
import { consentJob } from './consent-job.js';
import { jobAttributes } from '../search-attributes.js';
import { failuresOf, isCancelled } from '../stop.js';

/**
 * Runs up to 250 jobs at once and ends when all have ended: a waiting job costs nothing, and the
 * limiter decides who submits. A failing job records in the ledger that nothing more is submitted,
 * so the others end by themselves once what they sent is settled. Then the batch fails.
 * Events: at most 9 per job.
 */
export async function consentBatch(input: BatchInput): Promise<void> {
  const ended = await Promise.allSettled(
    Array.from(jobsOf(input.jobs), (job) => runJob(input, job)),
  );
  const failures = failuresOf(ended);
  const failure = failures.find((error) => !isCancelled(error)) ?? failures[0];
  // Cancelling one job does not cancel the others.
  if (failure !== undefined && !(isCancelled(failure) && !isBatchCancelled())) throw failure;
}

function isBatchCancelled(): boolean {
  return CancellationScope.current().consideredCancelled;
}

function runJob(input: BatchInput, job: JobRef): Promise<JobResult> {
  const { migrationId, timing } = input;
  return executeChild(consentJob, {
    workflowId: workflowIds.job(migrationId, job.jobNumber),
    args: [{ migrationId, job, jobs: input.totalJobs, timing }],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    typedSearchAttributes: jobAttributes(job.operation),
    staticSummary: `job ${job.jobNumber} of ${input.totalJobs}: ${job.operation}, ${job.rows} rows`,
  });
}
