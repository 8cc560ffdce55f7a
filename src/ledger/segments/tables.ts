import { sql, type RawBuilder } from 'kysely';
import type { Storing } from '../runs/storing.js';
import type { Segment } from './segments.js';

/** Where the people of a segment are: in the ledger, or in a draft for a run that only plans. */
export interface SegmentTables {
  readonly members: RawBuilder<unknown>;
  readonly parts: RawBuilder<unknown>;
}

export const SEGMENT_TABLES: SegmentTables = {
  members: sql`consentry.segment_member`,
  parts: sql`consentry.segment_part`,
};

/** A copy of a segment, which lives as long as the transaction: a dry run changes nothing. */
export async function draftOf(
  { run }: Pick<Storing, 'run'>,
  { number }: Segment,
): Promise<SegmentTables> {
  for (const table of ['segment_member', 'segment_part'] as const) {
    const draft = sql.ref(`draft_${table}`);
    const original = sql.ref(`consentry.${table}`);
    await run(sql`
      create temporary table ${draft} (like ${original} including all) on commit drop`);
    await run(sql`insert into ${draft} select * from ${original} where segment_number = ${number}`);
    await run(sql`analyze ${draft}`);
  }
  return { members: sql`draft_segment_member`, parts: sql`draft_segment_part` };
}
