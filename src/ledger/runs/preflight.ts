import { sql } from 'kysely';
import { TEXT_CHANNELS, type Channel, type Operation } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import { isAmongSettled, joinMembership, partsFor, peopleOf } from '../parts.js';

/** What a source asks for, as far as the preflight checks it, in rows. */
export interface AskedRows {
  /** Operations that any row asks for. */
  readonly operations: readonly Operation[];
  /** Rows that ask for consent on any channel. */
  readonly subscribes: number;
  /** Rows that ask for consent to texts, by the country of the number. */
  readonly texts: readonly { readonly country: string | null; readonly rows: number }[];
  /** Rows that the importer refused because they have no consent date. */
  readonly undated: number;
}

export async function countAskedRows(db: LedgerDb, migrationId: string): Promise<AskedRows> {
  const people = await peopleOf(db, migrationId);
  const open = (channels: readonly Channel[]) => sql`
    consentry.intent i ${joinMembership(people)} cross join lateral ${partsFor(people, channels)}
    where i.migration_number = ${people.number} and not ${isAmongSettled(sql`p.channel`)}`;
  const { rows: asked } = await sql<{ operation: Operation; rows: string }>`
    select p.operation, count(distinct i.row_number) as rows
    from ${open(people.channels)} group by p.operation order by p.operation`.execute(db);
  const { rows: texts } = await sql<{ country: string | null; rows: string }>`
    select i.country, count(distinct i.row_number) as rows
    from ${open(TEXT_CHANNELS)} and p.operation = 'subscribe'
    group by i.country order by rows desc, i.country`.execute(db);
  const { rows: undated } = await sql<{ rows: string }>`
    select count(distinct row_number) as rows from consentry.settlement
    where migration_number = ${people.number} and reason = 'consent_date_missing'`.execute(db);
  return {
    operations: asked.map(({ operation }) => operation),
    subscribes: Number(asked.find(({ operation }) => operation === 'subscribe')?.rows ?? 0),
    texts: texts.map(({ country, rows }) => ({ country, rows: Number(rows) })),
    undated: Number(undated[0]?.rows ?? 0),
  };
}
