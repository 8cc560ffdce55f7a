import { sql } from 'kysely';
import type { Channel } from '../../contracts/channels.js';
import type { SegmentRefusal } from '../../contracts/failures.js';
import type { Intent } from '../../contracts/intents.js';
import { copyLine } from '../copy.js';
import { copyIntents, refusedParts } from '../runs/intents.js';
import type { Storing } from '../runs/storing.js';

/*
 * The people of a segment's source as they were just read, in a table that lives as long as the
 * transaction: `staged`, with the columns of `intent`, and `staged_refused`, the parts that were refused.
 */

/** The keys of a segment's source cannot be used, so nothing is known of who came and went. */
export class SegmentKeyError extends Error {
  override readonly name = 'SegmentKeyError';
  constructor(
    readonly code: SegmentRefusal & `key_${string}`,
    message: string,
  ) {
    super(message);
  }
}

/** Reads a source to its end. @returns the number of people, and the channels that they have parts for */
export async function stage(
  storing: Storing,
  batches: AsyncIterable<readonly Intent[]>,
  onRows: (rows: number) => void,
): Promise<{ readonly people: number; readonly channels: ReadonlySet<Channel> }> {
  const { run, copy } = storing;
  await run(sql`
    create temporary table staged (like consentry.intent including defaults) on commit drop`);
  await run(sql`
    create temporary table staged_refused (row_number integer, channel consentry.channel, reason text)
    on commit drop`);
  const channels = new Set<Channel>();
  let people = 0;
  for await (const batch of batches) {
    for (const channel of await copyIntents(storing, 'pg_temp.staged', 0, people, batch)) {
      channels.add(channel);
    }
    await copy(
      'pg_temp.staged_refused',
      ['row_number', 'channel', 'reason'],
      refusedParts(people, batch).map(({ rowNumber, part }) =>
        copyLine([rowNumber, part.channel, part.rejected]),
      ),
    );
    people += batch.length;
    onRows(people);
  }
  await run(sql`create index on staged (member_key)`);
  await run(sql`create index on staged_refused (row_number)`);
  await run(sql`analyze staged, staged_refused`);
  return { people, channels };
}

/** So many lines are named in a message. */
const NAMED = 3;

/**
 * Checks that every row has a key of its own, of the same form as before.
 *
 * @param column name of the key's column
 * @returns the form of the keys
 * @throws SegmentKeyError
 */
export async function checkKeys(
  { run }: Pick<Storing, 'run'>,
  column: string,
  formBefore: string | null,
): Promise<string> {
  const missing = await run<{ line: number; people: number }>(sql`
    select line, count(*) over ()::integer as people from staged
    where member_key is null order by row_number limit ${NAMED}`);
  if (missing.length > 0) {
    throw new SegmentKeyError(
      'key_missing',
      `${column} is blank in ${rows(missing[0]!.people)} of the source, such as row ${lines(missing)}: nobody could tell ` +
        'whether they leave. Nothing was sent. Leave them out of the query, or give another key.',
    );
  }
  const twice = await run<{ line: number }>(sql`
    select line from (
      select min(line) as line from staged group by member_key having count(*) > 1
    ) twice order by line limit ${NAMED}`);
  if (twice.length > 0) {
    throw new SegmentKeyError(
      'key_twice',
      `${column} has the same value in several rows of the source, such as that of row ${lines(twice)}: a join may ` +
        'have multiplied them. Nothing was sent. Make the query give one row for each, or give another key.',
    );
  }
  const [found] = await run<{ form: string }>(sql`
    select case when bool_and(member_key ~ '^[0-9]+$') then 'digits'
      when bool_and(member_key ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') then 'uuid'
      else 'text' end as form from staged`);
  const form = found?.form ?? 'text';
  // Any text may look like a number one day, but numbers do not become texts.
  if (formBefore !== null && formBefore !== 'text' && form !== formBefore) {
    throw new SegmentKeyError(
      'key_of_another_form',
      `${column} had only values of the form ${formBefore} before, and has others now: everybody would leave, and ` +
        'enter anew. Nothing was sent. Correct the query, or give the program another key, which begins the segment anew.',
    );
  }
  // Once they were any text, they may be again.
  return formBefore === 'text' ? formBefore : form;
}

function rows(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`;
}

function lines(rows: readonly { readonly line: number }[]): string {
  return rows.map(({ line }) => line).join(', ');
}
