import type { MigrationSettings, MigrationTiming } from '../../src/contracts/migration.js';

/** A live run for e-mail, without a list: what a test overrides where it matters. */
export const MIGRATION_SETTINGS: MigrationSettings = {
  listId: null,
  moveFrom: null,
  channels: ['email'],
  expectedOptIn: null,
  historicalImport: false,
  smsCountries: null,
  smsWithoutSender: 'stop',
  stopOnUndated: false,
  customSource: 'test',
  consent: 'explicit',
  canaryRows: null,
  rowsPerJob: 1_000,
  mirror: 'auto',
  absentIsNew: false,
  askAgainDays: 30,
  unsubscribeFrom: 'everything',
  isUndo: false,
};

/** The same into a single opt-in list, for e-mail and texts. */
export const LIST_SETTINGS = {
  ...MIGRATION_SETTINGS,
  listId: 'LIST01',
  channels: ['email', 'sms'],
  expectedOptIn: 'single_opt_in',
} as const satisfies MigrationSettings;

/** Quick enough for tests, long enough for a busy machine. */
export const TEST_TIMING: MigrationTiming = {
  confirmWithinMs: 20_000,
  // Every ended run is watched for that long, beside those of the next tests.
  appliedWithinMs: 1_500,
  membershipWithinMs: 20_000,
  readEveryMs: 100,
  readTurnMs: 1_000,
  lostAnswerWaitMs: 1_000,
  consentMaxAgeMs: 600_000,
  suppressionWithinMs: 20_000,
  textConsentMaxAgeMs: 120_000,
  optOutsMaxAgeMs: 500,
  optOutsLateMs: 500,
  eventsSilentMs: 2_000,
  watchForMs: 0,
  watchFirstMs: 500,
  watchLongestMs: 2_000,
};
