export { openLedger, LedgerUnavailableError, type Ledger, type LedgerDb } from './database.js';
export * from './accounts.js';
export * from './calls.js';
export { settleDuplicates } from './conflicts.js';
export * from './feed.js';
export * from './intents.js';
export * from './jobs.js';
export * from './limiter.js';
export {
  findRunningMigration,
  getMigration,
  getPlan,
  listMigrations,
  MigrationNotFoundError,
  setPhase,
  setPlan,
  setPreflight,
  setShare,
  type Migration,
  type MigrationSummary,
  type NewMigration,
} from './migrations.js';
export { noteOptOuts, optOutsOf, type OptOut } from './opt-outs/known.js';
export * from './opt-outs/feeds.js';
export * from './opt-outs/repairs.js';
export * from './person.js';
export * from './plan.js';
export * from './preflight.js';
export * from './report.js';
export * from './retry.js';
export * from './rows.js';
export * from './steering.js';
export {
  answerSubmission,
  beginSubmission,
  submissionsOfJob,
  type Begun,
  type KlaviyoMoment,
  type SentPart,
  type SubmissionAnswer,
  type SubmissionRecord,
} from './submissions.js';
export * from './totals.js';
