export { openLedger, LedgerUnavailableError, type Ledger, type LedgerDb } from './database.js';
export * from './calls.js';
export * from './feed.js';
export * from './intents.js';
export * from './jobs.js';
export * from './limiter.js';
export {
  findRunningMigration,
  getMigration,
  getPlan,
  getShare,
  listMigrations,
  MigrationNotFoundError,
  setPaused,
  setPhase,
  setPlan,
  setPreflight,
  setShare,
  type Migration,
  type MigrationSummary,
  type NewMigration,
} from './migrations.js';
export * from './person.js';
export * from './plan.js';
export * from './preflight.js';
export * from './report.js';
export * from './retry.js';
export * from './rows.js';
export * from './submissions.js';
export * from './totals.js';
