import type { ProfileConsent } from '../klaviyo/index.js';
import {
  getListFeed,
  setListFeed,
  settleParts,
  waitingParts,
  type LedgerDb,
  type Migration,
  type Settlement,
} from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { isFeedRefused, readFeed, startOfFeed } from './feeds.js';
import { heldFor } from './guard.js';
import { ProfileIndex } from './profile-index.js';
import { provePart, readBack } from './proof.js';

/** The list is read from this long before the migration: Klaviyo's clock is not ours. */
const CLOCK_DIFFERENCE_MS = 10 * 60_000;

/** The cheapest proof of a historical subscribe into a list: who joined it, 100 a page. */
export class MemberProofs {
  /** Migrations whose list may not be read like this: their people are looked up instead. */
  readonly #unreadable = new Set<string>();

  constructor(private readonly deps: ActivityDependencies) {}

  /**
   * Reads who joined the run's list since the last read, and settles what that proves.
   *
   * @returns whether the list can be read like this at all. Klaviyo refuses a time that its own
   *   clock has not reached, as it is where ours is ahead by more than the difference allowed for.
   */
  async read(migration: Migration, signal: AbortSignal): Promise<boolean> {
    const { id, settings } = migration;
    if (settings.listId === null || this.#unreadable.has(id)) return false;
    try {
      await this.#readFeed(migration, settings.listId, signal);
      return true;
    } catch (error) {
      if (!isFeedRefused(error)) throw error;
      this.#unreadable.add(id);
      return false;
    }
  }

  async #readFeed(
    { id, createdAt }: Migration,
    listId: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { ledger, klaviyo } = this.deps;
    const place = (await getListFeed(ledger.db, id)) ?? startOfFeed(createdAt, CLOCK_DIFFERENCE_MS);
    const next = await readFeed<ProfileConsent>(place, {
      async read(joinedSince, cursor) {
        const page = await klaviyo.listMembers({ listId, joinedSince, cursor }, { signal });
        return { items: page.profiles, next: page.next };
      },
      timeOf: ({ joinedAt }) => joinedAt,
      settle: (profiles) => settleMembers(ledger.db, id, profiles),
    });
    if (next !== place) await setListFeed(ledger.db, id, next);
  }
}

async function settleMembers(
  db: LedgerDb,
  migrationId: string,
  profiles: readonly ProfileConsent[],
): Promise<void> {
  if (profiles.length === 0) return;
  const members = new ProfileIndex();
  for (const profile of profiles) members.add(profile);
  const waiting = await waitingParts(
    db,
    migrationId,
    profiles.flatMap((profile) => profile.email?.toLowerCase() ?? []),
    profiles.flatMap((profile) => profile.phoneNumber ?? []),
  );
  const settlements = waiting.flatMap((part): Settlement[] => {
    const { rowNumber, channel } = part;
    const held = {
      byEmail: members.byEmail(part.email),
      byPhone: members.byPhone(part.phoneNumber),
    };
    const profile = channel === 'list' ? (held.byEmail ?? held.byPhone) : heldFor(channel, held);
    if (profile === null) return [];
    const verdict = provePart(part, profile, true);
    if (verdict === null) return [];
    const read = readBack(channel, profile);
    return [{ rowNumber, channel, ...verdict, ...read, evidence: 'list_members' }];
  });
  await settleParts(db, migrationId, settlements);
}
