import { JOB_SIZE } from '../../contracts/limits.js';
import type { MigrationTiming } from '../../contracts/migration.js';
import { KlaviyoUnavailableError } from '../../klaviyo/index.js';
import {
  getMigration,
  settleDuplicates,
  unreadRows,
  type Migration,
  type OpenRow,
} from '../../ledger/index.js';
import { together } from '../at-once.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { AccountPeople } from '../mirror/account-people.js';
import type { ProfileChanges } from '../mirror/profile-changes.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { Persistence } from '../temporal/persistence.js';
import { guardRows } from './guard-rows.js';

export interface ReadConsentInput {
  readonly migrationId: string;
  readonly timing: MigrationTiming;
}

/** Concurrent chunks of a thousand rows: while some are stored, the next are looked up. */
const AT_ONCE = 8;

/** The same while changes are read: they would wait for the calls of more. */
const STRANGERS_AT_ONCE = 4;

/** Rows to guard together. */
interface Chunk {
  readonly rows: readonly OpenRow[];
  /** Earlier rows are read, or in another chunk. */
  readonly after: number;
}

interface Reading {
  readonly migration: Migration;
  readonly timing: MigrationTiming;
  /** Chunks. */
  readonly atOnce: number;
}

interface Round {
  /** Number of rows that were read. */
  readonly rows: number;
  /** The first row that may be left unread comes after this one. */
  readonly unreadAfter: number;
}

/** The guard's reads: the consent that Klaviyo holds, stored as the state before the run. */
export function createReadConsent(
  deps: ActivityDependencies,
  people: AccountPeople,
  changes: ProfileChanges,
) {
  const { db } = deps.ledger;
  return {
    /**
     * Settles duplicates, then reads every open row that was not read yet: from what earlier reads
     * showed, where that is up to date, and the others at Klaviyo. A retry continues where the last
     * attempt stopped. What could not be read is tried again while there is progress.
     */
    async readConsent({ migrationId, timing }: ReadConsentInput): Promise<{ rows: number }> {
      return whileHeartbeating(async (signal) => {
        await settleDuplicates(db, migrationId);
        const migration = await getMigration(db, migrationId);
        const reading = { migration, timing, atOnce: AT_ONCE };
        let read = await bringUpToDate(reading, signal);
        const persistence = new Persistence(signal);
        for (let begin = 0; ;) {
          const chunks = chunksOf(migrationId, begin);
          const round = await readOnce(reading, chunks, begin, persistence, signal);
          read += round.rows;
          begin = round.unreadAfter;
          if (!(await persistence.another())) return { rows: read };
        }
      });
    },
  };

  /**
   * Reads what changed at Klaviyo since earlier reads, and looks up meanwhile who has to be looked up
   * whatever that shows. Those for whom no call is free are left.
   *
   * @returns number of rows that were looked up
   */
  async function bringUpToDate(reading: Reading, signal: AbortSignal): Promise<number> {
    const { migration, timing } = reading;
    const upToDate = new AbortController();
    const [, round] = await together(
      signal,
      async (either) => {
        await changes.read(migration, timing, either);
        upToDate.abort();
      },
      (either) => {
        const chunks = strangersOf(migration, upToDate.signal);
        const few = { ...reading, atOnce: STRANGERS_AT_ONCE };
        return readOnce(few, chunks, 0, new Persistence(either), either);
      },
    );
    return round.rows;
  }

  /** The open rows after `begin` that were not read yet. */
  async function* chunksOf(migrationId: string, begin: number): AsyncGenerator<Chunk> {
    for (let after = begin; ;) {
      const rows = await unreadRows(db, migrationId, after, JOB_SIZE);
      const last = rows.at(-1);
      if (last === undefined) return;
      yield { rows, after };
      after = last.rowNumber;
    }
  }

  /** Those of the open rows whose people are not remembered, until it is too late. */
  async function* strangersOf(migration: Migration, tooLate: AbortSignal): AsyncGenerator<Chunk> {
    let strangers: OpenRow[] = [];
    for await (const { rows } of chunksOf(migration.id, 0)) {
      const found = await people.strangersAmong(migration, rows);
      // Nobody is remembered: then everybody is looked up, in order.
      if (found === null || tooLate.aborted) return;
      strangers.push(...found);
      if (strangers.length < JOB_SIZE) continue;
      yield { rows: strangers, after: 0 };
      strangers = [];
    }
    if (strangers.length > 0) yield { rows: strangers, after: 0 };
  }

  /** Reads these rows, or as many as there are calls for. */
  async function readOnce(
    { migration, timing, atOnce }: Reading,
    chunks: AsyncGenerator<Chunk>,
    begin: number,
    persistence: Persistence,
    signal: AbortSignal,
  ): Promise<Round> {
    const round = { rows: 0, unreadAfter: Infinity, mustWait: false, failure: null as unknown };
    const underWay = new Set<Promise<void>>();
    const guard = async ({ rows, after }: Chunk): Promise<void> => {
      try {
        const read = await guardRows(
          deps,
          people,
          { migration, jobNumber: null, age: timing },
          rows,
          signal,
        );
        round.rows += read.rows;
        persistence.note(read.rows, read.shortage);
        if (read.shortage === null) return;
        round.unreadAfter = Math.min(round.unreadAfter, after);
        round.mustWait ||= !(read.shortage instanceof KlaviyoUnavailableError);
      } catch (error) {
        round.failure ??= error;
      }
    };
    let after = begin;
    try {
      for await (const chunk of chunks) {
        const guarding = guard(chunk).finally(() => underWay.delete(guarding));
        underWay.add(guarding);
        after = chunk.rows.at(-1)?.rowNumber ?? after;
        // A look-up that hangs holds up only its own thousand rows.
        if (underWay.size >= atOnce) await Promise.race(underWay);
        if (round.mustWait || round.failure !== null || signal.aborted) break;
      }
    } finally {
      // Even if one failed, so that what the others read is stored.
      await Promise.all(underWay);
    }
    signal.throwIfAborted();
    if (round.failure !== null) throw asError(round.failure);
    return { rows: round.rows, unreadAfter: Math.min(round.unreadAfter, after) };
  }
}

function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(String(failure));
}
