import { ActivityCancellationType, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { STOPPING_FAILURES } from '../contracts/failures.js';
import { queueBeside } from '../contracts/names.js';
import type { Activities } from '../activities/index.js';

/**
 * Unlimited retries: a migration outlives any outage, and only a failure that a person has to fix
 * (`STOPPING_FAILURES`) ends it.
 */
const retry = {
  initialInterval: '1s',
  backoffCoefficient: 2,
  maximumInterval: '1m',
  nonRetryableErrorTypes: [...STOPPING_FAILURES],
};

/** Short steps: the ledger, or a few calls, each of which may take a minute if Klaviyo hangs. */
export const steps = proxyActivities<Activities>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '20s',
  retry,
});

/**
 * What a person decided, and the end of a run: activities that call nobody but the ledger and
 * Temporal. They have slots of their own, so that no call to Klaviyo delays them.
 */
export const steers = proxyActivities<Activities>({
  // Read with every activity: the name is known only inside a workflow.
  get taskQueue() {
    return queueBeside(workflowInfo().taskQueue, 'steering');
  },
  startToCloseTimeout: '24h',
  heartbeatTimeout: '30s',
  retry,
});

/** What a person waits for at Klaviyo: reads, and a new list. If they hang, they do not delay `steers`. */
export const asks = proxyActivities<Activities>({
  get taskQueue() {
    return queueBeside(workflowInfo().taskQueue, 'asking');
  },
  startToCloseTimeout: '10m',
  heartbeatTimeout: '20s',
  retry,
});

/**
 * A submit is never abandoned half-way: cancellation waits for the answer of a call on the wire.
 * Eager dispatch would bypass a limit on the task queue.
 */
export const submits = proxyActivities<Activities>({
  startToCloseTimeout: '15m',
  heartbeatTimeout: '20s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  allowEagerDispatch: false,
  retry,
});

/** Steps over all people of a migration; they store their position in the ledger. */
export const sweeps = proxyActivities<Activities>({
  startToCloseTimeout: '24h',
  heartbeatTimeout: '30s',
  retry,
});

/** Comparisons of segments, one transaction each: a cancelled run waits to know whether it was stored. */
export const compares = proxyActivities<Activities>({
  startToCloseTimeout: '24h',
  heartbeatTimeout: '30s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
});

/** The migration's reader: when cancelled, it ends its turn. Its turns grow with the run. */
export const reader = proxyActivities<Activities>({
  startToCloseTimeout: '13h',
  heartbeatTimeout: '20s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
});

/** Steps of a sync: a turn takes a minute, a reading of changes as long as there are some. */
export const syncSteps = proxyActivities<Activities>({
  startToCloseTimeout: '13h',
  heartbeatTimeout: '30s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
});

/** Where somebody waits for a sync to begin: a destination that cannot be reached is told soon. */
export const waitedForSyncSteps = proxyActivities<Activities>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '30s',
  retry: { ...retry, maximumAttempts: 3 },
});
