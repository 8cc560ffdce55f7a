import Table from 'cli-table3';
import type { Scenario, Script } from '../scenario.js';
import type { Result } from './result.js';

type Write = (text: string) => void;

const PLAIN = {
  style: { head: [], border: [] },
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
};

/** The figures, what explains them, and the floors, as tables. */
export function printResult(result: Result, write: Write): void {
  const { scenario, parameters, machine, commit, details = {} } = result;
  const flags = parameters.flags.map((flag) => ` --${flag}`).join('');
  const load = `load ${machine.load.begin[0]} to ${machine.load.end[0]}`;
  const at = commit === null ? '' : `, ${commit.id.slice(0, 7)}${commit.dirty ? ', changed' : ''}`;
  write(`\n${scenario}${flags}, ${parameters.rows.toLocaleString('en')} rows${at}\n`);
  write(`${machine.cores} x ${machine.cpu}, ${load}, Node ${result.versions.node}\n`);
  if (result.skipped !== undefined) {
    write(`Skipped: ${result.skipped}\n`);
    return;
  }
  write(`${tableOf(Object.entries(result.figures))}\n`);
  for (const [title, rows] of Object.entries(details)) {
    const shown = detailOf(rows);
    if (shown !== null) write(`${title}\n${shown}\n`);
  }
  for (const { says, held } of result.floors) {
    const word = held === null ? 'not checked' : held ? 'held' : 'MISSED';
    write(`${word}: ${says}\n`);
  }
}

/** Every name with its line. */
export function printList(known: readonly (Scenario | Script)[], write: Write): void {
  const table = new Table({ ...PLAIN, chars: NO_LINES });
  for (const each of known) {
    const rows = 'rows' in each ? `${each.rows.toLocaleString('en')} rows` : '';
    table.push([each.name, rows, each.line]);
    if ('flags' in each) {
      for (const [flag, line] of Object.entries(each.flags ?? {})) {
        table.push(['', '', `--${flag}: ${line}`]);
      }
    }
  }
  write(`${table.toString()}\n`);
}

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
    ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((place) => [place, '']),
);

/** Text, a list of objects or an object of values; null for nothing. */
function detailOf(rows: unknown): string | null {
  if (typeof rows === 'string') return rows;
  if (typeof rows !== 'object' || rows === null) return null;
  if (!Array.isArray(rows)) return tableOf(Object.entries(rows));
  const records = rows as Record<string, unknown>[];
  if (records.length === 0) return null;
  const head = Object.keys(records[0]!);
  const table = new Table({ ...PLAIN, head });
  for (const record of records) table.push(head.map((name) => shown(record[name])));
  return table.toString();
}

function tableOf(entries: readonly (readonly [string, unknown])[]): string {
  const table = new Table(PLAIN);
  for (const [name, value] of entries) table.push([name, shown(value)]);
  return table.toString();
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value);
  const digits = Math.abs(value) < 10 ? 3 : 1;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}
