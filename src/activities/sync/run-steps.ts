import type {
  Drift,
  SyncBegun,
  SyncCounts,
  SyncSettings,
  SyncStep,
  WholeReading,
} from '../../contracts/sync.js';
import { NO_COUNTS, sumOf } from '../../contracts/sync.js';
import {
  beginMirror,
  beginSyncRun,
  completeMirror,
  endSyncRun,
  getSync,
  ledgerTime,
  isWholeSince,
  noteSynced,
  noteWhole,
  syncRuns,
  unreadProfiles,
} from '../../ledger/index.js';
import { exportSnapshot } from '../../destinations/files/export-snapshot.js';
import type { SyncDependencies } from '../dependencies.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { GoneProfiles } from './gone-profiles.js';
import { klaviyosTime } from './read-changes.js';
import { withSession, type SyncSession } from './session.js';
import { listsInOf, tablesBeside, type SyncState } from './state.js';
import { wholeWindow } from './windows.js';

/** Ids of the destination that are compared with the ledger's at once. */
const IDS_AT_ONCE = 10_000;

/** The steps of a sync's run around its readings. */
export function createSyncSteps(deps: SyncDependencies) {
  const { db } = deps.ledger;
  return {
    /** Begins the run in the ledger, checks the destination, and says what is to be read. */
    async beginSync(
      step: SyncStep & {
        readonly workflowId: string;
        readonly full: boolean;
        readonly reset: boolean;
      },
    ): Promise<SyncBegun> {
      return whileHeartbeating(async (signal) => {
        const { syncId, runId, workflowId, full, reset } = step;
        const { accountId, settings } = await getSync(db, syncId);
        await beginSyncRun(db, { id: runId, syncId, accountId, workflowId });
        const now = await klaviyosTime(deps, signal);
        const whole = await withSession(
          deps,
          step,
          async (session) => {
            await takeUp(session);
            return wholeReading(session.state, full, settings, Date.parse(now));
          },
          { prepares: true, adopts: reset },
        );
        await noteWhole(db, runId, whole);
        return { whole, writesFiles: settings.to.kind === 'files' };
      });
    },

    /**
     * Notes that the whole account is to be read, from now on, and that what changes from now on is to be
     * read too. Goes on with a reading that has begun.
     */
    async beginWhole(
      step: SyncStep & { readonly whole: WholeReading },
    ): Promise<{ readonly goesOn: boolean }> {
      return whileHeartbeating((signal) =>
        withSession(deps, step, async (session) => {
          const { state, sync } = session;
          if (state.reading !== null) {
            // A former version read no changes before the end of a first reading.
            if (state.changesUntil === null)
              await session.move({ ...state, changesUntil: state.reading.began });
            return { goesOn: true };
          }
          const began = await klaviyosTime(deps, signal);
          // Before anything is read, so that no change is missed between.
          await beginMirror(db, sync.accountId, { since: new Date(began), tookMs: 0 });
          const beganInLedger = await ledgerTime(db);
          const noticedUntil =
            step.whole === 'first' || state.changesUntil === null
              ? null
              : before(state.changesUntil, sync.settings.overlapMs);
          await session.move({
            ...state,
            changesUntil: state.changesUntil ?? began,
            reading: {
              whole: step.whole,
              began,
              beganInLedger,
              noticedUntil,
              windows: [wholeWindow(began)],
              read: 0,
              lists: null,
            },
          });
          return { goesOn: false };
        }),
      );
    },

    /**
     * After everything was read: looks for profiles that no reading showed, and notes that the whole
     * account was read.
     */
    async endWhole(step: SyncStep): Promise<SyncCounts> {
      return whileHeartbeating((signal) =>
        withSession(deps, step, async (session) => {
          const { sync, destination } = session;
          const { reading } = session.state;
          if (reading === null) return NO_COUNTS;
          const gone = new GoneProfiles(deps, session, step, signal);
          let counts = NO_COUNTS;
          let ids = await destination.idsAfter(null, IDS_AT_ONCE);
          while (ids.length > 0) {
            signal.throwIfAborted();
            // Ledger and destination each look at their part at the same time.
            const [unread, next] = await Promise.all([
              unreadProfiles(db, sync.accountId, ids, reading.beganInLedger),
              ids.length < IDS_AT_ONCE ? [] : destination.idsAfter(ids.at(-1) ?? null, IDS_AT_ONCE),
            ]);
            counts = sumOf(counts, await gone.lookUp(unread, session.state));
            await noteSynced(db, step.runId, NO_COUNTS);
            ids = next;
          }
          await noteMirror(sync.accountId, reading.beganInLedger);
          const { state } = session;
          await session.move({
            ...state,
            reading: null,
            listsIn: reading.lists?.isOver === true ? reading.lists.in : null,
            wholeAt: reading.began,
            wholeAtInLedger: reading.beganInLedger,
          });
          return counts;
        }),
      );
    },

    /** Writes all rows into the folder of the sync, whole or not at all. */
    async writeFiles(step: SyncStep): Promise<void> {
      await whileHeartbeating(() =>
        withSession(deps, step, async ({ sync, destination }) => {
          const { to } = sync.settings;
          if (to.kind !== 'files') return;
          await exportSnapshot(destination, to);
          await noteSynced(db, step.runId, NO_COUNTS);
        }),
      );
    },

    /** Ends the run in the ledger. @returns what a sweep found that should have been noticed before */
    async endSync(step: SyncStep & { readonly failure: string | null }): Promise<Drift> {
      await endSyncRun(db, step.runId, step.failure);
      const run = (await syncRuns(db, step.syncId, 100)).find(({ id }) => id === step.runId);
      return run?.drift ?? {};
    },
  };

  /** Everybody is remembered now, unless changes were missed since the reading began. */
  async function noteMirror(accountId: string, beganInLedger: string): Promise<void> {
    if (!(await isWholeSince(db, accountId, beganInLedger))) return;
    await completeMirror(db, accountId, beganInLedger);
  }
}

/**
 * Nobody is erased from tables that a sync does not have. When it has one of them again, all that is left
 * there of such people goes first.
 */
async function takeUp(session: SyncSession): Promise<void> {
  const { state, destination, sync } = session;
  const beside = tablesBeside(sync.settings);
  const { history = null, lists = null } = state.beside ?? {};
  if (beside.history === history && beside.lists === lists) return;
  await destination.removeStrays();
  await session.move({ ...state, beside });
}

/** What has to be read before the changes; null if nothing has. */
function wholeReading(
  { reading, wholeAt, changesUntil, listsIn }: SyncState,
  full: boolean,
  settings: Pick<SyncSettings, 'to' | 'sweepEveryMs'>,
  nowMs: number,
): WholeReading | null {
  if (reading !== null) return reading.whole;
  if (wholeAt === null || changesUntil === null) return 'first';
  const { sweepEveryMs } = settings;
  const isDue = sweepEveryMs !== null && nowMs - Date.parse(wholeAt) >= sweepEveryMs;
  // Its table of lists has nothing yet.
  const hasNoLists = listsInOf(settings) !== null && listsIn !== listsInOf(settings);
  return full || isDue || hasNoLists ? 'sweep' : null;
}

function before(datetime: string, byMs: number): string {
  return new Date(Date.parse(datetime) - byMs).toISOString();
}
