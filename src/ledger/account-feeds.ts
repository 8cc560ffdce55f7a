import { sql } from 'kysely';
import type { LedgerDb } from './database.js';

/** A feed of the account, and how far it was read. */
export interface AccountFeed {
  /** Where the next read begins, by Klaviyo's clock. */
  readonly since: Date;
  /** Milliseconds for which nothing that it showed was missed; null if that is unknown. */
  readonly wholeMs: number | null;
  readonly unreadable: boolean;
}

/** Lease of the worker that reads a feed. The others wait for it, at most this long if it died. */
const READING_WITHIN_SECONDS = 30;

/** After this, a feed that the key may not read is tried again: the key may have changed. */
const UNREADABLE_FOR_SECONDS = 10 * 60;

/**
 * Which of these feeds are due: those not read completely within the last `maxAgeMs`, nor within
 * `rest` times the duration of that read, and those that were not read back to `backMs` ago. A feed
 * that the key may not read is due less often.
 *
 * @param waitingMs time since the caller began to wait: a feed read since then is recent enough,
 *   however long the other feeds took
 * @param backMs how long nothing that the feeds showed may have been missed; 0 if that does not matter
 */
export async function dueFeeds(
  db: LedgerDb,
  accountId: string,
  feeds: readonly { readonly feed: string; readonly maxAgeMs: number; readonly rest: number }[],
  waitingMs: number,
  backMs = 0,
): Promise<string[]> {
  if (feeds.length === 0) return [];
  const { rows } = await sql<{ feed: string }>`
    select asked.feed
    from unnest(
      ${feeds.map(({ feed }) => feed)}::text[],
      ${feeds.map(({ maxAgeMs }) => Math.max(maxAgeMs, waitingMs))}::float8[],
      ${feeds.map(({ rest }) => rest)}::float8[]
    ) as asked (feed, max_age_ms, rest)
    left join consentry.account_feed f on f.account_id = ${accountId} and f.feed = asked.feed
    where f.read_at is null
      -- Of before the clock went back.
      or f.read_at > now()
      or f.read_at < now() - make_interval(secs => greatest(
      asked.max_age_ms / 1000, f.took_ms / 1000 * asked.rest,
      case when f.unreadable then ${UNREADABLE_FOR_SECONDS}::float8 end))
    or (${backMs}::float8 > 0 and not f.unreadable
      and coalesce(f.whole_since > now() - make_interval(secs => ${backMs}::float8 / 1000), true))`.execute(
    db,
  );
  return rows.map(({ feed }) => feed);
}

/**
 * Takes the lease of a feed, unless another worker is reading it.
 *
 * @param from where to begin a feed that was never read
 * @returns null if another worker is reading it
 */
export async function takeFeed(
  db: LedgerDb,
  accountId: string,
  feed: string,
  from: Date,
): Promise<AccountFeed | null> {
  const { rows } = await sql<{ since: Date; whole_ms: number | null; unreadable: boolean }>`
    insert into consentry.account_feed as f (account_id, feed, since, reading_until)
    values (${accountId}, ${feed}, ${from},
      now() + make_interval(secs => ${READING_WITHIN_SECONDS}))
    on conflict (account_id, feed) do update set reading_until = excluded.reading_until
    where f.reading_until is null or f.reading_until < now()
    returning since, unreadable,
      (extract(epoch from now() - whole_since) * 1000)::float8 as whole_ms`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  return { since: row.since, wholeMs: row.whole_ms, unreadable: row.unreadable };
}

/** Extends the lease of a feed. Does nothing if it was released meanwhile. */
export async function keepFeed(db: LedgerDb, accountId: string, feed: string): Promise<void> {
  await sql`
    update consentry.account_feed
    set reading_until = now() + make_interval(secs => ${READING_WITHIN_SECONDS})
    where account_id = ${accountId} and feed = ${feed} and reading_until is not null`.execute(db);
}

/**
 * Records that a feed was read completely, or that the key may not read it, and releases the lease.
 * After the latter, the next read begins where this one would have.
 *
 * @param read.tookMs time since its first call; it may have missed later changes
 * @param read.wholeMs how long before that call nothing was missed; absent if that did not change
 */
export async function feedWasRead(
  db: LedgerDb,
  accountId: string,
  feed: string,
  read: {
    readonly since: Date;
    readonly tookMs: number;
    readonly wholeMs?: number | undefined;
    readonly unreadable?: boolean;
  },
): Promise<void> {
  const { unreadable = false, wholeMs = null } = read;
  await sql`
    update consentry.account_feed
    set since = case when ${unreadable} then since else ${read.since}::timestamptz end,
      unreadable = ${unreadable}, reading_until = null,
      -- What is shown while the key may not read it is missed.
      whole_since = case when ${unreadable} then null
        when ${wholeMs}::float8 is null then whole_since
        else now() - make_interval(secs => (${wholeMs}::float8 + ${read.tookMs}::float8) / 1000) end,
      took_ms = ${read.tookMs}::float8, read_at = now() - make_interval(secs => ${read.tookMs / 1_000})
    where account_id = ${accountId} and feed = ${feed}`.execute(db);
}

/**
 * Records that somebody else than the reader of a feed has read all that it showed in a time. A feed
 * that was last read before that time is missing what was between, and stays as it is.
 *
 * @param read.from by Klaviyo's clock, as `read.until`
 * @param read.lateMs changes become visible so late
 * @param read.tookMs time since its first call
 */
export async function feedWasReadElsewhere(
  db: LedgerDb,
  accountId: string,
  feed: string,
  read: {
    readonly from: Date;
    readonly until: Date;
    readonly lateMs: number;
    readonly tookMs: number;
  },
): Promise<void> {
  await sql`
    update consentry.account_feed
    set since = greatest(since, ${read.until}::timestamptz),
      read_at = greatest(least(read_at, now()), now() - make_interval(secs => ${read.tookMs / 1_000}))
    where account_id = ${accountId} and feed = ${feed} and whole_since is not null
      and since >= ${read.from}::timestamptz + make_interval(secs => ${read.lateMs / 1_000})`.execute(
    db,
  );
}

/** Releases the lease of a feed after a failed read. */
export async function releaseFeed(db: LedgerDb, accountId: string, feed: string): Promise<void> {
  await sql`
    update consentry.account_feed set reading_until = null
    where account_id = ${accountId} and feed = ${feed}`.execute(db);
}

/**
 * How far back opt-outs must be known, in milliseconds: to the oldest consent reading behind any
 * subscribe that is about to be sent or may still be applied.
 */
export async function watchedForMs(
  db: LedgerDb,
  accountId: string,
  consentMaxAgeMs: number,
): Promise<number> {
  const { rows } = await sql<{ age_ms: number | null }>`
    select (extract(epoch from now() - min(s.sent_at)) * 1000)::float8 as age_ms
    from consentry.run join consentry.submission s on s.migration_id = run.id
    where run.kind = 'migration' and run.account_id = ${accountId} and s.endpoint = 'bulk_subscribe_profiles'
      and (run.finished_at is null or run.finished_at > now() - interval '2 hours')`.execute(db);
  return consentMaxAgeMs + (rows[0]?.age_ms ?? 0);
}
