import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  Next,
} from '@temporalio/worker';
import { addCalls, type Ledger } from '../../ledger/index.js';
import type { CallMeter } from './call-meter.js';
import { runOf } from './run-of.js';

/** Adds the calls that an activity made to the counters of its run. */
export class MeasuredCalls implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly ledger: Ledger,
    private readonly meter: CallMeter,
  ) {}

  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    const run = runOf(input.headers);
    if (run === null) return next(input);
    return this.meter.measure(
      run,
      () => next(input),
      (counts) => addCalls(this.ledger.db, run.id, counts),
    );
  }
}
