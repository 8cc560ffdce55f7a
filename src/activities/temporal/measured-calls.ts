import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  Next,
} from '@temporalio/worker';
import { addCalls, type Ledger } from '../../ledger/index.js';
import type { CallMeter } from './call-meter.js';

/** Adds the calls that an activity made to the counters of its migration. */
export class MeasuredCalls implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly ledger: Ledger,
    private readonly meter: CallMeter,
  ) {}

  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    const migrationId = migrationOf(input.args[0]);
    if (migrationId === null) return next(input);
    return this.meter.measure(
      { migrationId },
      () => next(input),
      (counts) => addCalls(this.ledger.db, migrationId, counts),
    );
  }
}

function migrationOf(argument: unknown): string | null {
  if (typeof argument !== 'object' || argument === null || !('migrationId' in argument))
    return null;
  return typeof argument.migrationId === 'string' ? argument.migrationId : null;
}
