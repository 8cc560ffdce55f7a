import { getClient } from '@temporalio/activity';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  Next,
} from '@temporalio/worker';
import { MESSAGES, workflowIds } from '../../contracts/names.js';
import type { Run } from '../../contracts/run.js';
import { heldBecause, hold, release, type Ledger } from '../../ledger/index.js';
import { isKeyRefusal } from './failures.js';
import type { CallMeter } from './call-meter.js';
import { Throttle } from './throttle.js';

/** A run is signalled at most this often: each signal adds to its history. */
const SIGNAL_EVERY_MS = 60_000;

/**
 * If Klaviyo refuses the key during a run, the run is held: the ledger and the run's details show
 * it. Its activities are retried, and the first answered call ends the hold. If only one of two
 * workers has such a key, the ledger changes with every call, and the run is sent its latest state
 * once a minute.
 */
export class HeldRuns implements ActivityInboundCallsInterceptor {
  private constructor(
    private readonly ledger: Ledger,
    private readonly meter: CallMeter,
    private readonly throttle: Throttle,
  ) {}

  /** For all activities of a worker. */
  static of(ledger: Ledger, meter: CallMeter): () => { readonly inbound: HeldRuns } {
    const throttle = new Throttle(SIGNAL_EVERY_MS);
    return () => ({ inbound: new HeldRuns(ledger, meter, throttle) });
  }

  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    const run = this.meter.current();
    // The failure of any other run tells the person who waits for it.
    if (run === null || run.kind !== 'migration') return next(input);
    try {
      return await next(input);
    } catch (error) {
      if (isKeyRefusal(error) && (await hold(this.ledger.db, run.id, error.message))) {
        await this.#changed(run);
      }
      throw error;
    } finally {
      if (run.answeredWhileHeld && (await release(this.ledger.db, run.id))) {
        await this.#changed(run);
      }
    }
  }

  async #changed({ id }: Run): Promise<void> {
    const client = getClient();
    await this.throttle.do(id, async () => {
      await signalHeld(client, id, await heldBecause(this.ledger.db, id));
    });
  }
}

async function signalHeld(client: Client, migrationId: string, why: string | null): Promise<void> {
  try {
    await client.workflow.getHandle(workflowIds.migration(migrationId)).signal(MESSAGES.held, why);
  } catch (error) {
    // It has ended: nothing to signal.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
