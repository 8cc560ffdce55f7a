import { setTimeout as delay } from 'node:timers/promises';
import type {
  NoticedBy,
  Batch,
  Destination,
  ListBatch,
  Marker,
  Written,
} from '../../destinations/destination.js';
import {
  AFTER_A_RESTORED_LEDGER,
  DestinationError,
  MarkerMovedError,
} from '../../destinations/destination.js';
import { refuseRestored } from '../../destinations/files/export-snapshot.js';
import type { SyncStep } from '../../contracts/sync.js';
import {
  adoptGeneration,
  getSync,
  isRunOf,
  ledgerClock,
  noteGeneration,
  noteSeen,
  secretOf,
  type LedgerClock,
  type LedgerDb,
  type Sync,
} from '../../ledger/index.js';
import type { SyncDependencies } from '../dependencies.js';
import { SyncDiffersError } from './errors.js';
import { NEW_STATE, parseState, type SyncState } from './state.js';

/** How often a run says that it is alive, however long a step takes. */
const SEEN_EVERY_MS = 60_000;

/** What a write is about, besides its profiles. */
export interface Writing {
  readonly records: Batch['records'];
  readonly gone?: Batch['gone'];
  readonly lists?: readonly ListBatch[];
  readonly readAt: string;
  readonly noticedBy: NoticedBy;
  readonly isFirst: boolean;
}

/**
 * One activity's access to the destination of a sync. Only the process whose generation is the
 * marker's can write: one that was taken for dead writes nothing any more.
 */
export class SyncSession {
  #state: SyncState;
  #generation: number;
  readonly #seeing: NodeJS.Timeout;
  /** How far the ledger's clock has gone back behind what was written, when the session began. */
  readonly #behindMs: number;

  private constructor(
    private readonly deps: SyncDependencies,
    readonly sync: Sync,
    private readonly runId: string,
    private readonly clock: LedgerClock,
    readonly destination: Destination,
    marker: Marker | null,
  ) {
    this.#state = marker === null ? NEW_STATE : parseState(marker.state);
    this.#generation = marker?.generation ?? 0;
    this.#behindMs = behind(clock, this.#state, marker?.sweptAt ?? null);
    this.#seeing = setInterval(() => {
      // If it fails, a write fails too.
      void noteSeen(deps.ledger.db, runId).catch(() => undefined);
    }, SEEN_EVERY_MS);
  }

  /**
   * Opens the destination and compares its marker with the ledger.
   *
   * @param how.adopts takes the destination as it is: the whole account is read again
   * @throws DestinationError, SyncDiffersError
   */
  static async open(
    deps: SyncDependencies,
    { syncId, runId }: SyncStep,
    { prepares = false, adopts = false }: Opening = {},
  ): Promise<SyncSession> {
    const { db } = deps.ledger;
    await noteSeen(db, runId);
    const sync = await getSync(db, syncId);
    const destination = await deps.openDestination(sync, () => secretOf(db, runId));
    try {
      if (prepares) await destination.prepare();
      let marker = await destination.marker();
      const isMoved = sync.writtenTo !== null && sync.writtenTo !== sync.destination;
      if (marker === null && isMoved) await adoptGeneration(db, syncId, 0);
      requireAccount(deps, sync, marker, destination.shown);
      if (!adopts) {
        await requireAgreement(deps, await getSync(db, syncId), destination, marker);
        const { to } = sync.settings;
        if (prepares && marker !== null && to.kind === 'files')
          await refuseRestored(to.folder, marker);
      } else {
        // Under a new generation: whoever still writes for a former run stops.
        if (marker !== null) marker = await takenOver(destination, marker, { syncId, runId });
        await adoptGeneration(db, syncId, marker?.generation ?? 0);
      }
      const clock = await ledgerClock(db);
      return new SyncSession(deps, sync, runId, clock, destination, marker);
    } catch (error) {
      await destination.close();
      throw error;
    }
  }

  get state(): SyncState {
    return this.#state;
  }

  /**
   * When something was, by the ledger's clock: the destination compares it with what other workers
   * read, and with when a whole reading began. Klaviyo's clock may be another. It is never before what
   * the destination had when the session began: only then is this read.
   *
   * @param ms as `performance.now()`
   * @returns an RFC 3339 datetime
   */
  timeOf(ms: number): string {
    return this.clock.timeOf(ms + this.#behindMs);
  }

  /**
   * The same as the ledger itself dates what it remembers: whether or not its clock has gone back.
   *
   * @param ms as `performance.now()`
   * @returns an RFC 3339 datetime
   */
  ledgerTimeOf(ms: number): string {
    return this.clock.timeOf(ms);
  }

  /** Writes people and the new state in one transaction, then tells the ledger. */
  async write(writing: Writing, state: SyncState): Promise<Written> {
    const dated: SyncState = { ...state, datedUntil: this.timeOf(performance.now()) };
    const marker: Marker = {
      syncId: this.sync.id,
      accountId: this.sync.accountId,
      generation: this.#generation + 1,
      runId: this.runId,
      sweptAt: state.wholeAtInLedger,
      state: dated,
    };
    const batch: Batch = { gone: [], ...writing };
    const written = await this.destination.write(batch, marker, this.#generation);
    this.#generation = marker.generation;
    this.#state = dated;
    await noteGeneration(this.deps.ledger.db, this.sync.id, marker.generation);
    return written;
  }

  /** Writes the state alone. */
  async move(state: SyncState): Promise<void> {
    await this.write(
      { records: [], readAt: this.timeOf(performance.now()), noticedBy: 'look_up', isFirst: false },
      state,
    );
  }

  close(): Promise<void> {
    clearInterval(this.#seeing);
    return this.destination.close();
  }
}

/** How many milliseconds a clock is behind what was dated by it, at the moment. */
function behind(clock: LedgerClock, { datedUntil }: SyncState, sweptAt: string | null): number {
  const now = Date.parse(clock.timeOf(performance.now()));
  const dated = [datedUntil, sweptAt].map((at) => (at === null ? -Infinity : Date.parse(at)));
  return Math.max(0, Math.ceil(Math.max(...dated) - now));
}

/** Begins a destination anew for a sync, also one that another sync wrote; its rows stay. */
async function takenOver(
  destination: Destination,
  { accountId, generation, sweptAt, state }: Marker,
  step: SyncStep,
): Promise<Marker> {
  const marker: Marker = {
    ...step,
    accountId,
    generation: generation + 1,
    sweptAt: null,
    // Its rows keep their times, and what is read from now on is later.
    state: { ...NEW_STATE, datedUntil: datedUntilOf(state) ?? sweptAt },
  };
  await destination.reset(marker);
  return marker;
}

/** From a marker that any version may have written. */
function datedUntilOf(state: object): string | null {
  return 'datedUntil' in state && typeof state.datedUntil === 'string' ? state.datedUntil : null;
}

interface Opening {
  /** Creates what is missing in the destination, and checks the rest. */
  readonly prepares?: boolean;
  readonly adopts?: boolean;
}

/** @throws SyncDiffersError if worker, sync and destination are not of one account */
function requireAccount(
  { accountId }: SyncDependencies,
  sync: Sync,
  marker: Marker | null,
  shown: string,
): void {
  if (sync.accountId !== accountId) {
    throw new SyncDiffersError(
      `The sync is of account ${sync.accountId}, but this worker's key is of ${accountId}. Start a worker ` +
        'with a key of that account.',
    );
  }
  if (marker !== null && marker.accountId !== sync.accountId) {
    throw new SyncDiffersError(
      `${shown} holds the consent of account ${marker.accountId}, not of ${sync.accountId}. Nothing was ` +
        'written: give this account a table of its own.',
    );
  }
}

/** A worker that was taken for dead may still write: then both move on meanwhile. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Ledger and destination speak of the same transaction; or the destination is one ahead, because a
 * worker ended between the destination's transaction and the ledger's.
 *
 * @throws SyncDiffersError; MarkerMovedError if somebody is still writing
 */
async function requireAgreement(
  { ledger }: SyncDependencies,
  sync: Sync,
  destination: Destination,
  marker: Marker | null,
): Promise<void> {
  const { db } = ledger;
  const why = await disagreement(db, sync, marker);
  if (why === null) {
    if (marker !== null) await noteGeneration(db, sync.id, marker.generation);
    return;
  }
  await delay(LOOK_AGAIN_MS);
  const again = await destination.marker();
  const { generation } = await getSync(db, sync.id);
  if (again?.generation !== marker?.generation || generation !== sync.generation) {
    throw new MarkerMovedError(`${destination.shown}: a former run is still writing there.`);
  }
  throw new SyncDiffersError(
    `${destination.shown} ${why.is}. Nothing was written. 'consentry sync reset' reads the whole account again ` +
      `and compares every row; no row is deleted by that${why.andSee}`,
  );
}

interface Disagreement {
  readonly is: string;
  /** What else there is to do, as the end of a sentence. */
  readonly andSee: string;
}

/** @returns what is wrong with the destination; null if nothing is */
async function disagreement(
  db: LedgerDb,
  { id, generation }: Sync,
  marker: Marker | null,
): Promise<Disagreement | null> {
  const ofDestination = (is: string): Disagreement => ({ is, andSee: '.' });
  const ofLedger = (is: string): Disagreement => ({ is, andSee: `; ${AFTER_A_RESTORED_LEDGER}` });
  if (marker === null) {
    return generation === 0
      ? null
      : ofDestination(
          'has no marker of this sync, although the ledger says that it was written to: it was emptied, or ' +
            'restored from a backup of before',
        );
  }
  if (marker.syncId !== id) {
    return ofLedger(
      'was written by a sync that this ledger does not know: the ledger is another one, was restored from a ' +
        'backup of before, or was lost',
    );
  }
  if (marker.generation === generation) return null;
  if (marker.generation === generation + 1 && (await isRunOf(db, id, marker.runId))) return null;
  const counts = `(${marker.generation} transactions, not ${generation})`;
  return marker.generation < generation
    ? ofDestination(`is older than the ledger says ${counts}: it was restored from a backup`)
    : ofLedger(`is newer than the ledger says ${counts}: the ledger was restored from a backup`);
}

/** Runs `work` with a session, and closes it. */
export async function withSession<T>(
  deps: SyncDependencies,
  step: SyncStep,
  work: (session: SyncSession) => Promise<T>,
  opening: Opening = {},
): Promise<T> {
  const session = await SyncSession.open(deps, step, opening);
  try {
    return await work(session);
  } finally {
    await session.close().catch((error: unknown) => {
      if (!(error instanceof DestinationError)) throw error;
    });
  }
}
