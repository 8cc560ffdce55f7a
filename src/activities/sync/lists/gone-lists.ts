import type { ListBatch } from '../../../destinations/destination.js';
import { ListNotFoundError, type KlaviyoClient } from '../../../klaviyo/index.js';
import { Persistence } from '../../temporal/persistence.js';
import type { SyncSession } from '../session.js';
import { NOTHING_READ } from './member-sink.js';

/** All members have left a list that is gone. */
export function endOfList(session: SyncSession, listId: string): ListBatch {
  const since = session.timeOf(performance.now());
  return { ...NOTHING_READ, listId, listName: null, whole: { since, joinedBefore: null } };
}

/**
 * Ends of the lists that the destination has members of and Klaviyo does not show. No list is taken for
 * gone because it was not shown among the others: it is asked for by its id.
 */
export async function goneLists(
  klaviyo: KlaviyoClient,
  session: SyncSession,
  notShown: readonly string[],
  signal: AbortSignal,
): Promise<ListBatch[]> {
  const persistence = new Persistence(signal);
  const ends: ListBatch[] = [];
  for (const id of notShown) {
    try {
      await persistence.whileShort(() => klaviyo.getList(id, { signal }));
    } catch (error) {
      if (!(error instanceof ListNotFoundError)) throw error;
      ends.push(endOfList(session, id));
    }
  }
  return ends;
}
