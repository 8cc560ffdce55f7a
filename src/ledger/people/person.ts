import { sql } from 'kysely';
import type { Channel, Operation } from '../../contracts/channels.js';
import type { SettledBy, Outcome, Reason } from '../../contracts/outcomes.js';
import type { Person, PersonConsent } from '../../contracts/person.js';
import type { LedgerDb } from '../database.js';
import { isIdentifier } from '../parts.js';
import { finishRun, startShortRun } from '../runs/runs.js';

/** Questions whose answer nobody fetched are deleted after this. */
export const PERSON_REQUEST_LIVES_MS = 3_600_000;

/** Stores a question for a worker, as a run of its own. Also deletes expired questions. */
export async function askAboutPerson(
  db: LedgerDb,
  { id, accountId, person }: { id: string; accountId: string; person: Person },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .deleteFrom('person_request')
      .where('created_at', '<', new Date(Date.now() - PERSON_REQUEST_LIVES_MS))
      .execute();
    await startShortRun(tx, { kind: 'person', id, accountId });
    await tx
      .insertInto('person_request')
      .values({ id, identifier: JSON.stringify(person) })
      .execute();
  });
}

/** The person that a question is about; null if the question was deleted. */
export async function personAskedAbout(db: LedgerDb, id: string): Promise<Person | null> {
  const row = await db
    .selectFrom('person_request')
    .select('identifier')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.identifier ?? null;
}

/** Stores the answer with its question. Drops it if the question was deleted. */
export async function answerAboutPerson(
  db: LedgerDb,
  id: string,
  answer: PersonConsent,
): Promise<void> {
  await db
    .updateTable('person_request')
    .set({ result: JSON.stringify(answer) })
    .where('id', '=', id)
    .execute();
}

/** Deletes a question and ends its run. @returns its answer; null if there was none */
export async function takePersonAnswer(db: LedgerDb, id: string): Promise<PersonConsent | null> {
  await finishRun(db, id);
  const row = await db
    .deleteFrom('person_request')
    .where('id', '=', id)
    .returning('result')
    .executeTakeFirst();
  return row?.result ?? null;
}

/** One channel of one row about a person: what was asked, by which run, and how it ended. */
export interface PersonPart {
  readonly migrationId: string;
  readonly startedAt: Date;
  readonly sourceName: string;
  readonly preset: string;
  readonly line: number;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly channel: Channel;
  readonly operation: Operation;
  /** The date of the consent or opt-out, according to the source. */
  readonly consentedAt: Date | null;
  readonly note: string | null;
  readonly listId: string | null;
  /** The `custom_source` that the run's calls carry. */
  readonly customSource: string;
  readonly historicalImport: boolean;
  readonly outcome: Outcome | null;
  readonly reason: Reason | null;
  readonly settledBy: SettledBy | null;
  readonly settledAt: Date | null;
  readonly consentBefore: string | null;
  readonly consentBeforeAt: Date | null;
  readonly consentAfter: string | null;
  readonly consentAfterAt: Date | null;
  readonly readAt: Date | null;
  /** When an earlier run asked for the click, if this one did not ask again. */
  readonly askedAt: Date | null;
  /** When it was sent to Klaviyo, and the id of that call; null if it was not sent. */
  readonly sentAt: Date | null;
  readonly requestId: string | null;
}

/** Everything ever done about a person, oldest first: all channels of all their rows. */
export async function personHistory(db: LedgerDb, { by, value }: Person): Promise<PersonPart[]> {
  const { rows } = await sql<PersonPart>`
    select m.id as "migrationId", run.created_at as "startedAt",
      m.source_name as "sourceName", m.preset, i.line, i.email,
      i.phone_number as "phoneNumber", p.channel, p.operation, p.consented_at as "consentedAt",
      p.note, m.settings->>'listId' as "listId", m.settings->>'customSource' as "customSource",
      coalesce((m.settings->>'historicalImport')::boolean, false) as "historicalImport",
      p.outcome, p.reason, p.settled_by as "settledBy", p.settled_at as "settledAt",
      p.consent_before as "consentBefore", p.consent_before_at as "consentBeforeAt",
      p.consent_after as "consentAfter", p.consent_after_at as "consentAfterAt",
      p.read_at as "readAt", p.asked_at as "askedAt", s.sent_at as "sentAt", s.request_id as "requestId"
    from consentry.migration m
    join consentry.run on run.id = m.id
    cross join lateral (
      select * from consentry.intent i
      where i.migration_number = m.number
        and ${isIdentifier(by === 'email' ? 'email' : 'phone_number', sql`${value}`)}
      offset 0
    ) i
    cross join lateral (
      select * from consentry.part v
      where v.migration_number = i.migration_number and v.row_number = i.row_number offset 0
    ) p
    left join consentry.submission s on s.id = p.submission_id
    order by run.created_at, m.id, i.row_number, p.channel`.execute(db);
  return rows;
}
