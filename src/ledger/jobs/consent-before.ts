import { sql } from 'kysely';
import type { Channel } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import { carriedWhere, numberOf } from '../parts.js';
import { byBlock, RowNumbers } from '../row-numbers.js';
import { lockForCall } from '../runs/steering-lock.js';

/** What Klaviyo held for a row before the run, as the guard read it. */
export interface ConsentBefore {
  readonly rowNumber: number;
  readonly oneProfile: boolean;
  readonly parts: readonly {
    readonly channel: Channel;
    readonly consent: string | null;
    /** Klaviyo's timestamp of that consent, RFC 3339. */
    readonly at: string | null;
  }[];
}

/**
 * Stores that these rows were read, and what Klaviyo held for them. The state stored first stays
 * the "before".
 *
 * @param tookMs time since the first call of the read, which may have missed later changes
 */
export async function storeConsentBefore(
  db: LedgerDb,
  migrationId: string,
  rows: readonly ConsentBefore[],
  tookMs: number,
): Promise<void> {
  if (rows.length === 0) return;
  // Take this lock before any other lock, as calls do: `askForMembership` follows in the same
  // transaction. In the opposite order, a stop in between would make all three wait for each other.
  await lockForCall(db, migrationId);
  const read = [...byBlock(rows.map(({ rowNumber }) => rowNumber))];
  const apart = byBlock(rows.flatMap((row) => (row.oneProfile ? [] : row.rowNumber)));
  await sql`
    insert into consentry.reading (migration_number, block, read_at, rows, two_profiles)
    select ${numberOf(migrationId)}, block, now() - make_interval(secs => ${tookMs / 1_000}),
      rows::int4multirange, two_profiles::int4multirange
    from unnest(
      ${read.map(([block]) => block)}::integer[],
      ${read.map(([, numbers]) => RowNumbers.of(numbers).toString())}::text[],
      ${read.map(([block]) => RowNumbers.of(apart.get(block) ?? []).toString())}::text[]
    ) as r (block, rows, two_profiles)`.execute(db);
  const held = rows.flatMap(({ rowNumber, parts }) =>
    parts.filter(({ consent }) => consent !== null).map((part) => ({ rowNumber, ...part })),
  );
  if (held.length === 0) return;
  await sql`
    insert into consentry.consent_before
      (migration_number, row_number, channel, consent, consented_at)
    select ${numberOf(migrationId)}, b.row_number, b.channel, b.consent, b.at
    from (
      select row_number, channel::consentry.channel, consent, at::timestamptz
      from unnest(
        ${held.map((part) => part.rowNumber)}::integer[], ${held.map((part) => part.channel)}::text[],
        ${held.map((part) => part.consent)}::text[], ${held.map((part) => part.at)}::text[]
      ) as b (row_number, channel, consent, at)
    ) b
    -- After a call the state is the effect of the call.
    where not exists (select from consentry.carried c
      where ${carriedWhere(numberOf(migrationId), sql`b.row_number`, sql`b.channel`)})
    order by b.row_number, b.channel
    on conflict (migration_number, row_number, channel) do nothing`.execute(db);
}
