import type { ActivityDependencies } from './dependencies.js';
import { Metrics } from './metrics.js';
import { OptOutWatch } from './opt-outs/watch.js';
import { createPlan } from './plan.js';
import { createPreflight } from './preflight/preflight.js';
import { createReadConsent } from './read-consent.js';
import { createReadPerson } from './read-person.js';
import { createReadProofs } from './read-proofs.js';
import { createSettleJob } from './settle-job.js';
import { createSteering } from './steering.js';
import { createSubmitJob } from './submit-job.js';
import { createWatchOptOuts } from './watch-opt-outs.js';
import { createWatchPending } from './watch-pending.js';
import { createValidateJob } from './validate-job.js';

export type { ActivityDependencies } from './dependencies.js';
export { CallMeter } from './call-meter.js';
export { FailureMapping } from './failures.js';
export { HeldRuns } from './held-runs.js';
export { LedgerLimiter } from './ledger-limiter.js';
export { MeasuredCalls } from './measured-calls.js';
export { proveKey } from './prove-key.js';

/** All activities, joined to one ledger and one Klaviyo client. */
export function createActivities(deps: ActivityDependencies) {
  const metrics = new Metrics(deps.klaviyo);
  const optOuts = new OptOutWatch(deps, metrics);
  return {
    ...createPreflight(deps),
    ...createReadConsent(deps),
    ...createPlan(deps),
    ...createValidateJob(deps),
    ...createSubmitJob(deps, optOuts),
    ...createSettleJob(deps),
    ...createReadProofs(deps, { metrics, optOuts }),
    ...createReadPerson(deps),
    ...createSteering(deps),
    ...createWatchPending(deps),
    ...createWatchOptOuts(deps, optOuts),
  };
}

export type Activities = ReturnType<typeof createActivities>;
