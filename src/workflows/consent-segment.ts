import { CancellationScope, executeChild, ParentClosePolicy } from '@temporalio/workflow';
import type { JobRef, JobResult, SegmentInput } from '../contracts/migration.js';
import { workflowIds } from '../contracts/names.js';
import { consentJob } from './consent-job.js';
import { jobAttributes } from './search-attributes.js';
import { isCancelled } from './stop.js';

/**
 * Runs up to 250 jobs at once and ends when all have ended: a waiting job costs nothing, and the
 * limiter decides who submits. The first job that fails stops the others from submitting and fails
 * the segment; a cancelled segment ends cancelled after its jobs have settled what they sent.
 * Events: at most 9 a job.
 */
export async function consentSegment(input: SegmentInput): Promise<void> {
  const scope = new CancellationScope();
  const failures: Error[] = [];
  await scope.run(() =>
    Promise.all(
      input.jobs.map((job) =>
        runJob(input, job).catch((error: Error) => {
          failures.push(error);
          scope.cancel();
        }),
      ),
    ),
  );
  const failure = failures.find((error) => !isCancelled(error)) ?? failures[0];
  if (failure !== undefined) throw failure;
}

function runJob(input: SegmentInput, job: JobRef): Promise<JobResult> {
  const { migrationId, timing } = input;
  return executeChild(consentJob, {
    workflowId: workflowIds.job(migrationId, job.jobNumber),
    args: [{ migrationId, job, jobs: input.totalJobs, timing }],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    typedSearchAttributes: jobAttributes(job.operation),
    staticSummary: `job ${job.jobNumber} of ${input.totalJobs}: ${job.operation}, ${job.rows} rows`,
  });
}
