import { CONSENT_CHANNELS, type Operation } from '../contracts/channels.js';
import type { MigrationSettings, Preflight } from '../contracts/migration.js';
import type { Asking } from '../ledger/index.js';
import { waitsForClick } from './proof.js';

/** How a call of a run asks people for clicks; null if it asks nobody. */
export function askingOf(
  operation: Operation,
  {
    listId,
    historicalImport,
    askAgainDays,
  }: Pick<MigrationSettings, 'listId' | 'historicalImport' | 'askAgainDays'>,
  preflight: Pick<Preflight, 'optInProcess'> | null,
): Asking | null {
  const process = { optInProcess: preflight?.optInProcess ?? null, historicalImport };
  const channels = CONSENT_CHANNELS.filter((channel) =>
    waitsForClick({ operation, channel }, process),
  );
  return channels.length === 0 ? null : { listId, channels, againAfterDays: askAgainDays };
}
