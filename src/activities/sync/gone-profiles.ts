import type { ProfileIndex } from '../../consent/profile-index.js';
import { profileOfRow } from '../../consent/record/profile-of-row.js';
import type { ConsentRow } from '../../consent/record/record.js';
import { foldEmail } from '../../contracts/addresses.js';
import { CALL_LIMITS } from '../../contracts/limits.js';
import { NO_COUNTS, sumOf, type SyncCounts, type SyncStep } from '../../contracts/sync.js';
import { optOutsShown } from '../../consent/judge.js';
import { fromMirrored } from '../../consent/mirrored.js';
import type { Gone } from '../../destinations/destination.js';
import type { ProfileConsent } from '../../klaviyo/index.js';
import { erasePeople, forgetProfiles, noteSynced, rememberPeople } from '../../ledger/index.js';
import type { SyncDependencies } from '../dependencies.js';
import { lookUpPeople } from '../look-ups.js';
import { lookedUpProfiles } from '../mirror/known.js';
import { Persistence } from '../temporal/persistence.js';
import { profilesOf } from './profiles-of.js';
import type { SyncSession } from './session.js';
import { countsOf, Sinks } from './sinks.js';
import type { SyncState } from './state.js';

/** Looks for profiles that Klaviyo no longer shows. Nobody is taken for gone because a reading missed them. */
export class GoneProfiles {
  readonly #persistence: Persistence;

  constructor(
    private readonly deps: SyncDependencies,
    private readonly session: SyncSession,
    private readonly step: SyncStep,
    private readonly signal: AbortSignal,
  ) {
    this.#persistence = new Persistence(signal);
  }

  /** Looks up profiles that a reading did not show: writes those that are there, and notes the others. */
  async lookUp(ids: readonly string[], state: SyncState): Promise<SyncCounts> {
    let counts = NO_COUNTS;
    const sinks = new Sinks(this.deps, this.session, this.step.runId, this.signal);
    for (let at = 0; at < ids.length; at += CALL_LIMITS.lookUp) {
      const asked = ids.slice(at, at + CALL_LIMITS.lookUp);
      const page = await profilesOf(this.deps, asked, this.signal);
      const { profiles } = page;
      if (profiles.length > 0) {
        const by = state.reading === null ? 'look_up' : 'sweep';
        counts = sumOf(counts, await sinks.write([page], by, state));
      }
      const found = new Set(profiles.map(({ record }) => record.profileId));
      counts = sumOf(
        counts,
        await this.note(
          asked.filter((id) => !found.has(id)),
          state,
        ),
      );
    }
    return counts;
  }

  /**
   * Notes that Klaviyo has no profiles with these ids. If a profile that was there beside it has its
   * address now, it was merged into that one. Else it was deleted: nothing shows the difference, and
   * whoever asked to be forgotten must not be kept.
   */
  async note(ids: readonly string[], state: SyncState): Promise<SyncCounts> {
    if (ids.length === 0) return NO_COUNTS;
    const { destination } = this.session;
    const rows = await destination.rowsOf(ids);
    if (rows.size === 0) return NO_COUNTS;
    const held = [...rows.values()];
    let askedMs = 0;
    const people = await this.#persistence.whileShort(async () => {
      askedMs = performance.now();
      const found = await lookUpPeople(
        this.deps.klaviyo,
        { emails: textsOf(held, 'email'), phoneNumbers: textsOf(held, 'phone_number') },
        this.signal,
      );
      found.throwIfShort();
      return found;
    });
    // Whoever is found under the same id is there after all: the next reading shows them.
    const there = new Set(people.profiles.map(({ id }) => id));
    const owners = new Map(
      [...rows]
        .filter(([profileId]) => !there.has(profileId))
        .map(([profileId, row]) => [profileId, ownersOf(profileId, row, people.index)]),
    );
    if (owners.size === 0) return NO_COUNTS;
    const older = await this.#areOlder(new Set([...owners.values()].flat()), state);
    const gone = [...owners].map(([profileId, ids]): Gone => ({
      profileId,
      mergedInto: ids.find((id) => older.has(id)) ?? null,
    }));
    const deleted = gone.flatMap(({ profileId, mergedInto }) =>
      mergedInto === null ? [profileId] : [],
    );
    // Before anybody is forgotten: what was read earlier adds nobody afterwards. Only a look-up shows
    // who owns an address since a merge.
    await rememberPeople(this.deps.ledger.db, this.session.sync.accountId, {
      profiles: lookedUpProfiles(people.profiles),
      addresses: [],
      readAt: this.session.ledgerTimeOf(askedMs),
    });
    // The ledger first: the destination's rows are the only ones that say whom to erase and to forget.
    await this.#erase(deleted, rows);
    await this.#forget(owners.keys(), rows);
    const written = await this.session.write(
      {
        records: [],
        gone,
        readAt: this.session.timeOf(performance.now()),
        noticedBy: 'look_up',
        isFirst: false,
      },
      state,
    );
    const counts = countsOf(0, written);
    await noteSynced(this.deps.ledger.db, this.step.runId, counts);
    return counts;
  }

  /** Makes the account's mirror forget whoever is gone: no migration may rely on them any more. */
  async #forget(ids: Iterable<string>, rows: ReadonlyMap<string, ConsentRow>): Promise<void> {
    const gone = [...ids].map((profileId) => ({
      profileId,
      email: textOf(rows.get(profileId)?.['email']),
      phoneNumber: textOf(rows.get(profileId)?.['phone_number']),
    }));
    await forgetProfiles(this.deps.ledger.db, this.session.sync.accountId, gone);
  }

  /** Erases from the ledger whoever was deleted, with all that was merged into them, unless the sync keeps them. */
  async #erase(ids: readonly string[], rows: ReadonlyMap<string, ConsentRow>): Promise<void> {
    const { destination, sync } = this.session;
    if (ids.length === 0 || sync.settings.to.onDeleted === 'keep') return;
    const merged = await destination.mergedRowsOf(ids);
    const theirs = [...ids.map((id) => [id, rows.get(id)] as const), ...merged].flatMap(
      ([profileId, row]) => (row === undefined ? [] : [{ profileId, row }]),
    );
    const now = new Date(this.session.timeOf(performance.now()));
    // An opt-out that Klaviyo did not date is taken for a new one.
    const optOutsOf = (profiles: readonly ProfileConsent[]) =>
      optOutsShown(profiles, new Date(0), now);
    await erasePeople(this.deps.ledger.db, sync.accountId, {
      people: theirs.map(({ profileId, row }) => ({
        email: textOf(row['email']),
        phoneNumber: textOf(row['phone_number']),
        profileId,
      })),
      optOuts: optOutsOf(theirs.map(({ profileId, row }) => profileOfRow(profileId, row))),
      optOutsOf: (profile) => optOutsOf([fromMirrored(profile)]),
    });
  }

  /**
   * Which of these profiles were there when the last whole reading began, as all were that a reading
   * found gone since. A newer one may be the same person, who was deleted and came back.
   */
  async #areOlder(ids: ReadonlySet<string>, { wholeAt, reading }: SyncState): Promise<Set<string>> {
    const until = wholeAt ?? reading?.began ?? null;
    const older = new Set<string>();
    if (until === null) return older;
    const all = [...ids];
    for (let at = 0; at < all.length; at += CALL_LIMITS.lookUp) {
      const asked = all.slice(at, at + CALL_LIMITS.lookUp);
      const { profiles } = await profilesOf(this.deps, asked, this.signal);
      for (const { record, created } of profiles) {
        if (created !== null && Date.parse(created) < Date.parse(until))
          older.add(record.profileId);
      }
    }
    return older;
  }
}

/**
 * Ids of other profiles that have the address of a row; its number counts if it has no address, since
 * numbers are given to others.
 */
function ownersOf(profileId: string, row: ConsentRow, index: ProfileIndex): string[] {
  const email = textOf(row['email']);
  const phoneNumber = textOf(row['phone_number']);
  const { byEmail, byPhone } = index.heldFor({ email: foldEmail(email), phoneNumber });
  return (email === null ? byPhone : byEmail).map(({ id }) => id).filter((id) => id !== profileId);
}

function textsOf(rows: readonly Readonly<Record<string, unknown>>[], name: string): string[] {
  return rows.flatMap((row) => textOf(row[name]) ?? []);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
