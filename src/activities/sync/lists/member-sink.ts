import { CALL_LIMITS } from '../../../contracts/limits.js';
import { NO_COUNTS, sumOf, type SyncCounts } from '../../../contracts/sync.js';
import type { ListBatch, NoticedBy, ReadMember } from '../../../destinations/destination.js';
import type { Membership } from '../../../klaviyo/index.js';
import { noteSynced } from '../../../ledger/index.js';
import type { SyncDependencies } from '../../dependencies.js';
import { isFilled, noteLagsOf } from '../lags.js';
import { profilesOf } from '../profiles-of.js';
import type { SyncSession } from '../session.js';
import { countsOf, driftOf, Sinks } from '../sinks.js';
import type { SyncState } from '../state.js';
import type { WindowItems } from '../window-reader.js';

/** What is read of a list, if nothing else is said. */
export const NOTHING_READ = {
  members: [],
  left: [],
  whole: null,
  isRemembered: false,
} as const satisfies Partial<ListBatch>;

/** Writes who is on lists into the destination of a sync. */
export class MemberSink {
  constructor(
    private readonly deps: SyncDependencies,
    private readonly session: SyncSession,
    private readonly runId: string,
    private readonly signal: AbortSignal,
  ) {}

  /** @param state gives what the marker keeps from now on, from what it keeps before */
  async write(
    lists: readonly ListBatch[],
    noticedBy: NoticedBy,
    state: (before: SyncState) => SyncState,
  ): Promise<SyncCounts> {
    const ids = lists.flatMap(({ members }) => members.map(({ profileId }) => profileId));
    // Before what was read counts as written: else they would be missing if this process ended now.
    let counts = await this.#readUnknown([...new Set(ids)], noticedBy);
    const next = state(this.session.state);
    const written = await this.session.write(
      {
        records: [],
        lists,
        readAt: this.session.timeOf(performance.now()),
        noticedBy,
        isFirst: next.reading?.whole === 'first',
      },
      next,
    );
    const ofLists = countsOf(0, written);
    await noteSynced(this.deps.ledger.db, this.runId, ofLists, driftOf(written, noticedBy, next));
    if (isFilled(next, noticedBy)) {
      await noteLagsOf(this.deps, this.session, this.runId, written);
    }
    counts = sumOf(counts, ofLists);
    return counts;
  }

  /** A member of each page, as the destination takes them: of one that was read twice, the last reading. */
  membersOf(pages: readonly WindowItems<Membership>[]): ReadMember[] {
    const members = new Map<string, ReadMember>();
    for (const { items, beganMs } of [...pages].sort((a, b) => a.beganMs - b.beganMs)) {
      const readAt = this.session.timeOf(beganMs);
      for (const member of items) members.set(member.profileId, { ...member, readAt });
    }
    return [...members.values()];
  }

  /** Whoever is on a list and has no row is new, or was there before they were found gone. */
  async #readUnknown(ids: readonly string[], noticedBy: NoticedBy): Promise<SyncCounts> {
    let counts = NO_COUNTS;
    if (ids.length === 0) return counts;
    const unknown = await this.session.destination.unknownOf(ids);
    const sinks = new Sinks(this.deps, this.session, this.runId, this.signal);
    for (let at = 0; at < unknown.length; at += CALL_LIMITS.lookUp) {
      const asked = unknown.slice(at, at + CALL_LIMITS.lookUp);
      const page = await profilesOf(this.deps, asked, this.signal);
      if (page.profiles.length === 0) continue;
      counts = sumOf(counts, await sinks.write([page], noticedBy, this.session.state));
    }
    return counts;
  }
}
