export { openLedger, LedgerUnavailableError, type Ledger, type LedgerDb } from './database.js';
export * from './accounts.js';
export * from './calls.js';
export { settleDuplicates } from './runs/conflicts.js';
export * from './jobs/feed.js';
export * from './jobs/look-ups.js';
export { storeIntents, type StoredWithIntents } from './runs/intents.js';
export { AlreadyRunningError } from './runs/storing.js';
export * from './jobs/jobs.js';
export * from './limiter.js';
export {
  findMoveFrom,
  findRunningMigration,
  getMigration,
  getPlan,
  listMigrations,
  MigrationNotFoundError,
  rowsOfSource,
  runsOfSource,
  setPhase,
  setPlan,
  setPreflight,
  type Migration,
  type MigrationSummary,
  type NewMigration,
  type RunOfSource,
} from './runs/migrations.js';
export { liftsOf, noteOptOuts, optOutsOf, type OptOut } from './opt-outs/known.js';
export * from './account-feeds.js';
export { erasePeople, finishErasures } from './erasure/erase.js';
export type { Erasing, PersonToErase } from './erasure/people.js';
export * from './opt-outs/repairs.js';
export * from './clock.js';
export { forgetProfiles, type GoneProfile } from './people/forget.js';
export * from './people/mirror.js';
export * from './people/person.js';
export * from './people/remember.js';
export * from './programs/applied.js';
export * from './syncs/syncs.js';
export * from './syncs/sync-runs.js';
export * from './syncs/webhook-events.js';
export * from './syncs/wanted-runs.js';
export * from './programs/former.js';
export { givenToRows, storeGiven, type GivenConsent, type GivenToRow } from './programs/given.js';
export {
  addAskedNow,
  beginAskedNow,
  countAskedNow,
  type AskedNow,
  type InStore,
  type SwitchedOff,
} from './programs/program-people.js';
export {
  SegmentAsksElseError,
  SegmentBrakedError,
  storeSegmentRun,
  type ComparedSegment,
  type SegmentHow,
} from './segments/store-run.js';
export * from './segments/activations.js';
export {
  beginSegmentRun,
  getSegmentRun,
  noteSegmentRun,
  noteTerminated,
  segmentRunOf,
  segmentRuns,
  type SegmentRun,
} from './segments/segment-runs.js';
export { SegmentKeyError } from './segments/staged.js';
export {
  endSegment,
  segmentPeople,
  SegmentIsRunningError,
  SegmentListError,
} from './segments/segments.js';
export * from './runs/plan.js';
export * from './runs/notes.js';
export * from './runs/shared-dates.js';
export * from './runs/preflight.js';
export * from './runs/consent-states.js';
export * from './runs/report.js';
export * from './runs/retry.js';
export {
  finishRun,
  heldBecause,
  hold,
  startShortRun,
  release,
  setShare,
  termsOf,
  type RunTerms,
} from './runs/runs.js';
export { storeConsentBefore, type ConsentBefore } from './jobs/consent-before.js';
export * from './jobs/open-rows.js';
export { forgetAsked, isAnybodyAsked, settleAskedAlready, type Asking } from './jobs/asked.js';
export { openImportsOf, type AcceptedImport } from './jobs/imports.js';
export { askForMembership } from './jobs/membership.js';
export {
  settleParts,
  settlePending,
  settleRepaired,
  settleUnsent,
  settleUnsentParts,
  type Settlement,
} from './jobs/settlements.js';
export * from './runs/steering.js';
export { lockForCall } from './runs/steering-lock.js';
export {
  answerSubmission,
  beginSubmission,
  submissionsOfJob,
  type Begun,
  type KlaviyoMoment,
  type SentPart,
  type SubmissionAnswer,
  type SubmissionRecord,
} from './jobs/submissions.js';
export { mayHaveUnsentParts, rowsIfFresh } from './jobs/unsent.js';
export * from './runs/totals.js';
