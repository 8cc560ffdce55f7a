import type {
  NoticedBy,
  Batch,
  Destination,
  Marker,
  Written,
} from '../../destinations/destination.js';
import { DestinationError } from '../../destinations/destination.js';
import type { SyncStep } from '../../contracts/sync.js';
import { getSync, noteGeneration, secretOf, syncRuns, type Sync } from '../../ledger/index.js';
import type { SyncDependencies } from '../dependencies.js';
import { SyncDiffersError } from './errors.js';
import { NEW_STATE, parseState, type SyncState } from './state.js';

/** What a write is about, besides its profiles. */
export interface Writing {
  readonly records: Batch['records'];
  readonly gone?: Batch['gone'];
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

  private constructor(
    private readonly deps: SyncDependencies,
    readonly sync: Sync,
    private readonly runId: string,
    readonly destination: Destination,
    marker: Marker | null,
    adopts: boolean,
  ) {
    this.#state = marker === null || adopts ? NEW_STATE : parseState(marker.state);
    this.#generation = marker?.generation ?? 0;
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
    const sync = await getSync(db, syncId);
    const destination = await deps.openDestination(sync.settings.to, () => secretOf(db, runId));
    try {
      if (prepares) await destination.prepare();
      const marker = await destination.marker();
      requireAccount(deps, sync, marker, destination.shown);
      const generation = adopts
        ? (marker?.generation ?? 0)
        : await agreed(deps, sync, marker, destination.shown);
      if (generation !== sync.generation) await noteGeneration(db, syncId, generation);
      return new SyncSession(deps, sync, runId, destination, marker, adopts);
    } catch (error) {
      await destination.close();
      throw error;
    }
  }

  get state(): SyncState {
    return this.#state;
  }

  /** Writes people and the new state in one transaction, then tells the ledger. */
  async write(writing: Writing, state: SyncState): Promise<Written> {
    const marker: Marker = {
      syncId: this.sync.id,
      accountId: this.sync.accountId,
      generation: this.#generation + 1,
      runId: this.runId,
      sweptAt: state.wholeAt,
      state,
    };
    const batch: Batch = { gone: [], ...writing };
    const written = await this.destination.write(batch, marker, this.#generation);
    this.#generation = marker.generation;
    this.#state = state;
    await noteGeneration(this.deps.ledger.db, this.sync.id, marker.generation);
    return written;
  }

  /** Writes the state alone. */
  async move(state: SyncState): Promise<void> {
    await this.write(
      { records: [], readAt: new Date().toISOString(), noticedBy: 'look_up', isFirst: false },
      state,
    );
  }

  close(): Promise<void> {
    return this.destination.close();
  }
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

/**
 * The generation on which both agree. The destination may be one ahead: then a worker ended between
 * its transaction and the ledger's.
 *
 * @throws SyncDiffersError
 */
async function agreed(
  { ledger }: SyncDependencies,
  sync: Sync,
  marker: Marker | null,
  shown: string,
): Promise<number> {
  if (marker === null) {
    if (sync.generation === 0) return 0;
    throw differs(
      shown,
      'has no marker of this sync, although the ledger says that it was written to: ' +
        'it was emptied, or restored from a backup of before',
    );
  }
  if (marker.syncId !== sync.id) {
    throw differs(
      shown,
      'was written by a sync that this ledger does not know: the ledger is another one, or was lost',
    );
  }
  if (marker.generation === sync.generation) return sync.generation;
  const runs = await syncRuns(ledger.db, sync.id, 1_000);
  const isOurs = runs.some(({ id }) => id === marker.runId);
  if (marker.generation === sync.generation + 1 && isOurs) return marker.generation;
  throw differs(
    shown,
    marker.generation < sync.generation
      ? `is older than the ledger says (${marker.generation} transactions, not ${sync.generation}): it was restored from a backup`
      : `is newer than the ledger says (${marker.generation} transactions, not ${sync.generation}): the ledger was restored from a backup`,
  );
}

function differs(shown: string, why: string): SyncDiffersError {
  return new SyncDiffersError(
    `${shown} ${why}. Nothing was written. 'consentry sync reset' reads the whole account again and ` +
      'compares every row; no row is deleted by that.',
  );
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
