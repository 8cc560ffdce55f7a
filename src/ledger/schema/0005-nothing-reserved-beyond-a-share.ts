import { type Kysely, sql } from 'kysely';

/**
 * `grant_call` reserves nothing ahead for a run that has used up its own share. Calls are granted
 * in the order of their times, so a call reserved for later would delay every other run.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function consentry.grant_call(
      p_account text, p_endpoint text, p_burst integer, p_steady integer, p_max_wait_ms integer,
      p_run text, p_run_burst integer, p_run_steady integer
    ) returns table (granted boolean, wait_ms integer) language plpgsql as $$
    declare
      moment timestamptz;
      slot timestamptz;
      own timestamptz;
    begin
      perform pg_advisory_xact_lock(hashtextextended('consentry.grant_call ' || p_account || ' ' || p_endpoint, 0));
      moment := clock_timestamp();
      slot := greatest(
        moment,
        (select max(g.granted_at) from consentry.granted_call g
          where g.account = p_account and g.endpoint = p_endpoint),
        (select g.granted_at + interval '1100 milliseconds' from consentry.granted_call g
          where g.account = p_account and g.endpoint = p_endpoint
          order by g.granted_at desc offset p_burst - 1 limit 1),
        (select g.granted_at + interval '60.5 seconds' from consentry.granted_call g
          where g.account = p_account and g.endpoint = p_endpoint
          order by g.granted_at desc offset p_steady - 1 limit 1),
        (select p.until from consentry.penalty p
          where p.account = p_account and p.endpoint = p_endpoint));
      if p_run is not null then
        own := greatest(
          (select g.granted_at + interval '1100 milliseconds' from consentry.granted_call g
            where g.account = p_account and g.endpoint = p_endpoint and g.run = p_run
            order by g.granted_at desc offset p_run_burst - 1 limit 1),
          (select g.granted_at + interval '60.5 seconds' from consentry.granted_call g
            where g.account = p_account and g.endpoint = p_endpoint and g.run = p_run
            order by g.granted_at desc offset p_run_steady - 1 limit 1));
      end if;
      granted := slot <= moment + make_interval(secs => p_max_wait_ms / 1000.0)
        and (own is null or own <= slot);
      wait_ms := ceil(extract(epoch from greatest(slot, own) - moment) * 1000);
      if granted then
        insert into consentry.granted_call values (p_account, p_endpoint, slot, p_run);
        if random() < 0.01 then
          delete from consentry.granted_call g
            where g.account = p_account and g.endpoint = p_endpoint
              and g.granted_at < moment - interval '2 minutes';
        end if;
      end if;
      return next;
    end $$`.execute(db);
}
