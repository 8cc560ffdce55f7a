import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  Next,
} from '@temporalio/worker';
import { addCalls, type Ledger } from '../../ledger/index.js';
import type { CallMeter } from './call-meter.js';
import { stopping } from './failures.js';
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
    if (run === null) {
      // Without its run a call would pass neither the account's check nor the run's share.
      throw stopping(
        'WorkersDiffer',
        'The workflow did not say which run it works for: its worker is of another version of Consentry. ' +
          'Nothing was called. Stop all workers, and start them again with one version.',
      );
    }
    return this.meter.measure(
      run,
      () => next(input),
      (counts) => addCalls(this.ledger.db, run.id, counts),
    );
  }
}
