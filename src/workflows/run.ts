import { defaultPayloadConverter } from '@temporalio/common/lib/converter/payload-converter.js';
import type {
  ActivityInput,
  Next,
  WorkflowInterceptors,
  WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import { RUN_HEADER, type Run } from '../contracts/run.js';

/** Each workflow has a copy of this module of its own, and so one run. */
let current: Run | null = null;

/** Says which run a workflow works for, before its first activity. */
export function worksFor(run: Run): void {
  current = run;
}

/** Tells every activity its run: calls to Klaviyo are counted and limited by run. */
class RunHeader implements WorkflowOutboundCallsInterceptor {
  scheduleActivity(
    input: ActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>,
  ): Promise<unknown> {
    if (current === null) {
      throw new Error(
        `A workflow says whom it works for before it schedules ${input.activityType}.`,
      );
    }
    const run = defaultPayloadConverter.toPayload(current);
    return next({ ...input, headers: { ...input.headers, [RUN_HEADER]: run } });
  }
}

/** For Temporal, which looks for a function of this name in the bundle. */
export const interceptors = (): WorkflowInterceptors => ({ outbound: [new RunHeader()] });
