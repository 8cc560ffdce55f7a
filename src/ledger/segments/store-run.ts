import { sql } from 'kysely';
import { CHANNELS } from '../../contracts/channels.js';
import type { Intent } from '../../contracts/intents.js';
import type { Brake, SegmentDefinition, SegmentFound } from '../../contracts/segments.js';
import type { Ledger } from '../database.js';
import { enumChannel } from '../parts.js';
import { DOUBTS } from '../runs/conflicts.js';
import { analyzeIntents, noteStored } from '../runs/intents.js';
import type { NewMigration } from '../runs/migrations.js';
import { inStoring, type Storing } from '../runs/storing.js';
import { findDifference } from './difference.js';
import { foldRuns } from './fold.js';
import { updateMembers } from './membership.js';
import { lockSegment, noteCompared } from './segments.js';
import { checkKeys, stage } from './staged.js';
import { findWithheld } from './withheld.js';
import { storeRows } from './store-rows.js';
import { draftOf, SEGMENT_TABLES } from './tables.js';

/** How a run of a segment goes. */
export interface SegmentHow {
  /** Nothing is sent, and who is in the segment stays as it was. */
  readonly dryRun: boolean;
  /** A person said that it may do more than the brakes allow. */
  readonly beyondBrakes: boolean;
}

/** A run would do more than its brakes allow, so nothing was stored. */
export class SegmentBrakedError extends Error {
  override readonly name = 'SegmentBrakedError';
  constructor(
    message: string,
    readonly found: SegmentFound,
  ) {
    super(message);
  }
}

/** The source opts people out, which a segment does not say. */
export class SegmentAsksElseError extends Error {
  override readonly name = 'SegmentAsksElseError';
}

/** What a comparison found, and what is to be sent because of it. */
export interface ComparedSegment {
  readonly found: SegmentFound;
  /** Rows of the run; 0 if there is nothing to do, and then no run is stored. */
  readonly rows: number;
}

/**
 * Compares a segment with its source, and stores the difference as the rows of a migration: all of it in
 * one transaction.
 *
 * @param batches the people of the source, with their keys
 * @throws SegmentIsRunningError, SegmentListError, SegmentKeyError, SegmentAsksElseError, SegmentBrakedError, AlreadyRunningError
 */
export async function storeSegmentRun(
  ledger: Ledger,
  definition: SegmentDefinition,
  migration: NewMigration,
  batches: AsyncIterable<readonly Intent[]>,
  { dryRun, beyondBrakes }: SegmentHow,
  onRows: (rows: number) => void = () => undefined,
): Promise<ComparedSegment> {
  const compared = await inStoring(ledger, async (storing): Promise<ComparedSegment> => {
    const { run } = storing;
    const segment = await lockSegment(storing, definition);
    const tables = dryRun ? await draftOf(storing, segment) : SEGMENT_TABLES;
    const folded = await foldRuns(storing, tables, segment, definition);
    const { people } = await stage(storing, batches, onRows);
    const isBaseline = segment.isNew || segment.definition !== definition.hash;
    const keyForm = await checkKeys(storing, definition.key, isBaseline ? null : segment.keyForm);
    await refuseOptOuts(storing);
    await findWithheld(storing, definition);
    const { after } = definition.leave;
    const members = await updateMembers(storing, tables, segment, { isBaseline, after });
    const difference = await findDifference(storing, tables, segment, definition, isBaseline);
    const found: SegmentFound = { people, ...members, ...difference, isBaseline };
    if (!beyondBrakes) brake(definition, found);
    let rows = 0;
    if (await isAnybody(storing)) {
      const number = await storing.insertMigration(migration);
      const stored = await storeRows(storing, tables, segment, definition, number);
      ({ rows } = stored);
      if (rows === 0) await run(sql`delete from consentry.migration where id = ${migration.id}`);
      else {
        const channels = CHANNELS.filter((channel) => stored.channels.includes(channel));
        await noteStored(storing, migration.id, { number, channels }, rows);
      }
    }
    if (!dryRun) await noteCompared(storing, segment, definition, { keyForm, folded });
    return { found, rows };
  });
  await analyzeIntents(ledger);
  await ledger.pool.query('analyze consentry.segment_member, consentry.segment_part');
  return compared;
}

async function isAnybody({ run }: Pick<Storing, 'run'>): Promise<boolean> {
  const [any] = await run<{ any: boolean }>(sql`
    select exists (select from picked) or exists (select from leaving) as any`);
  return any?.any ?? false;
}

/**
 * Also if such a part was refused, such as the opt-out of a number that is none. What nobody understands is
 * not refused: nobody is asked who may be meant.
 */
async function refuseOptOuts({ run }: Pick<Storing, 'run'>): Promise<void> {
  const asksElse = CHANNELS.map(
    (channel) => sql`
      ${sql.ref(`${channel}_operation`)} <> 'subscribe' and not exists (
        select from staged_refused r where r.row_number = i.row_number
          and r.channel = ${enumChannel(channel)} and r.reason = any(${[...DOUBTS]}::text[]))`,
  );
  const [other] = await run<{ line: number }>(sql`
    select line from staged i where ${sql.join(asksElse, sql` or `)} order by row_number limit 1`);
  if (other === undefined) return;
  throw new SegmentAsksElseError(
    `Some rows of the source, such as row ${other.line}, say that people opt out, or ask for something else than ` +
      'consent: a segment says who is in it, and whoever is not, leaves. Nothing was sent. Leave these rows out of ' +
      "the query; 'consentry migrate' passes opt-outs on.",
  );
}

/** Of so few people no share is looked at: one of three is not a broken join. */
const FEW = 20;

/** @throws SegmentBrakedError */
function brake({ program, brakes }: SegmentDefinition, found: SegmentFound): void {
  const { before, entering, asked, leaving } = found;
  const over = [
    // Also those who only have another address: a broken join may give everybody that of somebody else.
    ...(asked > entering
      ? overOf('enter', 'enter or have another address', asked, before, brakes.enter)
      : overOf('enter', 'enter', entering, before, brakes.enter)),
    ...overOf('leave', 'leave', leaving, before, brakes.leave),
  ];
  if (over.length === 0) return;
  throw new SegmentBrakedError(
    `${program} would do more than its brakes allow: ${over.join('; ')}. Nothing was sent, and nobody entered or left. Look ` +
      'at its source; if that is right, run it once with --beyond-brakes.',
    found,
  );
}

function overOf(
  brake: 'enter' | 'leave',
  what: string,
  people: number,
  before: number,
  { share, people: most }: Brake,
): string[] {
  if (people > most)
    return [`${people} people would ${what}, and brakes.${brake}.people is ${most}`];
  // There is no share of nobody.
  if (before === 0 || people <= FEW || people <= before * share) return [];
  const percent = Math.round((people / before) * 100);
  return [
    `${people} people would ${what}, ${percent} % of the ${before} who were in, and brakes.${brake}.share is ${share}`,
  ];
}
