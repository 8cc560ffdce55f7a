import type { SegmentDependencies, SyncDependencies } from './dependencies.js';
import { Metrics } from './temporal/metrics.js';
import { AccountPeople } from './mirror/account-people.js';
import { ProfileChanges } from './mirror/profile-changes.js';
import { OptOutWatch } from './opt-outs/watch.js';
import { createListOnce } from './lists/create-list.js';
import { createPlan } from './migration/plan.js';
import { createPreflight } from './migration/preflight/preflight.js';
import { createReadConsent } from './migration/read-consent.js';
import { createReadPerson } from './person/read-person.js';
import { createReadProofs } from './migration/proofs/read-proofs.js';
import { createSettleJob } from './migration/settle-job.js';
import { createReadAccount } from './sync/read-account.js';
import { createReadChanges } from './sync/read-changes.js';
import { createValidateSync } from './sync/validate.js';
import { createSyncSteps } from './sync/run-steps.js';
import { createCompareSegment } from './segment/compare-segment.js';
import { createSteering } from './migration/steering.js';
import { createSubmitJob } from './migration/submit-job.js';
import { createWatchOptOuts } from './opt-outs/watch-opt-outs.js';
import { createWatchPending } from './migration/watch-pending.js';
import { createValidateJob } from './migration/validate-job.js';

export type {
  ActivityDependencies,
  SegmentDependencies,
  SyncDependencies,
} from './dependencies.js';
export { CallMeter } from './temporal/call-meter.js';
export { FailureMapping } from './temporal/failures.js';
export { HeldRuns } from './temporal/held-runs.js';
export { LedgerLimiter } from './temporal/ledger-limiter.js';
export { MeasuredCalls } from './temporal/measured-calls.js';
export { Watchdog, type SegmentNotice, type SyncNotice, type WatchdogOutlets } from './watchdog.js';
export { proveKey } from './temporal/prove-key.js';

/** All activities, bound to one ledger and one Klaviyo client. */
export function createActivities(deps: SyncDependencies & SegmentDependencies) {
  const metrics = new Metrics(deps.klaviyo);
  const optOuts = new OptOutWatch(deps, metrics);
  const people = new AccountPeople(deps, optOuts);
  const changes = new ProfileChanges(deps, optOuts);
  return {
    ...createPreflight(deps),
    ...createReadConsent(deps, people, changes),
    ...createPlan(deps),
    ...createValidateJob(deps, people),
    ...createSubmitJob(deps, { optOuts, people, metrics }),
    ...createSettleJob(deps),
    ...createReadProofs(deps, { metrics, optOuts }),
    ...createReadPerson(deps),
    ...createListOnce(deps),
    ...createSteering(deps),
    ...createWatchPending(deps),
    ...createWatchOptOuts(deps, optOuts),
    ...createSyncSteps(deps),
    ...createReadAccount(deps),
    ...createValidateSync(deps),
    ...createReadChanges(deps, metrics),
    ...createCompareSegment(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
