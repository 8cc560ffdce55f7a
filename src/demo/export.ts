import { accountState, bystander, seedProfile } from './account-before.js';
import type { AccountState, SeedProfile } from './account-before.js';
import { COLUMNS, exportRow } from './export-row.js';
import { FILTERED_DOMAIN } from './people.js';
import { kindCounts, rowPlans, type RowKind } from './row-kinds.js';

export type { AccountState, SeedProfile } from './account-before.js';
export type { RowKind } from './row-kinds.js';

export interface DemoExportOptions {
  /** The same seed and options give the same bytes. @default 1 */
  readonly seed?: number;
  /** @default 20,000 */
  readonly rows?: number;
  /** People of the account who are not in the file. @default 3,000 */
  readonly bystanders?: number;
  /** Id of a list that some people are on before the run. @default null, nobody is on a list */
  readonly listId?: string | null;
}

/** A made-up Mailchimp export, and the account before the run. Nothing is kept in memory. */
export interface DemoExport {
  /** The file in pieces: UTF-8 with a byte order mark and CRLF. Can be read again. */
  readonly csv: Iterable<string>;
  /** Can be read again. */
  readonly accountBefore: Iterable<SeedProfile>;
  readonly smsSenders: readonly { country: string; type: string; status: string }[];
  /** Domains that the sandbox drops silently. */
  readonly filteredDomains: readonly string[];
  /** Time zone of the file's dates, which do not state it. */
  readonly timezone: string;
  /** What was generated: rows by kind, and rows by what the account knows about the person before. */
  expected(): DemoExpectation;
}

export interface DemoExpectation {
  readonly rows: Partial<Record<RowKind, number>>;
  readonly account: Partial<Record<AccountState, number>>;
}

const ROWS_A_PIECE = 500;

export function generateExport(options: DemoExportOptions = {}): DemoExport {
  const { seed = 1, rows = 20_000, bystanders = 3_000, listId = null } = options;
  return {
    csv: { [Symbol.iterator]: () => csvPieces(seed, rows) },
    accountBefore: { [Symbol.iterator]: () => profiles(seed, rows, bystanders, listId) },
    smsSenders: [
      { country: 'US', type: 'toll_free', status: 'active' },
      { country: 'CA', type: 'toll_free', status: 'active' },
      { country: 'AU', type: 'long_code', status: 'active' },
    ],
    filteredDomains: [FILTERED_DOMAIN],
    timezone: 'UTC',
    expected: () => ({ rows: kindCounts(seed, rows), account: accountCounts(seed, rows) }),
  };
}

function* csvPieces(seed: number, rows: number): Generator<string, void, undefined> {
  let piece = `\uFEFF${csvLine(COLUMNS)}`;
  let inPiece = 0;
  for (const plan of rowPlans(seed, rows)) {
    piece += csvLine(exportRow(seed, plan).cells);
    inPiece += 1;
    if (inPiece < ROWS_A_PIECE) continue;
    yield piece;
    piece = '';
    inPiece = 0;
  }
  if (piece !== '') yield piece;
}

function* profiles(
  seed: number,
  rows: number,
  bystanders: number,
  listId: string | null,
): Generator<SeedProfile, void, undefined> {
  for (const plan of rowPlans(seed, rows)) {
    const profile = seedProfile(seed, exportRow(seed, plan), listId);
    if (profile !== null) yield profile;
  }
  for (let n = 0; n < bystanders; n++) yield bystander(seed, n, listId);
}

function accountCounts(seed: number, rows: number): Partial<Record<AccountState, number>> {
  const counts: Partial<Record<AccountState, number>> = {};
  for (const plan of rowPlans(seed, rows)) {
    const state = accountState(seed, exportRow(seed, plan));
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
