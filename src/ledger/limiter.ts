import { sql } from 'kysely';
import type { LedgerDb } from './database.js';

export interface GrantRequest {
  readonly account: string;
  readonly endpoint: string;
  /** Calls in any second and in any 60 seconds. */
  readonly burst: number;
  readonly steady: number;
  /** A call that would have to wait longer is not reserved. */
  readonly maxWaitMs: number;
  /** The run that asks, and its own limits within those of the account. */
  readonly run?: { readonly id: string; readonly burst: number; readonly steady: number };
}

/**
 * `granted`: the call is reserved and may be made after `waitMs`. Otherwise ask again after
 * `waitMs`. A call that only the run's own limits delay is not reserved, however short the wait.
 */
export interface Grant {
  readonly granted: boolean;
  readonly waitMs: number;
}

/**
 * Reserves one call. All workers and runs of an account share its limits: first come, first served.
 * Uses the database server's clock, so workers' clocks do not matter.
 */
export async function grantCall(db: LedgerDb, request: GrantRequest): Promise<Grant> {
  const { rows } = await sql<{ granted: boolean; wait_ms: number }>`
    select granted, wait_ms from consentry.grant_call(
      ${request.account}, ${request.endpoint}, ${request.burst}, ${request.steady},
      ${request.maxWaitMs}, ${request.run?.id ?? null}, ${request.run?.burst ?? null}::integer,
      ${request.run?.steady ?? null}::integer)`.execute(db);
  const row = rows[0];
  if (row === undefined) throw new Error('grant_call returned no row');
  return { granted: row.granted, waitMs: row.wait_ms };
}

/** Blocks calls to `endpoint` for the next `retryAfterMs`, after Klaviyo answered 429. */
export async function penalise(
  db: LedgerDb,
  account: string,
  endpoint: string,
  retryAfterMs: number,
): Promise<void> {
  await sql`
    insert into consentry.penalty (account, endpoint, until)
    values (${account}, ${endpoint},
      clock_timestamp() + make_interval(secs => ${retryAfterMs / 1000}))
    on conflict (account, endpoint) do update
      set until = greatest(consentry.penalty.until, excluded.until)`.execute(db);
}
