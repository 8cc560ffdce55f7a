import type { CreatedList, ListInput } from '../../contracts/lists.js';
import { asks } from '../activity-options.js';
import { worksFor } from '../run.js';

/**
 * Finds one list, and creates it if the account has none of its name and the input says so. Its workflow id belongs to the name, so no other
 * execution looks for the list and creates it between this one's look and its call. A lost answer
 * is retried, and each try looks for the list first.
 *
 * Events: 11 at most, whatever the number of retries.
 */
export async function consentList({ runId, ...list }: ListInput): Promise<CreatedList | null> {
  worksFor({ kind: 'list', id: runId });
  return asks.createList.executeWithOptions(
    { summary: list.createsIt ? 'find the list, or create it' : 'find the list' },
    [list],
  );
}
