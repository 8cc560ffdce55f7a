import { type Kysely, sql } from 'kysely';

/**
 * What Klaviyo holds of an account's people, across runs: every profile that was read, and every
 * address that was looked up, with the time of the read. The feed `profiles` brings it up to date.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table consentry.opt_out_feed rename to account_feed`.execute(db);
  await sql`
    alter index consentry.opt_out_feed_pkey rename to account_feed_pkey`.execute(db);
  await sql`
    alter table consentry.account_feed
      -- Everything that the feed showed since then was read, by our clock; null if nothing was yet.
      add column whole_since timestamptz,
      -- It was read from its beginning: of the feed of profiles, the whole account.
      add column complete boolean not null default false`.execute(db);

  await sql`
    create table consentry.profile (
      account_id text not null,
      profile_id text not null,
      -- In lower case.
      email text,
      phone_number text,
      -- It opted out of something, is suppressed, left a list, or Klaviyo did not say.
      says_no boolean not null,
      -- The consent of each channel, and suppressions.
      consent jsonb not null,
      -- When the read began, by our clock.
      read_at timestamptz not null,
      primary key (account_id, profile_id)
    )`.execute(db);
  await sql`
    create index profile_email on consentry.profile (account_id, hashtext(email))
    where email is not null`.execute(db);
  await sql`
    create index profile_phone on consentry.profile (account_id, hashtext(phone_number))
    where phone_number is not null`.execute(db);
  await sql`
    create index profile_says_no on consentry.profile (account_id) where says_no`.execute(db);
  await sql`
    create index profile_nameless on consentry.profile (account_id)
    where says_no and email is null and consent ? 'email'`.execute(db);

  await sql`
    create table consentry.looked_up (
      account_id text not null,
      -- MD5 of the e-mail in the spelling that was asked for, or of the phone number: every profile
      -- that Klaviyo had for it at that time is in the table of profiles.
      address uuid not null,
      read_at timestamptz not null,
      primary key (account_id, address)
    )`.execute(db);
}
