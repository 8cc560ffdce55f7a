import { sql } from 'kysely';
import type { LedgerDb } from '../database.js';

/** What stands in the place of somebody who was erased. */
const ERASED = '(erased)';

/** Texts that somebody wrote, or that tell a failure, by table. A person can be in any of them. */
const TEXTS = [
  { table: 'migration', column: 'source_name', type: 'text' },
  { table: 'migration', column: 'settings', type: 'jsonb' },
  { table: 'migration', column: 'preflight', type: 'jsonb' },
  { table: 'migration', column: 'plan', type: 'jsonb' },
  { table: 'migration', column: 'failure', type: 'text' },
  { table: 'run', column: 'held', type: 'text' },
  { table: 'sync_run', column: 'warning', type: 'text' },
  { table: 'sync_run', column: 'failure', type: 'text' },
] as const;

/** Takes those who are free out of the texts of an account's runs. Nearly no text has anybody. */
export async function eraseTexts(tx: LedgerDb, accountId: string): Promise<void> {
  for (const { table, column, type } of TEXTS) {
    const { rows } = await sql<{ id: string; text: string; identifiers: string[] }>`
      with texts as materialized (
        select t.id, t.${sql.ref(column)}::text as text, lower(t.${sql.ref(column)}::text) as lower
        from consentry.${sql.ref(table)} t
        join consentry.run on run.id = t.id
        where run.account_id = ${accountId} and t.${sql.ref(column)} is not null
      )
      select t.id, t.text, array_agg(identifier) as identifiers
      from texts t
      join erasing p on not p.held and (
        t.lower like '%@%' and strpos(t.lower, p.email) > 0
        or t.lower like '%+%' and strpos(t.lower, p.phone_number) > 0
        or strpos(t.text, p.profile_id) > 0)
      cross join lateral unnest(array[p.email, p.phone_number, p.profile_id]) as named (identifier)
      where identifier is not null
      group by t.id, t.text`.execute(tx);
    for (const { id, text, identifiers } of rows) {
      await sql`
        update consentry.${sql.ref(table)}
        set ${sql.ref(column)} = ${without(text, identifiers)}::${sql.raw(type)}
        where id = ${id}`.execute(tx);
    }
  }
}

/** A text with a word in the place of each of these, in any case of letters. */
function without(text: string, identifiers: readonly string[]): string {
  // The longest first: one may be a part of another.
  const named = [...identifiers].sort((one, other) => other.length - one.length);
  return text.replace(new RegExp(named.map(escaped).join('|'), 'giu'), ERASED);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
