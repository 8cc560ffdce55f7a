import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { ReportedPart } from '../ledger/index.js';
import { eachPart, REJECT_COLUMNS, writeCsv } from './part-rows.js';

export interface Rejects {
  readonly path: string;
  readonly rows: number;
}

/** Where refused rows are written unless `--rejects` says otherwise. */
export function rejectsPath(source: string): string {
  return `${source}.rejects.csv`;
}

/**
 * Writes every refused channel of every row to `path`, for the owner of the file only: it holds
 * people's addresses.
 *
 * @returns null, and no file, where nothing was refused
 */
export async function writeRejects(
  pages: AsyncIterable<readonly ReportedPart[]>,
  path: string,
): Promise<Rejects | null> {
  const unfinished = `${path}.${process.pid}.new`;
  let rows = 0;
  async function* refused(): AsyncGenerator<ReportedPart> {
    for await (const part of eachPart(pages)) {
      if (part.outcome !== 'rejected') continue;
      rows += 1;
      yield part;
    }
  }
  try {
    const file = createWriteStream(unfinished, { mode: 0o600 });
    await writeCsv(refused(), REJECT_COLUMNS, file, true);
    if (rows === 0) return null;
    await rename(unfinished, path);
    return { path, rows };
  } finally {
    await rm(unfinished, { force: true });
  }
}
