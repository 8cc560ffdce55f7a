import { sql } from 'kysely';
import type { LedgerDb } from './database.js';

/** The clock that all workers of a ledger share: their own may differ. */
export interface LedgerClock {
  /** @param ms a moment as `performance.now()` @returns RFC 3339 */
  timeOf(ms: number): string;
}

const SAMPLES = 3;

/** Reads the ledger's clock. What it says is wrong by half of what the quickest of a few answers took, at most. */
export async function ledgerClock(db: LedgerDb): Promise<LedgerClock> {
  let quickestMs = Infinity;
  let aheadMs = 0;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const askedMs = performance.now();
    const { rows } = await sql<{ ms: number }>`
      select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`.execute(db);
    const tookMs = performance.now() - askedMs;
    if (tookMs >= quickestMs || rows[0] === undefined) continue;
    quickestMs = tookMs;
    aheadMs = rows[0].ms - (askedMs + tookMs / 2);
  }
  return { timeOf: (ms) => new Date(ms + aheadMs).toISOString() };
}
