import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify/sync';
import type { SandboxOptions } from 'klaviyo-sandbox';
import { COLUMNS, exportRow } from './export-row.js';
import { generateExport, type DemoExport } from './export.js';
import { BLOCK, rowPlans, type RowPlan } from './row-kinds.js';

export const LISTS = { double: 'Double', single: 'Single' } as const;

/** Rows of the second act's file: several jobs. */
export const SECOND_ROWS = 4_000;

/**
 * In the second file, one of this many rows is a person that the account drops silently, so that
 * any accepted job has a row that is never read back.
 */
const DROPPED_EVERY = 50;

export interface DemoSource {
  /** The account before the run, which knows people of both files. */
  readonly account: DemoExport;
  writeFirst(path: string): Promise<void>;
  /** Writes the rows after those of the first file, so that nobody is in both. */
  writeSecond(path: string): Promise<void>;
}

/** Two files from one made-up export; duplicates stay within blocks, so it is split between blocks. */
export function demoSource(seed: number, rows: number): DemoSource {
  const first = generateExport({ seed, rows });
  const cut = Math.ceil(rows / BLOCK) * BLOCK;
  return {
    account: generateExport({ seed, rows: cut + SECOND_ROWS, listId: LISTS.double }),
    writeFirst: (path) => pipeline(Readable.from(first.csv), createWriteStream(path)),
    writeSecond: (path) =>
      pipeline(Readable.from(linesFrom(seed, cut, cut + SECOND_ROWS)), createWriteStream(path)),
  };
}

function* linesFrom(seed: number, from: number, to: number): Generator<string> {
  const line = (plan: RowPlan): string => stringify([[...exportRow(seed, plan).cells]]);
  yield stringify([[...COLUMNS]]);
  for (const plan of rowPlans(seed, to)) {
    if (plan.row < from) continue;
    const dropped = plan.kind === 'plain' && plan.row % DROPPED_EVERY === 0;
    yield line(dropped ? { ...plan, kind: 'filtered' } : plan);
  }
}

/** The account of the demo: fast, with people who click while it runs. */
export function sandboxOptions(seed: number, account: DemoExport): SandboxOptions {
  return {
    seed,
    delays: 'fast',
    clicks: { share: 0.7, delayMs: [200, 16_000] },
    lists: [
      { id: LISTS.double, name: 'Newsletter, double opt-in', opt_in_process: 'double_opt_in' },
      { id: LISTS.single, name: 'Newsletter, single opt-in', opt_in_process: 'single_opt_in' },
    ],
    sms: { status: 'active', senders: [...account.smsSenders] },
    filteredDomains: [...account.filteredDomains],
  };
}
