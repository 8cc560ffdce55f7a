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
 * Every so many rows of the second file one is of a person whom the account drops without a word,
 * so that whichever job is accepted has a row that is never seen.
 */
const DROPPED_EVERY = 50;

export interface DemoSource {
  /** The account before the run knows people of both files. */
  readonly account: DemoExport;
  writeFirst(path: string): Promise<void>;
  /** The rows after the first file's, so that nobody is in both. */
  writeSecond(path: string): Promise<void>;
}

/** Two files of one made-up export; duplicates stay within blocks, so the cut is between blocks. */
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
