import { lagOf, lagsTogether, type Lags } from '../../contracts/sync-lag.js';
import { MEMBERSHIPS } from '../../contracts/sync.js';
import type { NoticedBy, Written } from '../../destinations/destination.js';
import { noteLags } from '../../ledger/index.js';
import type { SyncDependencies } from '../dependencies.js';
import type { SyncSession } from './session.js';
import type { SyncState } from './state.js';

/** Adds to the run how late it noticed what was written. */
export async function noteLagsOf(
  { ledger, klaviyo }: Pick<SyncDependencies, 'ledger' | 'klaviyo'>,
  session: Pick<SyncSession, 'timeOf'>,
  runId: string,
  written: Written,
): Promise<void> {
  const now = klaviyo.now();
  if (now === null) return;
  const klaviyoMs = (now.earliest.getTime() + now.latest.getTime()) / 2;
  const lags = lagsIn(written, session.timeOf(performance.now()), klaviyoMs);
  if (Object.keys(lags).length > 0) await noteLags(ledger.db, runId, lags);
}

/**
 * How late each change was noticed. Klaviyo dates the changes, and the ledger's clock the readings: they
 * are compared by Klaviyo's.
 *
 * @param writtenAt now, by the ledger's clock
 * @param klaviyoMs the same by Klaviyo's, epoch ms
 */
export function lagsIn(
  { changes, members }: Pick<Written, 'changes' | 'members'>,
  writtenAt: string,
  klaviyoMs: number,
): Lags {
  const aheadMs = klaviyoMs - Date.parse(writtenAt);
  const noticed = [
    ...changes,
    ...(members?.joinedAt ?? []).map((changedAt) => ({
      thing: MEMBERSHIPS,
      changedAt,
      noticedAt: writtenAt,
    })),
  ];
  return lagsTogether(
    noticed.flatMap(({ thing, changedAt, noticedAt }): Lags[] =>
      changedAt === null
        ? []
        : [{ [thing]: lagOf(Date.parse(noticedAt) + aheadMs - Date.parse(changedAt)) }],
    ),
  );
}

/** Into a table of memberships that is filled for the first time, all of them come: nothing was late. */
export function isFilled({ listsIn, reading }: SyncState, noticedBy: NoticedBy): boolean {
  if (noticedBy === 'first_run') return false;
  return noticedBy !== 'sweep' || (listsIn !== null && listsIn === reading?.lists?.in);
}
