import { sql, type Kysely } from 'kysely';
import { LIST_SETTINGS } from '../support/settings.js';
import { ACCOUNT } from '../support/ledger.js';

/** A run that is half-way, and one that has ended, as schema 0012 has them. */
export const HALF = 'half-way';
export const ENDED = 'ended';
export const JOBS = [1, 2, 3, 4] as const;

/** A person of both runs. */
export const KNOWN = 'p1@example.com';

/** Fills a ledger whose parts are rows that are updated. */
export async function fillParts(db: Kysely<unknown>): Promise<void> {
  const settings = JSON.stringify(LIST_SETTINGS);
  await sql`
    insert into consentry.run (id, kind, account_id, created_at, finished_at) values
      (${ENDED}, 'migration', ${ACCOUNT}, '2026-01-01', '2026-01-02'),
      (${HALF}, 'migration', ${ACCOUNT}, '2026-02-01', null)`.execute(db);
  await sql`
    insert into consentry.migration (id, source_name, source_sha256, preset, settings, phase) values
      (${ENDED}, 'people.csv', 'sha', 'generic', ${settings}, 'done'),
      (${HALF}, 'people.csv', 'sha', 'generic', ${settings}, 'submit')`.execute(db);
  await sql`
    insert into consentry.job (migration_id, job_number, operation, rows, canary, accepted_at) values
      (${ENDED}, 1, 'subscribe', 3, false, '2026-01-01'),
      (${HALF}, 1, 'unsubscribe', 1, false, '2026-02-02'),
      (${HALF}, 2, 'add_to_list', 1, false, '2026-02-02'),
      (${HALF}, 3, 'subscribe', 10, false, '2026-02-02'),
      (${HALF}, 4, 'subscribe', 3, false, null)`.execute(db);
  const called = sql`'2026-02-02'::timestamptz`;
  await sql`
    insert into consentry.submission (id, migration_id, job_number, endpoint, status, rows,
      request_id, sent_at, answered_at, klaviyo_sent_at)
    overriding system value
    select s.*, ${called}, case when s.status <> 'sending' then ${called} end, ${called}
    from (values
      (1, ${ENDED}, 1, 'bulk_subscribe_profiles', 'accepted', 2, 'request 1'),
      (2, ${HALF}, 1, 'bulk_unsubscribe_profiles', 'accepted', 1, 'request 2'),
      (3, ${HALF}, 2, 'bulk_import_profiles', 'accepted', 1, 'request 3'),
      (4, ${HALF}, 3, 'bulk_subscribe_profiles', 'lost', 1, null),
      (5, ${HALF}, 3, 'bulk_subscribe_profiles', 'refused', 2, null),
      (6, ${HALF}, 3, 'bulk_subscribe_profiles', 'accepted', 5, 'request 6'),
      (7, ${HALF}, 3, 'bulk_import_profiles', 'accepted', 1, 'request 7'),
      (8, ${HALF}, 4, 'bulk_subscribe_profiles', 'sending', 1, null)
    ) as s (id, migration_id, job_number, endpoint, status, rows, request_id)`.execute(db);
  await sql`select setval(pg_get_serial_sequence('consentry.submission', 'id'), 8)`.execute(db);
  await sql`
    insert into consentry.intent (migration_id, row_number, line, email, phone_number, raw_email,
      one_profile, consent_read_at)
    select r.id, r.row, r.row + 1, case when r.row <> 14 then 'p' || r.row || '@example.com' end,
      case when r.row in (2, 5) then '+1201555010' || r.row end,
      case when r.row = 14 then 'p14@' end, r.row not in (5, 1001),
      case when r.row not in (14, 1000) then '2026-02-01'::timestamptz + r.row * interval '1 second' end
    from (
      select ${HALF} as id, unnest(array[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 999, 1000, 1001]) as row
      union all select ${ENDED}, generate_series(1, 3)
    ) r`.execute(db);
  const after = sql`'2026-02-03'::timestamptz`;
  await sql`
    insert into consentry.intent_part (migration_id, row_number, channel, operation, consented_at, note,
      job_number, submission_id, consent_before, outcome, reason, settled_by, settled_at,
      consent_before_at, consent_after, consent_after_at, read_at)
    select p.id, p.row, p.channel::consentry.channel, p.operation::consentry.operation,
      case when p.note is distinct from 'membership_of_consented' then timestamptz '2021-03-04' end, p.note,
      p.job, p.call, p.before, p.outcome::consentry.outcome, p.reason, p.settled_by,
      case when p.outcome is not null then ${after} end,
      case when p.before is not null then timestamptz '2020-01-01' end,
      p.after, case when p.after is not null then timestamptz '2026-02-02' end,
      case when p.after is not null then ${after} end
    from (values
      (${ENDED}, 1, 'email', 'subscribe', null, 1, 1, 'NEVER_SUBSCRIBED', 'confirmed', null, 'events', 'SUBSCRIBED'),
      (${ENDED}, 2, 'email', 'subscribe', null, 1, 1, null, 'unconfirmed', 'not_seen_before_deadline', 'profile_lookup', null),
      (${ENDED}, 3, 'email', 'subscribe', null, 1, null, null, 'cancelled', 'cancelled_before_sending', 'cancellation', null),
      (${HALF}, 1, 'email', 'subscribe', 'clamped_to_1990', 3, 6, 'NEVER_SUBSCRIBED', 'confirmed', null, 'events', 'SUBSCRIBED'),
      (${HALF}, 2, 'email', 'subscribe', null, 3, 6, null, 'pending_double_opt_in', 'no_click_yet', 'profile_lookup', 'NEVER_SUBSCRIBED'),
      -- Refused by the importer, beside a channel of the same operation.
      (${HALF}, 2, 'sms', 'subscribe', null, null, null, null, 'rejected', 'phone_landline', 'importer', null),
      (${HALF}, 3, 'email', 'subscribe', null, 3, 6, null, null, null, null, null),
      (${HALF}, 4, 'email', 'subscribe', null, 3, 4, 'NEVER_SUBSCRIBED', null, null, null, null),
      (${HALF}, 5, 'email', 'subscribe', null, 3, null, null, null, null, null, null),
      (${HALF}, 5, 'sms', 'subscribe', null, 3, null, 'NEVER_SUBSCRIBED', null, null, null, null),
      (${HALF}, 6, 'email', 'unsubscribe', null, 1, 2, 'SUBSCRIBED', 'confirmed', null, 'events', 'UNSUBSCRIBED'),
      -- Memberships that the guard added, before there were jobs and in a job.
      (${HALF}, 7, 'email', 'subscribe', null, null, null, 'SUBSCRIBED', 'already_consented', null, 'guard', null),
      (${HALF}, 7, 'list', 'add_to_list', 'membership_of_consented', 2, 3, 'SUBSCRIBED', 'list_only', null, 'list_members', null),
      (${HALF}, 8, 'email', 'subscribe', null, 3, null, 'SUBSCRIBED', 'already_consented', null, 'guard', null),
      (${HALF}, 8, 'list', 'add_to_list', 'membership_of_consented', 3, 7, 'SUBSCRIBED', null, null, null, null),
      (${HALF}, 9, 'email', 'subscribe', null, null, null, null, 'rejected', 'duplicate_email', 'importer', null),
      (${HALF}, 10, 'email', 'subscribe', null, 3, 6, null, null, null, null, null),
      (${HALF}, 11, 'email', 'subscribe', null, 3, null, null, 'rejected', 'klaviyo_refused', 'klaviyo_answer', null),
      -- Proved before its call was refused.
      (${HALF}, 12, 'email', 'subscribe', null, 3, 5, null, 'confirmed', null, 'events', 'SUBSCRIBED'),
      (${HALF}, 13, 'email', 'subscribe', null, 3, 6, null, 'skipped_opted_out', 'unsubscribed_again', 'profile_lookup', 'UNSUBSCRIBED'),
      (${HALF}, 14, 'email', 'subscribe', null, null, null, null, 'rejected', 'email_invalid', 'importer', null),
      (${HALF}, 999, 'email', 'subscribe', null, 4, 8, null, null, null, null, null),
      (${HALF}, 1000, 'email', 'subscribe', null, 4, null, null, null, null, null, null),
      (${HALF}, 1001, 'email', 'subscribe', null, 4, null, null, null, null, null, null)
    ) as p (id, row, channel, operation, note, job, call, before, outcome, reason, settled_by, after)`.execute(
    db,
  );
  await sql`
    insert into consentry.opt_out (account_id, identifier, channel, opted_out_at, source, submission_id, shown_at)
    values (${ACCOUNT}, 'p6@example.com', 'email', '2026-02-02', 'submission', 2, '2026-02-03'),
      (${ACCOUNT}, 'p10@example.com', 'email', '2026-02-02', 'event', 0, '2026-02-03'),
      (${ACCOUNT}, 'p13@example.com', 'email', '2026-02-02', 'event', 0, '2026-02-03')`.execute(db);
  await sql`
    insert into consentry.repair (migration_id, row_number, channel, opted_out_at, closed_at)
    values (${HALF}, 10, 'email', '2026-02-02', null), (${HALF}, 13, 'email', '2026-02-02', '2026-02-03')`.execute(
    db,
  );
}

const all = async <T>(query: ReturnType<typeof sql<T>>, db: Kysely<unknown>): Promise<T[]> =>
  (await query.execute(db)).rows;

/** What the ledger's reads said of these parts, in the SQL of the version that updated them. */
export async function readsOfParts(db: Kysely<unknown>) {
  const reported = (id: string) =>
    all(
      sql<Record<string, unknown>>`
      select p.row_number as "rowNumber", i.line, coalesce(i.email, i.raw_email) as email,
        coalesce(i.phone_number, i.raw_phone) as "phoneNumber", false as erased, i.country, p.channel, p.operation,
        p.outcome, p.reason, p.settled_by as "settledBy", p.settled_at as "settledAt",
        p.consent_before as "consentBefore", p.consent_before_at as "consentBeforeAt",
        p.consent_after as "consentAfter", p.consent_after_at as "consentAfterAt",
        p.read_at as "readAt", null as "askedAt",
        -- Not in a call that was refused, which that version left out only of open parts.
        s.id is not null as sent, s.request_id as "requestId"
      from consentry.intent i join consentry.intent_part p using (migration_id, row_number)
      left join consentry.submission s on s.id = p.submission_id and s.status <> 'refused'
      where i.migration_id = ${id} order by p.row_number, p.channel`,
      db,
    );
  const isUnsent = sql`(p.submission_id is null or exists (
    select from consentry.submission s where s.id = p.submission_id and s.status = 'lost'))`;
  const isBeingRepaired = sql`exists (
    select from consentry.repair r where r.migration_id = p.migration_id
      and r.row_number = p.row_number and r.channel = p.channel and r.closed_at is null)`;
  const rows = (where: ReturnType<typeof sql>) =>
    all(
      sql<Record<string, unknown>>`
      select i.row_number as "rowNumber", i.email, i.phone_number as "phoneNumber",
        i.one_profile as "oneProfile", i.consent_read_at is not null as "isRead",
        json_agg(json_build_object('channel', p.channel, 'operation', p.operation,
          'consentedAt', to_char(p.consented_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
          'submissionId', p.submission_id::text, 'unsent', ${isUnsent}) order by p.channel) as parts
      from consentry.intent_part p join consentry.intent i using (migration_id, row_number)
      where p.migration_id = ${HALF} and ${where}
      group by i.migration_id, i.row_number order by i.row_number`,
      db,
    );
  const totals = async (id: string) => {
    const counted = await all(
      sql<{ outcome: string | null; rows: number; accepted: number }>`
      select outcome, count(*)::integer as rows, count(*) filter (where sent)::integer as accepted
      from (
        select case when bool_or(p.outcome is null) then null else min(p.outcome) end as outcome,
          bool_or(s.id is not null) as sent
        from consentry.intent_part p
        left join consentry.submission s on s.id = p.submission_id and s.status <> 'refused'
        where p.migration_id = ${id} group by row_number
      ) per_row group by outcome`,
      db,
    );
    const [jobs] = await all(
      sql<{ total: number; submitted: number; settled: number }>`
      select count(*)::integer as total, count(accepted_at)::integer as submitted,
        count(*) filter (where not exists (select from consentry.intent_part p
          where p.migration_id = j.migration_id and p.job_number = j.job_number
            and p.outcome is null))::integer as settled
      from consentry.job j where migration_id = ${id}`,
      db,
    );
    return {
      rows: counted.reduce((sum, { rows }) => sum + rows, 0),
      outcomes: Object.fromEntries(
        counted.flatMap(({ outcome, rows }) => (outcome === null ? [] : [[outcome, rows]])),
      ),
      accepted: counted.reduce((sum, { accepted }) => sum + accepted, 0),
      jobs,
    };
  };
  const jobOutcomes = async (job: number) =>
    Object.fromEntries(
      (
        await all(
          sql<{ outcome: string; rows: number }>`
          select outcome, count(*)::integer as rows from (
            select min(outcome) as outcome from consentry.intent_part
            where migration_id = ${HALF} and job_number = ${job}
            group by row_number having bool_and(outcome is not null)
          ) per_row group by outcome`,
          db,
        )
      ).map(({ outcome, rows }) => [outcome, rows]),
    );
  return {
    reported: { [HALF]: await reported(HALF), [ENDED]: await reported(ENDED) },
    totals: { [HALF]: await totals(HALF), [ENDED]: await totals(ENDED) },
    openRows: await Promise.all(
      JOBS.map((job) =>
        rows(sql`p.job_number = ${job} and p.outcome is null and not ${isBeingRepaired}`),
      ),
    ),
    jobOutcomes: await Promise.all(JOBS.map(jobOutcomes)),
    unsentRows: await rows(sql`p.outcome is null and ${isUnsent}`),
    pendingRows: await rows(sql`p.outcome = 'pending_double_opt_in'`),
    waiting: await all(
      sql<Record<string, unknown>>`
      select p.row_number as "rowNumber", p.channel, p.operation, s.klaviyo_sent_at as "sentAt"
      from consentry.intent_part p join consentry.submission s on s.id = p.submission_id
      where p.migration_id = ${HALF} and p.outcome is null and not ${isBeingRepaired}
      order by p.row_number`,
      db,
    ),
    repairs: await all(
      sql<Record<string, unknown>>`
      select r.row_number as "rowNumber", r.channel, p.outcome
      from consentry.repair r join consentry.intent_part p using (migration_id, row_number, channel)
      where r.migration_id = ${HALF} and r.closed_at is null`,
      db,
    ),
    transitions: await all(
      sql<Record<string, unknown>>`
      select p.channel, p.operation, p.consent_before as before, p.outcome,
        p.consent_after as "consentAfter", count(*)::integer as parts
      from consentry.intent_part p
      join consentry.submission s on s.id = p.submission_id and s.status <> 'refused'
      where p.migration_id = ${HALF} group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5`,
      db,
    ),
    history: await all(
      sql<Record<string, unknown>>`
      select i.migration_id as "migrationId", run.created_at as "startedAt",
        m.source_name as "sourceName", m.preset, i.line, i.email,
        i.phone_number as "phoneNumber", p.channel, p.operation, p.consented_at as "consentedAt",
        p.note, m.settings->>'listId' as "listId", m.settings->>'customSource' as "customSource",
        coalesce((m.settings->>'historicalImport')::boolean, false) as "historicalImport",
        p.outcome, p.reason, p.settled_by as "settledBy", p.settled_at as "settledAt",
        p.consent_before as "consentBefore", p.consent_before_at as "consentBeforeAt",
        p.consent_after as "consentAfter", p.consent_after_at as "consentAfterAt",
        p.read_at as "readAt", null as "askedAt", s.sent_at as "sentAt", s.request_id as "requestId"
      from consentry.intent i
      join consentry.migration m on m.id = i.migration_id
      join consentry.run on run.id = m.id
      join consentry.intent_part p using (migration_id, row_number)
      left join consentry.submission s on s.id = p.submission_id
      where i.email = ${KNOWN} order by run.created_at, i.row_number, p.channel`,
      db,
    ),
  };
}
