import { sql, type RawBuilder } from 'kysely';
import type { Channel } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import { markedOptOuts } from '../erasure/marks.js';
import { byBlock, integers } from '../row-numbers.js';
import { sentColumns, sentStates, type SentRecord } from './row-states.js';

/** How parts stand that a call is about to carry. */
export interface Standing {
  /** Whether the account knows any opt-out of the row's person. */
  readonly hasOptOut: (rowNumber: number) => boolean;
  /** No outcome, not under repair, and no call carries it or may have carried it. */
  readonly isOpenAndUnsent: (part: {
    readonly rowNumber: number;
    readonly channel: Channel;
  }) => boolean;
}

/**
 * In one statement, since everybody who settles or sends for the migration waits meanwhile.
 *
 * @param number the key of the migration's people
 */
export async function standingOf(
  db: LedgerDb,
  migrationId: string,
  number: number,
  rowNumbers: readonly number[],
): Promise<Standing> {
  const { rows } = await sql<{ opted_out: number[]; settled: string[] } & SentRecord>`
    select
      array(${withAnyOptOut(migrationId, number, rowNumbers)}) as opted_out,
      array(select row_number || ' ' || channel from consentry.settlement
        where migration_number = ${number} and row_number = any(${integers(rowNumbers)})) as settled,
      ${sentColumns(migrationId, number, [...byBlock(rowNumbers).keys()])}`.execute(db);
  const found = rows[0];
  if (found === undefined) throw new Error('The standing of parts has no row');
  const optedOut = new Set(found.opted_out);
  const settled = new Set(found.settled);
  const { isBeingRepaired, lastCall } = sentStates(found);
  return {
    hasOptOut: (rowNumber) => optedOut.has(rowNumber),
    isOpenAndUnsent: ({ rowNumber, channel }) => {
      if (settled.size > 0 && settled.has(`${rowNumber} ${channel}`)) return false;
      if (isBeingRepaired(rowNumber, channel)) return false;
      const call = lastCall(rowNumber, channel);
      return call === null || call.status === 'lost';
    },
  };
}

/** Rows of people of whom the account knows any opt-out: almost none. */
const withAnyOptOut = (
  migrationId: string,
  number: number,
  rowNumbers: readonly number[],
): RawBuilder<unknown> => sql`
  select i.row_number
  from consentry.run
  cross join lateral (
    select * from consentry.intent i
    where i.migration_number = ${number} and i.row_number = any(${integers(rowNumbers)}) offset 0
  ) i
  where run.id = ${migrationId} and (
    exists (
      select from consentry.opt_out o
      where o.account_id = run.account_id and o.identifier in (i.email, i.phone_number)
      offset 0)
    or exists (${markedOptOuts(sql`run.account_id`, sql`array[i.email, i.phone_number]`)} offset 0))`;
