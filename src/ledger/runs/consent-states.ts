import { sql } from 'kysely';
import { PHONE_CHANNELS, type ConsentChannel } from '../../contracts/channels.js';
import { CONFLICT_REASONS } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import { BLOCK_ROWS } from '../blocks.js';
import { unansweredBy } from '../jobs/asked.js';
import { getMigration } from './migrations.js';

/**
 * The consent of people to a channel, as a run's guard read it from Klaviyo. `pending`: a run of the
 * account asked them for a click for the same list, Klaviyo does not show one, and they are not asked
 * again yet. `to_ask_again`: the same, so long ago that they are. `unknown`: Klaviyo did not say.
 * `not_read`: the row was refused or repeats another one, so nobody was read for it.
 */
export const CONSENT_STATES = [
  'subscribed',
  'pending',
  'to_ask_again',
  'unsubscribed',
  'suppressed',
  'never_subscribed',
  'not_in_klaviyo',
  'unknown',
  'not_read',
] as const;
export type ConsentState = (typeof CONSENT_STATES)[number];

/** Contacts by the consent that they had before a run. */
export interface ConsentCount {
  readonly channel: ConsentChannel;
  readonly state: ConsentState;
  readonly contacts: number;
}

/**
 * Counts the parts of a run that are about consent, by what Klaviyo held before it.
 *
 * @param migrationId a run whose guard has read everybody, such as an ended dry run
 * @throws MigrationNotFoundError
 */
export async function countConsentStates(
  db: LedgerDb,
  migrationId: string,
): Promise<ConsentCount[]> {
  const { accountId, settings } = await getMigration(db, migrationId);
  const identifier = sql`case
    when s.channel = any(${[...PHONE_CHANNELS]}::consentry.channel[]) then i.phone_number
    when s.channel = 'push' then coalesce(i.email, i.phone_number) else i.email end`;
  const { rows } = await sql<ConsentCount>`
    with asked as (
      select s.channel, s.consent_before, s.outcome, s.reason, s.settled_by,
        ${identifier} as identifier,
        exists (select from consentry.reading g
          where g.migration_number = i.migration_number
            and g.block = i.row_number / ${sql.lit(BLOCK_ROWS)} and g.rows @> i.row_number) as was_read
      from consentry.part s
      join consentry.intent i using (migration_number, row_number)
      where s.migration_id = ${migrationId} and s.channel not in ('list', 'suppression', 'old_list')
    )
    select channel, contacts::integer as contacts, state
    from (
      select a.channel, count(*) as contacts, case
        when not a.was_read or a.settled_by = 'importer'
          or a.reason = any(${[...CONFLICT_REASONS]}::text[]) then 'not_read'
        when a.outcome = 'skipped_opted_out' then case
          when a.reason in ('suppressed', 'spam_complaint', 'hard_bounce') then 'suppressed'
          when a.reason = 'consent_state_unknown' then 'unknown'
          -- Also if Klaviyo does not show yet what the ledger knows, or they left the list.
          else 'unsubscribed' end
        when a.consent_before = 'UNSUBSCRIBED' then 'unsubscribed'
        when a.consent_before = 'SUBSCRIBED' then 'subscribed'
        when a.consent_before = 'unknown' then 'unknown'
        when a.reason = 'asked_already' then 'pending'
        -- As a set, so that it is hashed: many may have been asked.
        when (a.channel, md5(a.identifier)::uuid) in (
            ${unansweredBy(accountId, settings.listId)}) then 'to_ask_again'
        when a.consent_before is not null then 'never_subscribed'
        -- Klaviyo knows the person, and has nothing for the channel.
        when exists (select from consentry.profile p where p.account_id = ${accountId}
            and hashtext(p.email) = hashtext(a.identifier) and p.email = a.identifier)
          or exists (select from consentry.profile p where p.account_id = ${accountId}
            and hashtext(p.phone_number) = hashtext(a.identifier) and p.phone_number = a.identifier)
          then 'never_subscribed'
        else 'not_in_klaviyo' end as state
      from asked a group by 1, 3
    ) counted
    order by channel, array_position(${[...CONSENT_STATES]}::text[], state)`.execute(db);
  return rows;
}
