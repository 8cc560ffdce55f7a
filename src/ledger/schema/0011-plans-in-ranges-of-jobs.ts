import { type Kysely, sql } from 'kysely';

/** A plan has its jobs in ranges, instead of one by one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // A range is consecutive jobs that are alike; a last one with fewer rows is its own.
  await sql`
    with job as (
      select m.id, of.*
      from consentry.migration m
      cross join lateral jsonb_to_recordset(m.plan -> 'jobs') as of (
        "jobNumber" integer, operation text, rows integer, "settleWithinMs" bigint, canary boolean)
      where m.plan is not null
    ), compared as (
      select *, (operation, "settleWithinMs", canary, rows, "jobNumber" - 1) is distinct from
          (lag(operation) over by_number, lag("settleWithinMs") over by_number,
            lag(canary) over by_number, lag(rows) over by_number,
            lag("jobNumber") over by_number) as begins
      from job
      window by_number as (partition by id order by "jobNumber")
    ), numbered as (
      select *, count(*) filter (where begins) over (partition by id order by "jobNumber") as range
      from compared
    ), ranged as (
      select id, jsonb_build_object(
          'firstJob', min("jobNumber"), 'jobs', count(*), 'operation', operation,
          'rows', sum(rows), 'rowsPerJob', max(rows), 'settleWithinMs', "settleWithinMs",
          'canary', canary) as range, min("jobNumber") as first
      from numbered group by id, numbered.range, operation, "settleWithinMs", canary
    )
    update consentry.migration m
    set plan = jsonb_set(m.plan, '{jobs}', coalesce(
      (select jsonb_agg(ranged.range order by ranged.first) from ranged where ranged.id = m.id),
      '[]'))
    where m.plan is not null`.execute(db);
}
