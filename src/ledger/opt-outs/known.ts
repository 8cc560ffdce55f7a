import { sql, type RawBuilder } from 'kysely';
import { OPT_OUTS_OF, PHONE_CHANNELS, type ConsentChannel } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import { markedOptOuts } from '../erasure/marks.js';
import type { OptOutSource } from '../schema/tables.js';

/** A person opted out of a channel. */
export interface OptOut {
  readonly channel: ConsentChannel;
  /** E-mail in lower case, or E.164. */
  readonly identifier: string;
  /**
   * The list that it is about; null for an opt-out of everything. A subscribe to any channel puts a
   * person who left a list back on it, so this is stored under both of their identifiers.
   */
  readonly listId: string | null;
  /** RFC 3339, by Klaviyo's clock. */
  readonly at: string;
  readonly source: OptOutSource;
}

/** Stores opt-outs that were read. If one is known already, the newest time counts. */
export async function noteOptOuts(
  db: LedgerDb,
  accountId: string,
  optOuts: readonly OptOut[],
): Promise<void> {
  const newest = new Map<string, OptOut>();
  for (const optOut of optOuts) {
    const { identifier, channel, listId, source } = optOut;
    const key = [identifier, channel, listId ?? '', source].join(' ');
    const other = newest.get(key);
    if (other === undefined || Date.parse(optOut.at) > Date.parse(other.at))
      newest.set(key, optOut);
  }
  if (newest.size === 0) return;
  // Always in the same order, so that two writers of the same people do not deadlock.
  const rows = [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, optOut]) => optOut);
  await sql`
    insert into consentry.opt_out as o
      (account_id, identifier, channel, list_id, opted_out_at, source, shown_at)
    select ${accountId}, identifier, channel::consentry.channel, list_id, at::timestamptz, source, now()
    from unnest(
      ${rows.map((row) => row.identifier)}::text[], ${rows.map((row) => row.channel)}::text[],
      ${rows.map((row) => row.listId ?? '')}::text[], ${rows.map((row) => row.at)}::text[],
      ${rows.map((row) => row.source)}::text[]
    ) as n (identifier, channel, list_id, at, source)
    on conflict (account_id, identifier, channel, list_id, source, submission_id) do update set
      opted_out_at = excluded.opted_out_at, shown_at = excluded.shown_at,
      noted_at = clock_timestamp()
    where excluded.opted_out_at > o.opted_out_at`.execute(db);
}

/** Deletes the opt-outs of a call that was certainly never sent. */
export async function forgetOptOuts(db: LedgerDb, submissionId: string): Promise<void> {
  await db.deleteFrom('opt_out').where('submission_id', '=', submissionId).execute();
}

/**
 * How far a reading of Klaviyo may lag behind what Klaviyo showed earlier. An opt-out that was
 * shown longer ago than this and is missing from a reading was withdrawn: by the person, or by
 * hand.
 */
const STALE_READING = sql`interval '5 minutes'`;

/** Whether opt-out `o` counts against a reading at `readAt`: one not shown yet always does. */
export const counts = (readAt: RawBuilder<unknown>): RawBuilder<boolean> => sql`
  (o.shown_at is null or o.shown_at >= coalesce(${readAt}, '-infinity') - ${STALE_READING})`;

/**
 * The opt-outs that count for people with these identifiers, whatever Klaviyo shows; also those of
 * people who were erased since.
 *
 * @param readMs how long ago Klaviyo was read, in milliseconds: what it showed before was withdrawn
 */
export async function optOutsOf(
  db: LedgerDb,
  accountId: string,
  identifiers: readonly string[],
  readMs = 0,
): Promise<OptOut[]> {
  if (identifiers.length === 0) return [];
  const asked = [...new Set(identifiers)];
  const { rows } = await sql<{
    channel: ConsentChannel;
    identifier: string;
    list_id: string;
    opted_out_at: Date;
    source: OptOutSource;
  }>`
    select channel, identifier, list_id, opted_out_at, source from consentry.opt_out o
    where account_id = ${accountId} and identifier = any(${asked}::text[])
      and ${counts(sql`now() - make_interval(secs => ${readMs}::float8 / 1000)`)}
    union all
    select channel, identifier, list_id, opted_out_at, source
    from (${markedOptOuts(sql`${accountId}`, sql`${asked}::text[]`)}) marked`.execute(db);
  return rows.map((row) => ({
    channel: row.channel,
    identifier: row.identifier,
    listId: row.list_id === '' ? null : row.list_id,
    at: row.opted_out_at.toISOString(),
    source: row.source,
  }));
}

/** How long after its outcome a lift may show: if it was not read back, and to a reading in progress. */
const LIFT_IS_LATE = sql`case when s.outcome = 'unconfirmed' then interval '24 hours'
  else interval '10 minutes' end`;

/** The addresses, of these, whose suppression a run of the account asks to lift, and may yet end. */
export async function liftsOf(
  db: LedgerDb,
  accountId: string,
  emails: readonly string[],
): Promise<Set<string>> {
  if (emails.length === 0) return new Set();
  const { rows } = await sql<{ email: string }>`
    select distinct i.email
    from consentry.run join consentry.migration m using (id)
    cross join unnest(${[...new Set(emails)]}::text[]) as asked (email)
    cross join lateral (
      select * from consentry.intent i
      where i.migration_number = m.number and hashtext(i.email) = hashtext(asked.email)
        and i.email = asked.email and i.suppression_operation = 'unsuppress' offset 0
    ) i
    left join consentry.settlement s on s.migration_number = i.migration_number
      and s.row_number = i.row_number and s.channel = 'suppression'
    where run.account_id = ${accountId} and 'suppression' = any(m.channels)
      and (s.outcome is null or s.settled_at > now() - ${LIFT_IS_LATE})`.execute(db);
  return new Set(rows.map(({ email }) => email));
}

const PAIRS = Object.entries(OPT_OUTS_OF).flatMap(([channel, counting]) =>
  counting.map((by) => ({ channel, by })),
);

/** `counting (channel, by_channel)`: an opt-out of `by_channel` counts for `channel`. */
export const countingOptOuts: RawBuilder<unknown> = sql`
  (select channel::consentry.channel, by_channel::consentry.channel from unnest(
    ${PAIRS.map(({ channel }) => channel)}::text[], ${PAIRS.map(({ by }) => by)}::text[]
  ) as pairs (channel, by_channel)) as counting`;

/** The identifier that a part's channel depends on, as in `identifierOf`. */
export const identifierOfPart: RawBuilder<unknown> = sql`
  case when p.channel in ('email', 'suppression') then i.email
    when p.channel::text = any(${[...PHONE_CHANNELS]}::text[]) then i.phone_number
    else coalesce(i.email, i.phone_number) end`;

/**
 * The identifiers that a call sends for a part: both of the row's if they go as one profile. This
 * covers a profile that has only one of them so far. Needs the newest `reading` of the row.
 */
export const identifiersOfCall: RawBuilder<unknown> = sql`
  case when coalesce(reading.two_profiles, false) then array[${identifierOfPart}]
    else array[i.email, i.phone_number] end`;

/**
 * Whether opt-out `o` says that the person left the list of run `m`, and part `p` would put them
 * back on it as a side effect. For e-mail, leaving the list counts like any other opt-out.
 */
export const leftListOfRun: RawBuilder<unknown> = sql`
  (o.list_id <> '' and o.list_id = coalesce(m.settings->>'listId', '') and p.channel <> 'email')`;
