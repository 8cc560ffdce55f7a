import { sql, type RawBuilder } from 'kysely';
import {
  CONSENT_CHANNELS,
  PHONE_CHANNELS,
  TEXT_CHANNELS,
  type Channel,
  type Operation,
} from '../../contracts/channels.js';
import { CONFLICT_REASONS, type ConflictReason, type Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import { addSettlements } from '../jobs/settlements.js';
import { isAmongSettled, joinMembership, partsFor, peopleOf, type People } from '../parts.js';
import { sourceRun } from './migrations.js';

/** Channels that know a person by the same identifier. The SQL refers to an intent `i`. */
interface Compared {
  readonly channels: readonly Channel[];
  /** Another channel whose refused statements may be opt-outs of this one. */
  readonly alsoRefusedIn?: Channel;
  /** Rows with the same value are about the same person. */
  readonly person: RawBuilder<string | null>;
  readonly own: RawBuilder<string | null>;
  readonly other: RawBuilder<string | null>;
  readonly duplicate: RawBuilder<string>;
}

const EMAIL = sql<string | null>`i.email`;
const PHONE = sql<string | null>`i.phone_number`;
const BY_EMAIL = {
  person: EMAIL,
  own: EMAIL,
  other: PHONE,
  duplicate: sql<string>`'duplicate_email'`,
};

/** What is not consent: doubt does not stop it. A membership uses the e-mail if the row has one. */
const OTHERS: readonly Compared[] = [
  { channels: ['list'], ...BY_EMAIL },
  { channels: ['suppression'], ...BY_EMAIL },
  { channels: ['old_list'], ...BY_EMAIL },
];

const CONSENTS: readonly Compared[] = [
  { channels: ['email'], alsoRefusedIn: 'suppression', ...BY_EMAIL },
  {
    channels: PHONE_CHANNELS,
    person: PHONE,
    own: PHONE,
    other: EMAIL,
    duplicate: sql`'duplicate_phone'`,
  },
  {
    // A device belongs to a profile, which is known by its phone number only if it has no e-mail.
    channels: ['push'],
    ...BY_EMAIL,
    person: sql`coalesce(i.email, i.phone_number)`,
    duplicate: sql`case when i.email is null then 'duplicate_phone' else 'duplicate_email' end`,
  },
];

/** A statement that stands against others about the same person, whatever their dates are. */
interface Precedence {
  readonly channel: Channel;
  readonly operation: Operation;
  /** The identifiers by which another row is about the same person. */
  readonly by: readonly RawBuilder<string | null>[];
  readonly against: readonly {
    readonly channels: readonly Channel[];
    readonly operation: Operation;
  }[];
  readonly reason: ConflictReason;
}

const JOINS: Precedence['against'][number] = { channels: ['list'], operation: 'add_to_list' };

/** What one row takes out stays out, whatever other rows add. */
const PRECEDENCES: readonly Precedence[] = [
  {
    channel: 'suppression',
    operation: 'suppress',
    by: [EMAIL],
    against: [
      { channels: ['email'], operation: 'subscribe' },
      { channels: ['suppression'], operation: 'unsuppress' },
      JOINS,
    ],
    reason: 'conflicting_opt_out',
  },
  {
    channel: 'email',
    operation: 'unsubscribe',
    by: [EMAIL],
    against: [JOINS],
    reason: 'conflicting_opt_out',
  },
  {
    // A subscribe to any channel puts a person on the run's list.
    channel: 'list',
    operation: 'remove_from_list',
    by: [EMAIL, PHONE],
    against: [{ channels: CONSENT_CHANNELS, operation: 'subscribe' }, JOINS],
    reason: 'conflicting_removal',
  },
];

/**
 * Settles contradictions between the rows of a source, so that at most one part per person and
 * channel stays open, and nothing adds a person whom another row takes out. Doubtful consent is
 * settled first, so that it cannot win over another row; then all but one of the rest. Settled parts
 * are `rejected` with one of `CONFLICT_REASONS`. Running it again changes nothing.
 */
export async function settleDuplicates(db: LedgerDb, migrationId: string): Promise<void> {
  const source = await peopleOf(db, await sourceRun(db, migrationId));
  const { channels } = await peopleOf(db, migrationId);
  const isAsked = (compared: Compared) => compared.channels.some((each) => channels.includes(each));
  for (const compared of CONSENTS.filter(isAsked)) {
    await settleDoubtfulConsent(db, migrationId, source, compared);
    await settleAllButOne(db, migrationId, compared);
  }
  for (const compared of OTHERS.filter(isAsked)) {
    await settleAllButOne(db, migrationId, compared);
  }
  for (const precedence of PRECEDENCES) {
    if (!channels.includes(precedence.channel)) continue;
    for (const identifier of precedence.by) {
      await settleAgainst(db, migrationId, source, precedence, identifier);
    }
  }
}

/** Words of a source that nobody knows: they may mean a suppression, or a removal. */
export const DOUBTS: readonly Reason[] = ['consent_value_unknown', 'list_value_unknown'];

/**
 * Settles what another row stands against. A row that may ask for a suppression or a removal counts
 * as one.
 *
 * @param ofSource the people of the run that read the source: what it refused counts for its retries too
 */
async function settleAgainst(
  db: LedgerDb,
  migrationId: string,
  ofSource: People,
  { channel, operation, against, reason }: Precedence,
  identifier: RawBuilder<string | null>,
): Promise<void> {
  const isAgainst = sql.join(
    against.map(
      (lost) => sql`(p.operation = ${lost.operation}
        and p.channel = any(${[...lost.channels]}::consentry.channel[]))`,
    ),
    sql` or `,
  );
  await addSettlements(db, migrationId, (people) => ({
    parts: sql`
    with standing as materialized (
      select ${identifier} as person
      from consentry.intent i ${joinMembership(people)}
      cross join lateral ${partsFor(people, [channel])}
      where i.migration_number = ${people.number} and p.operation = ${operation}
        and not exists (select from consentry.settlement s
          where s.migration_number = i.migration_number and s.row_number = i.row_number
            and s.channel = p.channel and s.outcome = 'rejected')
      union
      select ${identifier}
      from consentry.settlement s join consentry.intent i using (migration_number, row_number)
      ${joinMembership(ofSource)}
      cross join lateral ${partsFor(ofSource, [channel])}
      where s.migration_number = ${ofSource.number} and s.channel = p.channel
        and p.operation = ${operation} and s.reason = any(${[...DOUBTS]}::text[])
    )
    select i.row_number, p.channel, 'rejected'::consentry.outcome as outcome, ${reason}::text as reason,
      'importer' as settled_by, null::text as consent, null::timestamptz as at,
      null::integer as job_number
    from standing
    join consentry.intent i on i.migration_number = ${people.number}
      and ${identifier} = standing.person
    ${joinMembership(people)}
    cross join lateral ${partsFor(people)}
    where ${isAgainst}`,
  }));
}

/**
 * Settles consent as `newer_statement_refused` if the source has a statement that was refused, may
 * be an opt-out, and is not older: nobody is subscribed against a statement that was not
 * understood.
 *
 * - **What may be an opt-out**: an unknown consent value, and an opt-out or suppression that was
 *   refused for any reason. Consent that was refused, for its date or its identifier, is not.
 * - **What is older**: consent of the same moment or before, and consent without a date. A
 *   statement without a readable date counts as the newest, like an opt-out without one, and so
 *   does every suppression.
 * - **Who it is about**: the person with the channel's own identifier, as everywhere. If the row
 *   has no usable one (missing, mistyped, or a landline for texts), or the consent has none (push),
 *   the other identifier decides: an opt-out of texts with a mistyped number is about every number
 *   that the source has for its address. Two rows that both have their own identifier are about two
 *   people if it differs, whatever the other identifier says.
 *
 * @param ofSource the people of the run that read the source: what it refused counts for its retries too
 */
async function settleDoubtfulConsent(
  db: LedgerDb,
  migrationId: string,
  ofSource: People,
  { channels, alsoRefusedIn, person, own, other }: Compared,
): Promise<void> {
  const refusedIn = alsoRefusedIn === undefined ? channels : [...channels, alsoRefusedIn];
  const ended = sql`'rejected'::consentry.outcome as outcome,
    'newer_statement_refused' as reason, 'importer' as settled_by, null::text as consent,
    null::timestamptz as at, null::integer as job_number`;
  await addSettlements(db, migrationId, (people) => ({
    parts: sql`
    with refused as materialized (
      select c.channel, ${person} as person, ${other} as other,
        ${own} is null or (s.channel = any(${[...TEXT_CHANNELS]}::consentry.channel[])
          and concat_ws(' ', s.reason, p.note) like '%phone_landline%') as lacks_own,
        case when p.operation = 'suppress' then 'infinity'
          else coalesce(p.consented_at, 'infinity') end as said_at
      from consentry.settlement s
      join consentry.intent i using (migration_number, row_number)
      ${joinMembership(ofSource)}
      cross join lateral ${partsFor(ofSource, refusedIn)}
      join unnest(${[...channels]}::consentry.channel[]) as c (channel)
        on c.channel = s.channel or s.channel = ${alsoRefusedIn ?? null}::consentry.channel
      where s.migration_number = ${ofSource.number} and p.channel = s.channel
        and s.outcome = 'rejected' and s.settled_by = 'importer'
        and (s.reason = 'consent_value_unknown'
          or (p.operation in ('unsubscribe', 'suppress')
            and s.reason <> all(${[...CONFLICT_REASONS]})))
    ), about as (
      select channel, person, said_at from refused
      union all
      select r.channel, ${person}, r.said_at
      from (
        -- Grouped, since thousands of rows can have the same placeholder for an address.
        select channel, other, lacks_own, max(said_at) as said_at
        from refused group by channel, other, lacks_own
      ) r
      join consentry.intent i on i.migration_number = ${ofSource.number} and ${other} = r.other
      where r.lacks_own or ${own} is null
    ), doubt as (
      select channel, person, max(said_at) as said_at
      from about where person is not null group by channel, person
    )
    select i.row_number, p.channel, ${ended}
    from doubt d
    join consentry.intent i on i.migration_number = ${people.number} and ${person} = d.person
    ${joinMembership(people)}
    cross join lateral ${partsFor(people, channels)}
    where p.channel = d.channel and p.operation = 'subscribe'
      and coalesce(p.consented_at, '-infinity') <= d.said_at`,
  }));
}

/**
 * Settles all but one of the parts about the same person and channel. A suppression and a removal win
 * over everything, otherwise the newest change. An opt-out without a date counts as the newest, and
 * consent without one as the oldest, since nobody is mailed on a guess. On equal dates an opt-out
 * wins, then the later row. The losers are `conflicting_opt_out` if an opt-out beat consent,
 * `superseded_by_consent` if consent beat an opt-out, otherwise duplicates.
 */
async function settleAllButOne(
  db: LedgerDb,
  migrationId: string,
  { channels, person, duplicate }: Compared,
): Promise<void> {
  await addSettlements(db, migrationId, (people) => ({
    parts: sql`
    -- First the people with more than one part: sorting everybody would take most of the time.
    with several as materialized (
      select ${person} as person, p.channel
      from consentry.intent i ${joinMembership(people)}
      cross join lateral ${partsFor(people, channels)}
      where i.migration_number = ${people.number} and ${person} is not null
      group by 1, 2 having count(*) > 1
    ), asked as (
      select i.row_number, p.channel, p.operation, ${duplicate} as duplicate,
        row_number() over identity as place,
        first_value(p.operation) over identity as winning_operation
      from several
      join consentry.intent i on i.migration_number = ${people.number}
        and ${person} = several.person
      ${joinMembership(people)}
      cross join lateral ${partsFor(people, channels)}
      where p.channel = several.channel and not ${isAmongSettled(sql`p.channel`)}
      window identity as (
        partition by several.person, p.channel
        order by (p.operation in ('suppress', 'remove_from_list')) desc,
          coalesce(p.consented_at,
            case when p.operation = 'unsubscribe' then 'infinity' else '-infinity' end::timestamptz) desc,
          (p.operation = 'unsubscribe') desc, i.row_number desc
      )
    )
    select row_number, channel, 'rejected'::consentry.outcome as outcome,
      case
        when asked.winning_operation in ('suppress', 'unsubscribe')
          and asked.operation not in ('suppress', 'unsubscribe') then 'conflicting_opt_out'
        when asked.winning_operation = 'remove_from_list' and asked.operation = 'add_to_list'
          then 'conflicting_removal'
        when asked.winning_operation = 'subscribe' and asked.operation = 'unsubscribe'
          then 'superseded_by_consent'
        else asked.duplicate end as reason,
      'importer' as settled_by, null::text as consent, null::timestamptz as at, null::integer as job_number
    from asked where asked.place > 1`,
  }));
}
