import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { LedgerDb } from '../database.js';

/** Events are remembered this long, and so many of each sync. Told of an older one, a sync reads once more. */
const EVENTS_LIVE = sql`interval '30 days'`;
const MOST_EVENTS = 1_000_000;

/**
 * Notes events that a webhook told a sync of. If one of them is new, a run of the sync is wanted:
 * both or neither are stored.
 *
 * @param ids Klaviyo's ids of the events, of which only hashes are stored
 * @returns how many are new
 */
export async function noteWebhookEvents(
  db: LedgerDb,
  syncId: string,
  ids: readonly string[],
): Promise<number> {
  // In one order, so that two requests with the same events wait for each other only once.
  const hashes = [...new Set(ids.map(hashOf))].sort();
  const { rows } = await sql<{ fresh: number }>`
    with fresh as (
      insert into consentry.webhook_event (sync_id, id_hash)
      select ${syncId}, decode(hash, 'hex') from unnest(${hashes}::text[]) as each (hash)
      order by hash
      on conflict do nothing returning 1
    ), wanted as (
      insert into consentry.wanted_run (sync_id, since)
      select ${syncId}, now() where exists (select from fresh)
      on conflict (sync_id) do update
        set since = coalesce(wanted_run.since, now()), last_at = greatest(wanted_run.last_at, now())
    )
    select count(*)::int as fresh from fresh`.execute(db);
  return rows[0]?.fresh ?? 0;
}

/** Forgets events that nobody will be told of again. */
export async function pruneWebhookEvents(
  db: LedgerDb,
  syncId: string,
  most: number = MOST_EVENTS,
): Promise<void> {
  await sql`
    delete from consentry.webhook_event where sync_id = ${syncId} and seen_at < greatest(
      now() - ${EVENTS_LIVE},
      (select seen_at from consentry.webhook_event where sync_id = ${syncId}
        order by seen_at desc offset ${most - 1} limit 1))`.execute(db);
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
