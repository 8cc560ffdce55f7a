import { splitRefusal } from '../../klaviyo/index.js';
import { openImportsOf, settleParts } from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';

/**
 * Settles the memberships that Klaviyo refused after it had accepted their import, with its reason.
 * Klaviyo lists them with the import; nothing else tells them from rows that are late.
 */
export async function settleImportErrors(
  { ledger: { db }, klaviyo }: ActivityDependencies,
  migrationId: string,
  jobNumber: number,
  signal: AbortSignal,
): Promise<void> {
  for (const { klaviyoJobId, rowNumbers } of await openImportsOf(db, migrationId, jobNumber)) {
    const errors = await klaviyo.listImportErrors(klaviyoJobId, { signal });
    if (!errors.readable || errors.value.length === 0) continue;
    const { rows } = splitRefusal(errors.value, rowNumbers.length);
    await settleParts(
      db,
      migrationId,
      [...rows].map(([index, [refusal]]) => ({
        rowNumber: rowNumbers[index]!,
        channel: 'list',
        outcome: 'rejected',
        reason: refusal?.reason ?? 'klaviyo_refused',
        settledBy: 'klaviyo_answer',
      })),
    );
  }
}
