import { sql } from 'kysely';
import { TEXT_CHANNELS, type Operation } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';

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
  const { rows: asked } = await sql<{ operation: Operation; rows: string }>`
    select operation, count(distinct row_number) as rows
    from consentry.intent_part
    where migration_id = ${migrationId} and outcome is null
    group by operation order by operation`.execute(db);
  const { rows: texts } = await sql<{ country: string | null; rows: string }>`
    select i.country, count(distinct row_number) as rows
    from consentry.intent_part p join consentry.intent i using (migration_id, row_number)
    where p.migration_id = ${migrationId} and p.outcome is null and p.operation = 'subscribe'
      and p.channel::text = any(${[...TEXT_CHANNELS]}::text[])
    group by i.country order by rows desc, i.country`.execute(db);
  const { rows: undated } = await sql<{ rows: string }>`
    select count(distinct row_number) as rows from consentry.intent_part
    where migration_id = ${migrationId} and reason = 'consent_date_missing'`.execute(db);
  return {
    operations: asked.map(({ operation }) => operation),
    subscribes: Number(asked.find(({ operation }) => operation === 'subscribe')?.rows ?? 0),
    texts: texts.map(({ country, rows }) => ({ country, rows: Number(rows) })),
    undated: Number(undated[0]?.rows ?? 0),
  };
}
