import { rename, writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import { GENERIC_COLUMNS } from '../../support/sources.js';
import { LISTS } from './account.js';
import type { Identity } from '../chronicle.js';
import type { RowSpec, RunSpec, Scenario } from '../scenarios/scenario.js';

/** The columns of the generic layout that a run asks for, and one that nobody reads. */
const COLUMNS = [...GENERIC_COLUMNS, 'sms_consented_at', 'list', 'was'] as const;
type Cells = Readonly<Record<(typeof COLUMNS)[number], string>>;

/**
 * Writes the source of a run in the generic layout.
 *
 * @returns to be called once the run has started, or has not
 */
export async function writeSource(
  path: string,
  { rows, source, list }: RunSpec,
  people: readonly Identity[],
): Promise<() => Promise<void>> {
  // Without a list, a row that is about one refuses the whole run.
  const cells = rows.map((row) =>
    cellsOf(list === null ? { ...row, list: '' } : row, people[row.person]),
  );
  if (source === 'json') {
    await writeFile(path, rows.map((row, n) => jsonOf(row, cells[n])).join('\n'));
    return () => Promise.resolve();
  }
  const first = csvOf(COLUMNS, cells);
  await writeFile(path, first);
  return source === 'swapped'
    ? swapping(path, first, csvOf(SWAPPED, cells))
    : () => Promise.resolve();
}

/** What was said stands where the other has what is said now. */
const SWAPPED = COLUMNS.map((name) =>
  name === 'was' ? 'email_consent' : name === 'email_consent' ? 'was' : name,
);

/** Puts one file in the place of the other until it is called off. */
function swapping(path: string, first: string, second: string): () => Promise<void> {
  let isOver = false;
  const swapped = (async () => {
    for (let turn = 1; !isOver; turn += 1) {
      await writeFile(`${path}.new`, turn % 2 === 0 ? first : second);
      await rename(`${path}.new`, path);
      await setImmediate();
    }
  })();
  return () => {
    isOver = true;
    return swapped;
  };
}

function csvOf(columns: readonly (keyof Cells)[], rows: readonly Cells[]): string {
  return [columns.join(), ...rows.map((row) => columns.map((name) => row[name]).join())]
    .map((line) => `${line}\n`)
    .join('');
}

function jsonOf({ trap }: RowSpec, cells: Cells | undefined): string {
  const members = Object.entries(cells ?? {}).flatMap(([name, value]) => {
    const member = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
    const isWord = name === 'email_consent' || name === 'sms_consent';
    return trap === 'twice' && isWord ? [`"${name}":"unsubscribed"`, member] : [member];
  });
  return `{${members.join()}}`;
}

function cellsOf(row: RowSpec, who: Identity | undefined): Cells {
  if (who === undefined) throw new Error(`no person ${row.person}`);
  const date = (year: number | null) =>
    row.trap === 'offset' ? dateOf(year).replace('Z', '+99:99') : dateOf(year);
  return {
    email: row.trap === 'kelvin' ? who.written.replace(/k/i, '\u212A') : who.written,
    phone_number: who.phone ?? '',
    email_consent: row.email,
    email_consented_at: date(row.emailYear),
    sms_consent: row.sms,
    sms_consented_at: date(row.smsYear),
    suppressed: row.suppressed,
    list: row.list,
    was: 'yes',
  };
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
  lostAnswerWaitMs: 1_800,
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
  const { list, historical, texts, canary, waitsForApproval, unsubscribesFromList, mirror } = spec;
  const { rowsPerJob, jobsPerBatch } = spec;
  return {
    file,
    account,
    customSource,
    listId: list === null ? null : LISTS[list],
    optIn: list === 'single' ? 'single' : 'double',
    channels: texts ? ['email', 'sms'] : ['email'],
    unsubscribeFrom: unsubscribesFromList && list !== null ? 'list' : 'everything',
    historical,
    ...(historical ? { undated: list === null ? 'reject' : 'list_only' } : {}),
    smsWithoutSender: 'reject',
    canary,
    approvalAbove: waitsForApproval ? 0 : null,
    mirror,
    rowsPerJob,
    jobsPerBatch,
    timing: { ...TIMING, consentMaxAgeMs, textConsentMaxAgeMs },
  };
}
