import { sql } from 'kysely';
import type { Approved } from '../../contracts/activation.js';
import { CHANNELS } from '../../contracts/channels.js';
import type { SegmentRefusal } from '../../contracts/failures.js';
import type { Intent } from '../../contracts/intents.js';
import {
  bluntWords,
  enteringOf,
  type Brake,
  type SegmentDefinition,
  type SegmentFound,
} from '../../contracts/segments.js';
import type { Ledger } from '../database.js';
import { enumChannel } from '../parts.js';
import { DOUBTS } from '../runs/conflicts.js';
import { analyzeIntents, noteStored } from '../runs/intents.js';
import type { NewMigration } from '../runs/migrations.js';
import { inStoring, type Storing } from '../runs/storing.js';
import { findDifference } from './difference.js';
import { foldRuns } from './fold.js';
import { updateMembers } from './membership.js';
import { lockSegment, noteCompared, refuseToCompare } from './segments.js';
import { noteComparison } from './segment-runs.js';
import { checkKeys, stage } from './staged.js';
import { findSaidNo, findWithheld } from './withheld.js';
import { storeRows } from './store-rows.js';
import { draftOf, SEGMENT_TABLES } from './tables.js';

/** How a run of a segment goes. */
export interface SegmentHow {
  /** Nothing is sent, and who is in the segment stays as it was. */
  readonly dryRun: boolean;
  /** What a person said that it may do beyond its brakes: anything, or as much as this; null for nothing. */
  readonly approved: 'anything' | Approved | null;
  /** Of the run of `segment_run`, if a workflow has begun one; null if a person runs it by hand. */
  readonly runId: string | null;
  /** The generation of the last comparison that the caller knows of; null if it knows of none. */
  readonly after: number | null;
}

/** A run would do more than its brakes allow, so nothing was stored. */
export class SegmentBrakedError extends Error {
  override readonly name = 'SegmentBrakedError';
  readonly code = 'segment_braked' satisfies SegmentRefusal;
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
  readonly code = 'segment_asks_else' satisfies SegmentRefusal;
}

/** What a comparison found, and what is to be sent because of it. */
export interface ComparedSegment {
  readonly found: SegmentFound;
  /** Rows of the run; 0 if there is nothing to do, and then no run is stored. */
  readonly rows: number;
  /** Of this comparison. */
  readonly generation: number;
}

/**
 * Compares a segment with its source, and stores the difference as the rows of a migration: all of it in
 * one transaction. What was stored for the same run before is not done again.
 *
 * @param batches the people of the source, with their keys
 * @throws SegmentIsRunningError, SegmentListError, SegmentKeyError, SegmentAsksElseError, SegmentBrakedError, AlreadyRunningError
 */
export async function storeSegmentRun(
  ledger: Ledger,
  definition: SegmentDefinition,
  migration: NewMigration,
  batches: AsyncIterable<readonly Intent[]>,
  { dryRun, approved, runId, after: knownGeneration }: SegmentHow,
  onRows: (rows: number) => void = () => undefined,
): Promise<ComparedSegment> {
  const compared = await inStoring(ledger, async (storing): Promise<ComparedSegment> => {
    const { run } = storing;
    const segment = await lockSegment(storing, definition);
    const before = runId === null ? null : await comparedBy(storing, runId);
    if (before !== null) return before;
    await refuseToCompare(storing, segment, definition);
    const tables = dryRun ? await draftOf(storing, segment) : SEGMENT_TABLES;
    const folded = await foldRuns(storing, tables, segment, definition);
    const { people } = await stage(storing, batches, onRows);
    const isOther = !segment.isNew && segment.definition !== definition.hash;
    const isBaseline =
      segment.isNew ||
      isOther ||
      // The ledger is of before that comparison: a backup was restored.
      segment.generation < (knownGeneration ?? 0);
    const keyForm = await checkKeys(storing, definition.key, isBaseline ? null : segment.keyForm);
    await refuseOptOuts(storing);
    await findSaidNo(storing, tables, segment, definition.channels);
    await findWithheld(storing, tables, segment, definition);
    const { after } = definition.leave;
    const members = await updateMembers(storing, tables, segment, { isBaseline, isOther, after });
    const difference = await findDifference(storing, tables, segment, definition, isBaseline);
    const found: SegmentFound = { people, ...members, ...difference, isBaseline };
    brake(definition, found, approved);
    let rows = 0;
    if (await isAnybody(storing)) {
      const number = await storing.insertMigration(withLeave(migration, definition));
      const stored = await storeRows(storing, tables, segment, definition, number);
      ({ rows } = stored);
      if (rows === 0) await run(sql`delete from consentry.migration where id = ${migration.id}`);
      else {
        const channels = CHANNELS.filter((channel) => stored.channels.includes(channel));
        await noteStored(storing, migration.id, { number, channels }, rows);
      }
    }
    if (!dryRun) {
      await noteCompared(storing, segment, definition, { keyForm, folded, runId });
      await noteComparison(storing, segment, {
        runId,
        found,
        migrationId: rows > 0 ? migration.id : null,
      });
    }
    return { found, rows, generation: segment.generation + 1 };
  });
  await analyzeIntents(ledger);
  await ledger.pool.query('analyze consentry.segment_member, consentry.segment_part');
  return compared;
}

/** What an attempt of this run found whose answer was lost: it may have ended after the next one began. */
async function comparedBy(
  { run }: Pick<Storing, 'run'>,
  runId: string,
): Promise<ComparedSegment | null> {
  const [compared] = await run<ComparedSegment>(sql`
    select r.found, r.generation, coalesce(m.rows, 0)::integer as rows
    from consentry.segment_run r left join consentry.migration m on m.id = r.migration_id
    where r.id = ${runId} and r.found is not null and r.generation is not null`);
  return compared ?? null;
}

/** Whoever leaves loses only what the program gave, all of it, unless the program says that it ends whatever is there. */
function withLeave(migration: NewMigration, { leave }: SegmentDefinition): NewMigration {
  if (leave.all === true) return migration;
  return { ...migration, settings: { ...migration.settings, onlyGiven: { stillAsked: [] } } };
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
function brake(
  { program, brakes }: SegmentDefinition,
  found: SegmentFound,
  approved: SegmentHow['approved'],
): void {
  if (approved === 'anything') return;
  const { before, leaving } = found;
  const enter = enteringOf(found);
  const over = [
    ...(enter <= (approved?.enter ?? 0)
      ? []
      : overOf(
          'enter',
          enter > found.entering ? 'enter or have another address' : 'enter',
          enter,
          before,
          brakes.enter,
        )),
    ...(leaving <= (approved?.leave ?? 0)
      ? []
      : overOf('leave', 'leave', leaving, before, brakes.leave)),
  ];
  if (over.length === 0) return;
  throw new SegmentBrakedError(
    `${program} would do more than its brakes allow: ${over.join('; ')}. Nothing was sent, and nobody entered or left. Look ` +
      'at its source; if that is right, run it once with --beyond-brakes, or approve the run that waits.' +
      (found.blunt === undefined ? '' : ` ${bluntWords(found.blunt)}`),
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
