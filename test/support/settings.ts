import type { MigrationSettings } from '../../src/contracts/migration.js';

/** A live run for e-mail, without a list: what a test overrides where it matters. */
export const MIGRATION_SETTINGS: MigrationSettings = {
  listId: null,
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
};
