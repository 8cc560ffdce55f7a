import type { CheckInput, CheckResult } from '../../contracts/migration.js';
import { asks } from '../activity-options.js';
import { worksFor } from '../run.js';

/** Preflight without a migration: reads the account like a run with these settings. */
export async function consentCheck(input: CheckInput): Promise<CheckResult> {
  const { checkId, settings, listByName = false } = input;
  worksFor({ kind: 'check', id: checkId });
  return asks.checkAccount.executeWithOptions(
    { summary: 'key, list, opt-in process, SMS configuration' },
    [{ settings, listByName }],
  );
}
