/** Starting and steering migrations from a script: what the `consentry` command does. */
export {
  connect,
  TemporalUnreachableError,
  type Connected,
  type ConnectOptions,
} from './starter/connect.js';
export {
  Consentry,
  hasEnded,
  MigrationStoppedError,
  type StartedMigration,
} from './starter/consentry.js';
export { NoWorkerError } from './starter/worker-check.js';
export { watchMigration, type WatchOptions } from './starter/migrations/watch.js';
export { SettingsError, type MigrationRequest } from './starter/migrations/settings.js';
export { PersonNotReadError } from './starter/people/person.js';
export type { Reads, Report, ReportDetails } from './starter/migrations/report.js';
export type {
  MigrationTiming,
  OutcomeCounts,
  PartCount,
  Phase,
  Plan,
  Preflight,
  Progress,
} from './contracts/migration.js';
export { OUTCOMES, type Evidence, type Outcome, type Reason } from './contracts/outcomes.js';
export type { Channel, ConsentChannel } from './contracts/channels.js';
export type { Person, PersonChannel, PersonConsent, PersonProfile } from './contracts/person.js';
export type {
  MigrationSummary,
  PersonPart,
  ReportedPart,
  SettledOverTime,
  Transition,
} from './ledger/index.js';
export { LedgerUnavailableError, MigrationNotFoundError } from './ledger/index.js';
export { SourceError } from './importers/index.js';
export { ConfigError } from './runtime/config.js';
export { NoEnvironmentError } from './runtime/local/dev-state.js';
