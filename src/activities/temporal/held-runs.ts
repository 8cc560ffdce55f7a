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
import { Seldom } from './seldom.js';

/** A run is told of it no more often: each time adds to its history. */
const TELL_EVERY_MS = 60_000;

/**
 * A key that Klaviyo refuses half-way holds its runs, visibly: in the ledger, and in the run's own
 * details. Their activities are tried again, and the first call that is answered ends it. Of two workers
 * only one may have such a key: then the ledger changes with every call, and the run hears of it once a
 * minute, of how it is by then.
 */
export class HeldRuns implements ActivityInboundCallsInterceptor {
  private constructor(
    private readonly ledger: Ledger,
    private readonly meter: CallMeter,
    private readonly telling: Seldom,
  ) {}

  /** For all activities of a worker. */
  static of(ledger: Ledger, meter: CallMeter): () => { readonly inbound: HeldRuns } {
    const telling = new Seldom(TELL_EVERY_MS);
    return () => ({ inbound: new HeldRuns(ledger, meter, telling) });
  }

  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    const run = this.meter.current();
    if (run === null) return next(input);
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

  async #changed({ kind, id }: Run): Promise<void> {
    // Of any other run, whoever waits for it is told by its failure.
    if (kind !== 'migration') return;
    const client = getClient();
    await this.telling.do(id, async () => {
      await tell(client, id, await heldBecause(this.ledger.db, id));
    });
  }
}

async function tell(client: Client, migrationId: string, why: string | null): Promise<void> {
  try {
    await client.workflow.getHandle(workflowIds.migration(migrationId)).signal(MESSAGES.held, why);
  } catch (error) {
    // It has ended: there is nobody to be told.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
