import { toMirrored } from '../../consent/mirrored.js';
import { CALL_LIMITS } from '../../contracts/limits.js';
import {
  MEMBERSHIPS,
  NO_COUNTS,
  sumOf,
  type Drift,
  type SyncCounts,
} from '../../contracts/sync.js';
import type { NoticedBy, ReadRecord, Written } from '../../destinations/destination.js';
import { noteSynced, rememberPeople } from '../../ledger/index.js';
import type { SyncDependencies } from '../dependencies.js';
import { isFilled, noteLagsOf } from './lags.js';
import { latestOf } from './latest.js';
import { profilesOf, type ReadPage } from './profiles-of.js';
import type { SyncSession } from './session.js';
import type { SyncState } from './state.js';

/** Where everything goes that is read of the account's people: its mirror, and the destination. */
export class Sinks {
  constructor(
    private readonly deps: SyncDependencies,
    private readonly session: SyncSession,
    private readonly runId: string,
    private readonly signal: AbortSignal,
  ) {}

  /** @param state what the marker keeps from now on */
  async write(
    pages: readonly ReadPage[],
    noticedBy: NoticedBy,
    state: SyncState,
  ): Promise<SyncCounts> {
    await this.remember(pages);
    return this.writeRemembered(pages, noticedBy, state);
  }

  /**
   * Writes pages into the mirror, which comes first: one that is ahead of the marker does no harm, one
   * that misses somebody does.
   */
  async remember(pages: readonly ReadPage[]): Promise<void> {
    await rememberPeople(this.deps.ledger.db, this.session.sync.accountId, {
      profiles: latestOf(pages).flatMap(({ profiles }) => profiles.map(toMirrored)),
      addresses: [],
      readAt: this.session.ledgerTimeOf(beganMs(pages)),
    });
  }

  /** Writes pages that the mirror has into the destination. */
  async writeRemembered(
    pages: readonly ReadPage[],
    noticedBy: NoticedBy,
    state: SyncState,
  ): Promise<SyncCounts> {
    const written = await this.session.write(
      {
        records: recordsOf(pages, (ms) => this.session.timeOf(ms)),
        readAt: this.session.timeOf(beganMs(pages)),
        noticedBy,
        // Also what changes show while the table is being filled.
        isFirst: state.reading?.whole === 'first',
      },
      state,
    );
    const counts = countsOf(profilesIn(pages), written);
    await noteSynced(this.deps.ledger.db, this.runId, counts, driftOf(written, noticedBy, state));
    await noteLagsOf(this.deps, this.session, this.runId, written);
    return sumOf(counts, await this.#again(written.readAgain, noticedBy));
  }

  /** Profiles that were read too early to be sure of them. */
  async #again(ids: readonly string[], noticedBy: NoticedBy): Promise<SyncCounts> {
    let counts = NO_COUNTS;
    for (let at = 0; at < ids.length; at += CALL_LIMITS.lookUp) {
      const asked = ids.slice(at, at + CALL_LIMITS.lookUp);
      const page = await profilesOf(this.deps, asked, this.signal);
      if (page.profiles.length === 0) continue;
      counts = sumOf(counts, await this.write([page], noticedBy, this.session.state));
    }
    return counts;
  }
}

function profilesIn(pages: readonly ReadPage[]): number {
  return pages.reduce((sum, { profiles }) => sum + profiles.length, 0);
}

/** When the first of these pages was asked for, as `performance.now()`. */
function beganMs(pages: readonly ReadPage[]): number {
  return Math.min(...pages.map((page) => page.beganMs));
}

function recordsOf(pages: readonly ReadPage[], timeOf: (ms: number) => string): ReadRecord[] {
  return latestOf(pages).map(({ record, beganMs }) => ({ ...record, readAt: timeOf(beganMs) }));
}

export function countsOf(read: number, { added, changed, removed, members }: Written): SyncCounts {
  const [membersJoined, membersLeft] = [members?.joinedAt.length ?? 0, members?.left ?? 0];
  return { read, added, changed, removed, membersJoined, membersLeft };
}

/**
 * What a sweep noticed that should have been noticed before, by what changed. What has no time of its
 * own counts too, as `… (undated)`: it may have happened since.
 */
export function driftOf(
  { changes, members }: Written,
  noticedBy: NoticedBy,
  state: SyncState,
): Drift {
  const until = state.reading?.noticedUntil ?? null;
  if (noticedBy !== 'sweep' || until === null) return {};
  const drift: Record<string, number> = {};
  const ofLists = isFilled(state, noticedBy) ? members : null;
  const joined = ofLists?.joinedAt ?? [];
  const left = Array<null>(ofLists?.left ?? 0).fill(null);
  const noticed = [
    ...changes,
    ...[...joined, ...left].map((happenedAt) => ({ thing: MEMBERSHIPS, happenedAt })),
  ];
  for (const { thing, happenedAt } of noticed) {
    if (happenedAt !== null && Date.parse(happenedAt) > Date.parse(until)) continue;
    const key = happenedAt === null ? `${thing} (undated)` : thing;
    drift[key] = (drift[key] ?? 0) + 1;
  }
  return drift;
}
