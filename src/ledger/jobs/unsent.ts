import { sql } from 'kysely';
import type { LedgerDb } from '../database.js';
import { BLOCK_ROWS } from '../blocks.js';

/*
 * Cheap answers about a job that is as most jobs are. Where they say nothing, its rows must be read.
 */

/**
 * False if nothing of a job is left to send: for each channel, either every part has an outcome, or
 * calls carry as many parts as there are. True if something may be left.
 */
export async function mayHaveUnsentParts(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<boolean> {
  const { rows } = await sql<{ may: boolean }>`
    select exists (
      select from consentry.migration m
      join consentry.job_channel c on c.migration_number = m.number
      where m.id = ${migrationId} and c.job_number = ${jobNumber} and c.settled < c.parts
        and c.parts > coalesce((
          select sum(upper(sent.numbers) - lower(sent.numbers)) from (
            select unnest(range_agg(carried.numbers)) as numbers from (
              select unnest(k.rows) as numbers
              from consentry.submission s join consentry.carried k on k.submission_id = s.id
              where s.migration_id = m.id and s.job_number = c.job_number
                and s.status <> 'lost' and k.channel = c.channel
            ) carried
          ) sent
        ), 0)
    ) as may`.execute(db);
  return rows[0]?.may !== false;
}

/** How old, in milliseconds, the consent that was read of people may be. */
export interface MaxAges {
  /** Where a part is about e-mail, a list or a suppression. */
  readonly consentMaxAgeMs: number;
  /** Where a part is about any other channel. */
  readonly textConsentMaxAgeMs: number;
}

/**
 * How many rows a job has, if no call of it was ever begun, no part of it has an outcome, nobody of
 * the migration is under repair, and everybody's consent was read recently enough. Null otherwise.
 */
export async function rowsIfFresh(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
  { consentMaxAgeMs, textConsentMaxAgeMs }: MaxAges,
): Promise<number | null> {
  const { rows } = await sql<{ rows: number }>`
    select j.rows
    from consentry.job j
    join consentry.migration m on m.id = j.migration_id
    cross join lateral (
      select bool_or(c.settled > 0) as settled,
        bool_or(c.channel not in ('email', 'list', 'suppression', 'old_list')) as texts
      from consentry.job_channel c
      where c.migration_number = m.number and c.job_number = j.job_number
    ) part
    where j.migration_id = ${migrationId} and j.job_number = ${jobNumber} and not part.settled
      and not exists (select from consentry.submission s
        where s.migration_id = j.migration_id and s.job_number = j.job_number)
      and not exists (select from consentry.repair r
        where r.migration_id = j.migration_id and r.closed_at is null)
      and j.row_numbers <@ (
        select coalesce(range_agg(read.numbers), '{}') from (
          select unnest(r.rows) as numbers from consentry.reading r
          where r.migration_number = m.number
            and r.block between lower(j.row_numbers) / ${sql.lit(BLOCK_ROWS)}
              and (upper(j.row_numbers) - 1) / ${sql.lit(BLOCK_ROWS)}
            and r.read_at >= now() - make_interval(secs => case
              when part.texts then ${Math.min(textConsentMaxAgeMs, consentMaxAgeMs) / 1_000}::float8
              else ${consentMaxAgeMs / 1_000}::float8 end)
        ) read
      )`.execute(db);
  return rows[0]?.rows ?? null;
}
