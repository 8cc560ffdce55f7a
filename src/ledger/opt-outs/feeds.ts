import { sql } from 'kysely';
import type { LedgerDb } from '../database.js';

/** A feed of the account's opt-outs, and how far it was read. */
export interface OptOutFeed {
  /** Where the next read begins, by Klaviyo's clock. */
  readonly since: Date;
  readonly unreadable: boolean;
}

/** While one worker reads a feed the others wait; one that died is not waited for any longer. */
const READING_WITHIN_SECONDS = 30;

/** A feed that could not be read is asked for again: the key may be another one by then. */
const UNREADABLE_FOR_SECONDS = 10 * 60;

/**
 * The feeds of these that were not read whole within the last `maxAgeMs`, or `rest` times what that
 * took; of those that the key may not read, the ones that were not asked for lately.
 *
 * @param waitingMs since the caller began to wait: what was read since then is new enough, however long
 *   the other feeds took
 */
export async function dueFeeds(
  db: LedgerDb,
  accountId: string,
  feeds: readonly { readonly feed: string; readonly maxAgeMs: number; readonly rest: number }[],
  waitingMs: number,
): Promise<string[]> {
  if (feeds.length === 0) return [];
  const { rows } = await sql<{ feed: string }>`
    select asked.feed
    from unnest(
      ${feeds.map(({ feed }) => feed)}::text[],
      ${feeds.map(({ maxAgeMs }) => Math.max(maxAgeMs, waitingMs))}::float8[],
      ${feeds.map(({ rest }) => rest)}::float8[]
    ) as asked (feed, max_age_ms, rest)
    left join consentry.opt_out_feed f on f.account_id = ${accountId} and f.feed = asked.feed
    where f.read_at is null or f.read_at < now() - make_interval(secs => greatest(
      asked.max_age_ms / 1000, f.took_ms / 1000 * asked.rest,
      case when f.unreadable then ${UNREADABLE_FOR_SECONDS}::float8 end))`.execute(db);
  return rows.map(({ feed }) => feed);
}

/**
 * Takes a feed for reading, unless somebody reads it now.
 *
 * @param from where a feed that was never read begins
 * @returns null where somebody else reads it
 */
export async function takeFeed(
  db: LedgerDb,
  accountId: string,
  feed: string,
  from: Date,
): Promise<OptOutFeed | null> {
  const { rows } = await sql<{ since: Date; unreadable: boolean }>`
    insert into consentry.opt_out_feed as f (account_id, feed, since, reading_until)
    values (${accountId}, ${feed}, ${from},
      now() + make_interval(secs => ${READING_WITHIN_SECONDS}))
    on conflict (account_id, feed) do update set reading_until = excluded.reading_until
    where f.reading_until is null or f.reading_until < now()
    returning since, unreadable`.execute(db);
  return rows[0] ?? null;
}

/** Still reading: nobody else begins. Nothing where it was given back meanwhile. */
export async function keepFeed(db: LedgerDb, accountId: string, feed: string): Promise<void> {
  await sql`
    update consentry.opt_out_feed
    set reading_until = now() + make_interval(secs => ${READING_WITHIN_SECONDS})
    where account_id = ${accountId} and feed = ${feed} and reading_until is not null`.execute(db);
}

/**
 * A feed was read whole, or may not be read: then the next read begins where this one would have.
 *
 * @param tookMs from its first call to now: what was said later it need not have shown
 */
export async function feedWasRead(
  db: LedgerDb,
  accountId: string,
  feed: string,
  read: { readonly since: Date; readonly tookMs: number; readonly unreadable?: boolean },
): Promise<void> {
  const { unreadable = false } = read;
  await sql`
    update consentry.opt_out_feed
    set since = case when ${unreadable} then since else ${read.since}::timestamptz end,
      unreadable = ${unreadable}, reading_until = null,
      took_ms = ${read.tookMs}::float8, read_at = now() - make_interval(secs => ${read.tookMs / 1_000})
    where account_id = ${accountId} and feed = ${feed}`.execute(db);
}

/** Gives a feed back unread, as reading it failed. */
export async function releaseFeed(db: LedgerDb, accountId: string, feed: string): Promise<void> {
  await sql`
    update consentry.opt_out_feed set reading_until = null
    where account_id = ${accountId} and feed = ${feed}`.execute(db);
}

/**
 * How far back opt-outs have to be known: to the oldest reading that a subscribe may rest on which is
 * about to be sent, or may still be applied.
 */
export async function watchedForMs(
  db: LedgerDb,
  accountId: string,
  consentMaxAgeMs: number,
): Promise<number> {
  const { rows } = await sql<{ age_ms: number | null }>`
    select (extract(epoch from now() - min(s.sent_at)) * 1000)::float8 as age_ms
    from consentry.run join consentry.submission s on s.migration_id = run.id
    where run.account_id = ${accountId} and s.endpoint = 'bulk_subscribe_profiles'
      and (run.finished_at is null or run.finished_at > now() - interval '2 hours')`.execute(db);
  return consentMaxAgeMs + (rows[0]?.age_ms ?? 0);
}
