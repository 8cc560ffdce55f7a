import { type Kysely, sql } from 'kysely';

/**
 * Programs whose people come and go: who is in a segment, and what was proven at Klaviyo of them. The two
 * are facts of their own, since a run may fail for anybody.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table consentry.segment (
      -- When its source was last compared.
      compared_at timestamptz,
      number integer generated always as identity primary key,
      account_id text not null,
      program text not null,
      -- SHA-256 of what its people are and of what tells them apart: another one begins anew.
      definition text not null default '',
      -- What all keys look like: digits, uuid or text.
      key_form text,
      channels text[] not null default '{}',
      -- Klaviyo's id of the list that its people join; null for none.
      list_id text,
      -- Runs up to this one are in segment_part.
      folded integer not null default 0,
      unique (account_id, program)
    )`.execute(db);
  await sql`
    create table consentry.segment_member (
      entered_at timestamptz not null,
      -- Since when its source does not have it; null while it does.
      missing_since timestamptz,
      segment_number integer not null references consentry.segment on delete cascade,
      -- How many comparisons in a row did not find it.
      missing_runs integer not null default 0,
      -- It was missing when the segment began anew: it does not leave until a person says so, or it comes back.
      kept boolean not null default false,
      key text not null,
      -- As they were last read; a blank cell takes nothing away.
      email text,
      phone_number text,
      primary key (segment_number, key)
    )`.execute(db);
  await sql`
    create index segment_member_email on consentry.segment_member (segment_number, hashtext(email))
    where email is not null`.execute(db);
  await sql`
    create index segment_member_phone on consentry.segment_member (segment_number, hashtext(phone_number))
    where phone_number is not null`.execute(db);
  await sql`
    create table consentry.segment_part (
      -- Since when it is in this state.
      since timestamptz not null,
      tried_at timestamptz not null,
      segment_number integer not null references consentry.segment on delete cascade,
      -- The run and the row that say so.
      migration_number integer not null,
      row_number integer not null,
      channel consentry.channel not null,
      -- in: consent was read back. asked: a click is waited for. held: the guard keeps it from being asked.
      -- absent: Klaviyo has no profile. failed: it is tried again. leaving: it is being taken back.
      state text not null check (state in ('in', 'asked', 'held', 'absent', 'failed', 'leaving')),
      reason text,
      key text not null,
      -- The address or number that was asked for.
      identifier text not null,
      primary key (segment_number, key, channel, identifier)
    )`.execute(db);
  await sql`
    create index segment_part_identifier on consentry.segment_part
      (segment_number, hashtext(identifier))`.execute(db);
  await sql`alter table consentry.intent add column member_key text`.execute(db);
}
