import { sql, type RawBuilder } from 'kysely';

/*
 * What is left of the opt-outs of people who were erased: keyed marks of their identifiers. Nobody can
 * list the people from them. Whoever has the ledger with its key can test a guess.
 */

/** The mark of an identifier: HMAC-SHA256 with the ledger's key `k`. Null for null. */
const markWith = (
  accountId: RawBuilder<unknown>,
  identifier: RawBuilder<unknown>,
): RawBuilder<Buffer> => sql`
  sha256(k.outer_key || sha256(k.inner_key ||
    convert_to(${accountId} || ' ' || ${identifier}, 'UTF8')))`;

/** The same for a query that has no `k`. */
export const markOf = (
  accountId: RawBuilder<unknown>,
  identifier: RawBuilder<unknown>,
): RawBuilder<Buffer> => sql`
  (select ${markWith(accountId, identifier)} from consentry.erasure_key k)`;

/** Whether anybody of the account opted out and was erased: mostly nobody was. */
export const hasMarks = (accountId: RawBuilder<unknown>): RawBuilder<boolean> => sql`
  exists (select from consentry.erased_opt_out e where e.account_id = ${accountId})`;

/**
 * A query of the opt-outs of erased people with these identifiers, as rows of `opt_out` have them:
 * identifier, channel, list_id, opted_out_at, source, shown_at. They count whatever Klaviyo shows: it has
 * forgotten them, and nobody withdrew them.
 *
 * @param identifiers an array; its nulls are nobody's
 */
export const markedOptOuts = (
  accountId: RawBuilder<unknown>,
  identifiers: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`
  select asked.identifier, e.channel, e.list_id, e.opted_out_at, e.source,
    null::timestamptz as shown_at
  from unnest(${identifiers}) as asked (identifier)
  cross join lateral (
    select * from consentry.erased_opt_out e
    where e.account_id = ${accountId} and e.mark = ${markOf(accountId, sql`asked.identifier`)}
    offset 0
  ) e
  where ${hasMarks(accountId)}`;
