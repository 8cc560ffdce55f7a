import type { ActivityDependencies } from './dependencies.js';
import { createPlan } from './plan.js';
import { createPreflight } from './preflight/preflight.js';
import { createReadConsent } from './read-consent.js';
import { createReadPerson } from './read-person.js';
import { createReadProofs } from './read-proofs.js';
import { createSettleJob } from './settle-job.js';
import { createSteering } from './steering.js';
import { createSubmitJob } from './submit-job.js';
import { createWatchPending } from './watch-pending.js';
import { createValidateJob } from './validate-job.js';

export type { ActivityDependencies } from './dependencies.js';
export { CallMeter } from './call-meter.js';
export { FailureMapping } from './failures.js';
export { LedgerLimiter } from './ledger-limiter.js';
export { MeasuredCalls } from './measured-calls.js';

/** All activities, joined to one ledger and one Klaviyo client. */
export function createActivities(deps: ActivityDependencies) {
  return {
    ...createPreflight(deps),
    ...createReadConsent(deps),
    ...createPlan(deps),
    ...createValidateJob(deps),
    ...createSubmitJob(deps),
    ...createSettleJob(deps),
    ...createReadProofs(deps),
    ...createReadPerson(deps),
    ...createSteering(deps),
    ...createWatchPending(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
