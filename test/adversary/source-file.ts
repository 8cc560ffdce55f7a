import { writeFile } from 'node:fs/promises';
import type { MigrationRequest } from '../../src/starter/settings.js';
import { LISTS } from './account.js';
import type { Identity } from './chronicle.js';
import type { RowSpec, RunSpec, Scenario } from './scenario.js';

const HEADER =
  'email,phone_number,email_consent,email_consented_at,sms_consent,sms_consented_at,suppressed';

/** Writes the source of a run in the generic layout. */
export async function writeSource(
  path: string,
  { rows }: RunSpec,
  people: readonly Identity[],
): Promise<void> {
  const lines = rows.map((row) => lineOf(row, people[row.person]));
  await writeFile(path, `${[HEADER, ...lines].join('\n')}\n`);
}

function lineOf(row: RowSpec, who: Identity | undefined): string {
  if (who === undefined) throw new Error(`no person ${row.person}`);
  return [
    who.written,
    who.phone ?? '',
    row.email,
    dateOf(row.emailYear),
    row.sms,
    dateOf(row.smsYear),
    row.suppressed,
  ].join();
}

export function dateOf(year: number | null): string {
  return year === null ? '' : `${year}-06-01T00:00:00Z`;
}

/** Waits short enough that a scenario is over in seconds, in the proportions of life. */
export const TIMING = {
  confirmWithinMs: 4_000,
  appliedWithinMs: 4_000,
  membershipWithinMs: 4_000,
  readEveryMs: 150,
  readTurnMs: 1_000,
  ambiguousWaitMs: 1_800,
  optOutsMaxAgeMs: 250,
  optOutsLateMs: 1_500,
  suppressionWithinMs: 3_000,
  eventsSilentMs: 500,
  watchForMs: 0,
} as const;

/** What is asked of the product for a run. */
export function requestOf(
  spec: RunSpec,
  {
    file,
    customSource,
    account,
    scenario: { consentMaxAgeMs, textConsentMaxAgeMs },
  }: { file: string; customSource: string; account: string; scenario: Scenario },
): MigrationRequest {
  const { list, historical, texts, canary, needsApproval, rowsPerJob, jobsPerSegment } = spec;
  return {
    file,
    account,
    customSource,
    listId: list === null ? null : LISTS[list],
    optIn: list === 'single' ? 'single' : 'double',
    channels: texts ? ['email', 'sms'] : ['email'],
    historical,
    ...(historical ? { undated: list === null ? 'reject' : 'list_only' } : {}),
    smsWithoutSender: 'reject',
    canary,
    confirm: needsApproval,
    confirmAbove: 0,
    rowsPerJob,
    jobsPerSegment,
    timing: { ...TIMING, consentMaxAgeMs, textConsentMaxAgeMs },
  };
}
