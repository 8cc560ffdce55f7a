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
        await changes.read(migration, timing, signal);
        const persistence = new Persistence(signal);
        let read = 0;
        for (let begin = 0; ;) {
          const round = await readOnce({ migration, timing }, begin, persistence, signal);
          read += round.rows;
          begin = round.unreadAfter;
          if (!(await persistence.another())) return { rows: read };
        }
      });
    },
  };

  /** Reads the open rows after `begin` that were not read yet; stops when no call is free. */
  async function readOnce(
    { migration, timing }: { readonly migration: Migration; readonly timing: MigrationTiming },
    begin: number,
    persistence: Persistence,
    signal: AbortSignal,
  ): Promise<{ rows: number; unreadAfter: number }> {
    const round = { rows: 0, unreadAfter: Infinity, mustWait: false, failure: null as unknown };
    const underWay = new Set<Promise<void>>();
    const guard = async (some: readonly OpenRow[], after: number): Promise<void> => {
      try {
        const read = await guardRows(
          deps,
          people,
          { migration, jobNumber: null, age: timing },
          some,
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
    while (!round.mustWait && round.failure === null && !signal.aborted) {
      const rows = await unreadRows(db, migration.id, after, JOB_SIZE);
      const last = rows.at(-1);
      if (last === undefined) break;
      const guarding = guard(rows, after).finally(() => underWay.delete(guarding));
      underWay.add(guarding);
      after = last.rowNumber;
      // A look-up that hangs holds up only its own thousand rows.
      if (underWay.size >= AT_ONCE) await Promise.race(underWay);
    }
    // Even if one failed, so that what the others read is stored.
    await Promise.all(underWay);
    signal.throwIfAborted();
    if (round.failure !== null) throw asError(round.failure);
    return { rows: round.rows, unreadAfter: Math.min(round.unreadAfter, after) };
  }
}

function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(String(failure));
}
