import { sql, type RawBuilder } from 'kysely';
import type { LedgerDb } from '../database.js';
import { hasMarks } from '../erasure/marks.js';

/*
 * What Klaviyo holds of an account's people, across runs. It is known as of the last read of the feed
 * `profiles`, which shows every profile that was created or changed.
 */

/** The feed of profiles that changed. */
export const PROFILES_FEED = 'profiles';

/** A profile with what is kept of its consent. */
export interface MirroredProfile {
  readonly id: string;
  /** In lower case. */
  readonly email: string | null;
  readonly phoneNumber: string | null;
  /** It opted out of something, is suppressed, left a list, or Klaviyo did not say. */
  readonly saysNo: boolean;
  /** Whatever the caller keeps of its consent, as JSON. */
  readonly consent: object;
}

/**
 * Notes that somebody was left out of the mirror who may be there, so that an address that is missing
 * from it is looked up. A whole reading that is under way does not make it complete.
 *
 * @param condition whether there was anybody
 */
export const nowIncomplete = (
  accountId: string,
  condition: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`
  update consentry.account_feed set complete = false, missed_at = clock_timestamp()
  where account_id = ${accountId} and feed = ${PROFILES_FEED} and ${condition}`;

/** How far what is remembered of an account's people can be relied on. */
export interface Mirror {
  /** Milliseconds since it was last brought up to date; null if it never was. */
  readonly ageMs: number | null;
  /** Milliseconds since it began: what was remembered later is up to date too. */
  readonly wholeMs: number;
  /** Every profile of the account was read. */
  readonly complete: boolean;
  /** Somebody in it opted out, is suppressed, left a list, or Klaviyo did not say. */
  readonly saysNo: boolean;
  /** The same of a profile that says no to mail, and of which Klaviyo shows no address. */
  readonly namelessSaysNo: boolean;
}

/** @returns null if nothing is remembered */
export async function mirrorOf(db: LedgerDb, accountId: string): Promise<Mirror | null> {
  const { rows } = await sql<{
    age_ms: number | null;
    whole_ms: number;
    complete: boolean;
    says_no: boolean;
    nameless_says_no: boolean;
  }>`
    select (extract(epoch from now() - read_at) * 1000)::float8 as age_ms,
      (extract(epoch from now() - whole_since) * 1000)::float8 as whole_ms, complete,
      exists (select from consentry.profile p where p.account_id = f.account_id and p.says_no)
        -- Feeds show opt-outs that do not count as a change of the profile.
        or exists (select from consentry.opt_out o where o.account_id = f.account_id)
        or ${hasMarks(sql`f.account_id`)} as says_no,
      exists (select from consentry.profile p where p.account_id = f.account_id
        and p.says_no and p.email is null and p.consent ? 'email') as nameless_says_no
    from consentry.account_feed f
    where account_id = ${accountId} and feed = ${PROFILES_FEED} and whole_since is not null`.execute(
    db,
  );
  const [row] = rows;
  if (row === undefined) return null;
  return {
    ageMs: row.age_ms,
    wholeMs: row.whole_ms,
    complete: row.complete,
    saysNo: row.says_no,
    namelessSaysNo: row.nameless_says_no,
  };
}

/**
 * Begins to remember people, if that has not begun.
 *
 * @param since the beginning, by Klaviyo's clock: changes are read from there later
 * @param tookMs how long ago that is
 */
export async function beginMirror(
  db: LedgerDb,
  accountId: string,
  { since, tookMs }: { readonly since: Date; readonly tookMs: number },
): Promise<void> {
  await sql`
    insert into consentry.account_feed (account_id, feed, since, whole_since)
    values (${accountId}, ${PROFILES_FEED}, ${since},
      now() - make_interval(secs => ${tookMs}::float8 / 1000))
    on conflict (account_id, feed) do update
      set since = excluded.since, whole_since = excluded.whole_since
      where account_feed.whole_since is null`.execute(db);
}

/** What was read is not forgotten because the clocks of the ledger and of a worker drift apart. */
const CLOCKS_DRIFT = sql`interval '5 minutes'`;

/**
 * Records that every profile of the account was read, and forgets those that are gone. What others
 * are writing at the moment is left alone: it is new, and both would wait for each other. It is not
 * complete if somebody was missed since the reading began: see `rememberPeople`.
 *
 * @param began when that reading began, by the ledger's clock
 */
export async function completeMirror(
  db: LedgerDb,
  accountId: string,
  began: string,
): Promise<void> {
  const since = sql`${began}::timestamptz`;
  await sql`
    update consentry.account_feed
    set complete = coalesce(missed_at < ${since}, true), whole_since = least(${since}, now())
    where account_id = ${accountId} and feed = ${PROFILES_FEED}`.execute(db);
  await sql`
    delete from consentry.profile where ctid = any(array(
      select ctid from consentry.profile
      where account_id = ${accountId} and (read_at < ${since} - ${CLOCKS_DRIFT}
        -- Of before the clock went back.
        or read_at > now() + ${CLOCKS_DRIFT})
      for update skip locked))`.execute(db);
  await sql`
    delete from consentry.looked_up where ctid = any(array(
      select ctid from consentry.looked_up
      where account_id = ${accountId} and read_at < ${since} - ${CLOCKS_DRIFT}
      for update skip locked))`.execute(db);
}

/**
 * Which of these profiles no reading has shown since then.
 *
 * @param since by the ledger's clock
 */
export async function unreadProfiles(
  db: LedgerDb,
  accountId: string,
  profileIds: readonly string[],
  since: string,
): Promise<string[]> {
  const { rows } = await sql<{ profile_id: string }>`
    select asked.profile_id from unnest(${[...profileIds]}::text[]) as asked (profile_id)
    where not exists (
      select from consentry.profile p
      where p.account_id = ${accountId} and p.profile_id = asked.profile_id
        -- One of the future is of before the clock went back.
        and p.read_at >= ${since}::timestamptz and p.read_at <= now())`.execute(db);
  return rows.map((row) => row.profile_id);
}

/**
 * Whether what is remembered has been brought up to date since a time by the ledger's clock, in
 * milliseconds as `ledgerTime` has it.
 */
export async function isWholeSince(
  db: LedgerDb,
  accountId: string,
  since: string,
): Promise<boolean> {
  const { rows } = await sql<{ whole: boolean }>`
    select date_trunc('milliseconds', whole_since) <= ${since}::timestamptz as whole from consentry.account_feed
    where account_id = ${accountId} and feed = ${PROFILES_FEED} and whole_since is not null`.execute(
    db,
  );
  return rows[0]?.whole ?? false;
}

/** The time by the ledger's clock. */
export async function ledgerTime(db: LedgerDb): Promise<string> {
  const { rows } = await sql<{ now: Date }>`select now() as now`.execute(db);
  return (rows[0]?.now ?? new Date()).toISOString();
}

/** An address to recall. */
export interface AskedAddress {
  /** The e-mail in the spelling to look up, or the phone number. */
  readonly spelling: string;
  /** The same as profiles have it: an e-mail in lower case. */
  readonly identifier: string;
}

/** Forgets what was read longer ago, in milliseconds. */
export async function forgetPeople(
  db: LedgerDb,
  accountId: string,
  olderThanMs: number,
): Promise<void> {
  const age = sql`now() - make_interval(secs => ${olderThanMs}::float8 / 1000)`;
  for (const [table, key] of [
    ['profile', 'profile_id'],
    ['looked_up', 'address'],
  ] as const) {
    // What another run is just reading again stays.
    await sql`
      delete from consentry.${sql.ref(table)} t using (
        select ${sql.ref(key)} as key from consentry.${sql.ref(table)}
        where account_id = ${accountId} and read_at < ${age}
        order by 1 for update skip locked
      ) old
      where t.account_id = ${accountId} and t.${sql.ref(key)} = old.key
        and t.read_at < ${age}`.execute(db);
  }
}

/** What is remembered of an address. */
export interface RememberedAddress {
  /** Milliseconds since it was looked up; null if it was not. */
  readonly lookedUpMs: number | null;
  readonly profiles: readonly (MirroredProfile & {
    /** Milliseconds since it was read. */
    readonly ageMs: number;
  })[];
}

/**
 * What is remembered of these addresses, by their spelling. Those that nothing is remembered of are
 * left out.
 */
export async function rememberedPeople(
  db: LedgerDb,
  accountId: string,
  addresses: readonly AskedAddress[],
): Promise<Map<string, RememberedAddress>> {
  const asked = [...new Map(addresses.map((each) => [each.spelling, each])).values()];
  if (asked.length === 0) return new Map();
  const { rows } = await sql<{
    spelling: string;
    looked_up_ms: number | null;
    profiles: (MirroredProfile & { ageMs: number })[];
  }>`
    select asked.spelling, looked_up.ms as looked_up_ms, held.profiles
    from unnest(
      ${asked.map(({ spelling }) => spelling)}::text[],
      ${asked.map(({ identifier }) => identifier)}::text[]
    ) as asked (spelling, identifier)
    left join lateral (
      select (extract(epoch from now() - read_at) * 1000)::float8 as ms
      from consentry.looked_up
      where account_id = ${accountId} and address = md5(asked.spelling)::uuid offset 0
    ) looked_up on true
    cross join lateral (
      select coalesce(jsonb_agg(jsonb_build_object('id', profile_id, 'email', email,
        'phoneNumber', phone_number, 'saysNo', says_no, 'consent', consent,
        'ageMs', extract(epoch from now() - read_at) * 1000)), '[]') as profiles
      from consentry.profile
      where account_id = ${accountId}
        and (hashtext(email) = hashtext(asked.identifier) and email = asked.identifier
          or hashtext(phone_number) = hashtext(asked.identifier)
            and phone_number = asked.identifier)
    ) held
    where looked_up.ms is not null or held.profiles <> '[]'`.execute(db);
  return new Map(
    rows.map((row) => [row.spelling, { lookedUpMs: row.looked_up_ms, profiles: row.profiles }]),
  );
}

/** The time of which feeds have shown everything. */
export interface Coverage {
  /** Milliseconds since its beginning. */
  readonly coveredMs: number;
  /** Milliseconds since its end: since the feed that was read the longest ago was read. */
  readonly ageMs: number;
}

/** @returns null if one of the feeds was never read, or may not be read */
export async function coverageOf(
  db: LedgerDb,
  accountId: string,
  feeds: readonly string[],
): Promise<Coverage | null> {
  const { rows } = await sql<{ covered_ms: number; age_ms: number }>`
    select (extract(epoch from now() - max(whole_since)) * 1000)::float8 as covered_ms,
      (extract(epoch from now() - min(read_at)) * 1000)::float8 as age_ms
    from consentry.account_feed
    where account_id = ${accountId} and feed = any(${[...feeds]}::text[])
    having count(*) = ${feeds.length} and bool_and(not unreadable)
      and count(whole_since) = count(*) and count(read_at) = count(*)`.execute(db);
  const [row] = rows;
  return row === undefined ? null : { coveredMs: row.covered_ms, ageMs: row.age_ms };
}
