import { Client, type Connection } from '@temporalio/client';
import { TASK_QUEUES, taskQueueOf } from '../contracts/names.js';
import type { Ledger } from '../ledger/index.js';
import { accountOf } from './account.js';
import { requireWorker } from './worker-check.js';

export interface ConsentryOptions {
  /** Klaviyo's id of the account for requests that do not name one. */
  readonly account?: string | null;
  /** Prefix of the names of the task queues. @default 'consentry' */
  readonly taskQueues?: string;
}

/** Access to Temporal, the ledger and the workers of an account. */
export class Reach {
  readonly client: Client;

  constructor(
    connection: Connection,
    private readonly namespace: string,
    readonly ledger: Ledger,
    private readonly options: ConsentryOptions,
  ) {
    this.client = new Client({ connection, namespace });
  }

  /**
   * The account of a request and the task queue of its workers.
   *
   * @throws SettingsError, NoWorkerError
   */
  async workersOf(
    asked: string | null | undefined,
  ): Promise<{ accountId: string; taskQueue: string }> {
    const accountId = await accountOf(this.ledger.db, asked ?? this.options.account ?? null);
    const taskQueue = taskQueueOf(accountId, this.options.taskQueues ?? TASK_QUEUES);
    await requireWorker(this.client, this.namespace, { accountId, taskQueue });
    return { accountId, taskQueue };
  }
}
