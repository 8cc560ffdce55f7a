import type { MigrationSettings, Preflight } from '../../contracts/migration.js';
import { steps } from '../activity-options.js';

/** Preflight without a migration: reads the account as a run with these settings would. */
export async function consentCheck(settings: MigrationSettings): Promise<Preflight> {
  return steps.checkAccount.executeWithOptions(
    { summary: 'key, list, opt-in process, SMS configuration' },
    [{ settings }],
  );
}
