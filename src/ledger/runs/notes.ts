import { sql } from 'kysely';
import type { NoteCount } from '../../contracts/migration.js';
import type { LedgerDb } from '../database.js';
import { enumChannel, peopleOf } from '../parts.js';

/** What the importer noted about the parts of a migration, by channel and note. */
export async function countNotes(db: LedgerDb, migrationId: string): Promise<NoteCount[]> {
  const { number, channels } = await peopleOf(db, migrationId);
  if (channels.length === 0) return [];
  const notes = channels.map(
    (channel) => sql`(${enumChannel(channel)}, ${sql.raw(`i.${channel}_note`)})`,
  );
  // Of the few rows with a note; a part can have several, with blanks between them.
  const { rows } = await sql<NoteCount>`
    select n.channel, one.note, count(*)::integer as parts
    from consentry.intent i
    cross join lateral (values ${sql.join(notes)}) as n (channel, notes)
    cross join lateral unnest(string_to_array(n.notes, ' ')) as one (note)
    where i.migration_number = ${number} and n.notes is not null
    group by n.channel, one.note order by n.channel, one.note`.execute(db);
  return rows;
}
