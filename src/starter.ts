/** Starts, steers and reports migrations from a script, as the `consentry` command does. */
export {
  connect,
  TemporalUnreachableError,
  type Connected,
  type ConnectOptions,
} from './starter/connect.js';
export type { Consentry } from './starter/consentry.js';
export type { Migrations } from './starter/migrations/migrations.js';
export type { Lists, NewList } from './starter/lists/lists.js';
export type { People } from './starter/people/people.js';
export type { PersonChange } from './starter/people/change.js';
export { MigrationStoppedError } from './starter/stopped.js';
export { hasEnded } from './starter/migrations/ended.js';
export type { StartedMigration } from './starter/migrations/start.js';
export { NothingChangedError } from './starter/migrations/since.js';
export { NoWorkerError } from './starter/worker-check.js';
export type { WatchOptions } from './starter/migrations/watch.js';
export type {
  CheckRequest,
  MigrationRequest,
  RetryRequest,
} from './starter/migrations/request/migration-request.js';
export { SettingsError } from './starter/migrations/request/settings-error.js';
export { ListNotCreatedError } from './starter/lists/execute-list.js';
export { PersonNotReadError } from './starter/people/live-consent.js';
export type { Reads, Report, ReportDetails } from './starter/migrations/report.js';
export type {
  MigrationTiming,
  OutcomeCounts,
  PartCount,
  NoteCount,
  SharedDate,
  Phase,
  Plan,
  Preflight,
  Progress,
  Totals,
  WatchProgress,
} from './contracts/migration.js';
export type { CreatedList } from './contracts/lists.js';
export type { JobRange } from './contracts/jobs.js';
export { OUTCOMES, type SettledBy, type Outcome, type Reason } from './contracts/outcomes.js';
export type { Channel, ConsentChannel, Operation } from './contracts/channels.js';
export type { Person, PersonChannel, PersonConsent, PersonProfile } from './contracts/person.js';
export type {
  /** One line of the list of migrations. */
  MigrationSummary,
  PersonPart,
  ReportedPart,
  SettledOverTime,
  Transition,
} from './ledger/index.js';
export {
  LedgerUnavailableError,
  /** The ledger has no migration with this id. */
  MigrationNotFoundError,
} from './ledger/index.js';
export { SourceError, type Changes, type VanishedRow } from './importers/index.js';
export { ConfigError } from './runtime/config.js';
export { NoEnvironmentError } from './runtime/local/dev-state.js';
