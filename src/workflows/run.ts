import { defaultPayloadConverter } from '@temporalio/common/lib/converter/payload-converter.js';
import type {
  ActivityInput,
  Next,
  WorkflowInterceptors,
  WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import { RUN_HEADER, type Run } from '../contracts/run.js';

/** Each workflow has its own copy of this module, and so one run. */
let current: Run | null = null;

/** Sets the run that a workflow works for. Call it before the first activity. */
export function worksFor(run: Run): void {
  current = run;
}

/** Passes the run to every activity: calls to Klaviyo are counted and limited per run. */
class RunHeader implements WorkflowOutboundCallsInterceptor {
  scheduleActivity(
    input: ActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>,
  ): Promise<unknown> {
    if (current === null) {
      throw new Error(
        `The workflow scheduled ${input.activityType} before it called worksFor(): call it first.`,
      );
    }
    const run = defaultPayloadConverter.toPayload(current);
    return next({ ...input, headers: { ...input.headers, [RUN_HEADER]: run } });
  }
}

/** Temporal looks for a function of this name in the bundle. */
export const interceptors = (): WorkflowInterceptors => ({ outbound: [new RunHeader()] });
