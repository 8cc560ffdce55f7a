import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';

/** Of HMAC-SHA256. */
const BLOCK_BYTES = 64;

/**
 * People who were deleted at Klaviyo are erased from the ledger. Of their opt-outs, keyed marks stay,
 * which the guard asks like those of everybody else.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table consentry.erasure (
      -- Who is to be erased: a row lives until nothing of the person is left.
      id bigint generated always as identity primary key,
      account_id text not null,
      -- In lower case, and as Klaviyo has it.
      email text,
      email_at_klaviyo text,
      phone_number text,
      -- Of the profile that is gone; null if it was not asked for by that.
      profile_id text,
      -- When Klaviyo last said something of them: what it had shown before and not then is withdrawn.
      -- Null if that is not known.
      read_at timestamptz,
      requested_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index erasure_of_account on consentry.erasure (account_id)`.execute(db);

  await sql`
    create table consentry.erased_opt_out (
      account_id text not null,
      -- HMAC-SHA256 of account and identifier (e-mail in lower case, or E.164) with the ledger's key.
      mark bytea not null,
      channel consentry.channel not null,
      -- The list, for an opt-out of one list; empty for an opt-out of everything.
      list_id text not null default '',
      opted_out_at timestamptz not null,
      -- What had shown it, as in opt_out.
      source text not null,
      primary key (account_id, mark, channel, list_id)
    )`.execute(db);

  await sql`
    create table consentry.erasure_key (
      is_the_only_one boolean primary key default true check (is_the_only_one),
      -- The key as HMAC uses it: padded, and combined with its two constants.
      inner_key bytea not null,
      outer_key bytea not null
    )`.execute(db);
  const key = randomBytes(BLOCK_BYTES);
  await sql`
    insert into consentry.erasure_key (inner_key, outer_key)
    values (${combined(key, 0x36)}, ${combined(key, 0x5c)})`.execute(db);

  // Since when a worker is sending a notice of a sync's state; null if none is.
  await sql`alter table consentry.sync add column notice_begun_at timestamptz`.execute(db);

  // Constant, so that no row is written for it.
  await sql`
    alter table consentry.intent add column erased boolean not null default false`.execute(db);
  // Few rows: what a source has where no address or number could be read.
  await sql`
    create index intent_unread on consentry.intent (migration_number)
    where (email is null and raw_email is not null)
      or (phone_number is null and raw_phone is not null)`.execute(db);
}

/** PostgreSQL has SHA-256, but no XOR of byte strings. */
function combined(key: Buffer, constant: number): Buffer {
  return Buffer.from(key.map((byte) => byte ^ constant));
}
