import { foldEmail } from '../../../contracts/addresses.js';
import type { ProfileConsent } from '../../../klaviyo/index.js';
import {
  getListFeed,
  setListFeed,
  settleParts,
  waitingParts,
  type LedgerDb,
  type Migration,
  type Settlement,
} from '../../../ledger/index.js';
import type { ActivityDependencies } from '../../dependencies.js';
import { isFeedRefused, readFeed, startOfFeed, type FeedRead } from './feeds.js';
import { profilesFor } from '../../../consent/person.js';
import { ProfileIndex } from '../../../consent/profile-index.js';
import { provePart, readBack } from '../../../consent/proof.js';

/** The list is read from this long before the migration: members become visible out of order. */
const CLOCK_DIFFERENCE_MS = 10 * 60_000;

/** The cheapest proof of a historical subscribe to a list: who joined it, 100 a page. */
export class MemberProofs {
  /** Migrations whose list cannot be read like this: their people are looked up instead. */
  readonly #unreadable = new Set<string>();

  constructor(private readonly deps: ActivityDependencies) {}

  /**
   * Reads who joined the run's list since the last read and settles what that proves.
   *
   * @returns `refused` if the list cannot be read like this at all
   */
  async read(migration: Migration, signal: AbortSignal): Promise<FeedRead> {
    const { id, settings } = migration;
    if (settings.listId === null || this.#unreadable.has(id)) return 'refused';
    try {
      return (await this.#readFeed(migration, settings.listId, signal)) ? 'more' : 'read';
    } catch (error) {
      if (!isFeedRefused(error)) throw error;
      this.#unreadable.add(id);
      return 'refused';
    }
  }

  async #readFeed(migration: Migration, listId: string, signal: AbortSignal): Promise<boolean> {
    const { ledger, klaviyo } = this.deps;
    const { id } = migration;
    const place =
      (await getListFeed(ledger.db, id)) ?? startOfFeed(klaviyo, migration, CLOCK_DIFFERENCE_MS);
    return readFeed<ProfileConsent>(place, {
      async read(joinedSince, cursor) {
        const page = await klaviyo.listMembers({ listId, joinedSince, cursor }, { signal });
        return { items: page.profiles, next: page.next };
      },
      timeOf: ({ joinedAt }) => joinedAt,
      settle: (profiles) => settleMembers(ledger.db, migration, profiles),
      save: (next) => setListFeed(ledger.db, id, next),
    });
  }
}

async function settleMembers(
  db: LedgerDb,
  { id: migrationId, settings }: Migration,
  members: readonly ProfileConsent[],
): Promise<void> {
  if (members.length === 0) return;
  const index = new ProfileIndex();
  for (const member of members) index.add(member);
  const waiting = await waitingParts(
    db,
    migrationId,
    members.flatMap((member) => foldEmail(member.email) ?? []),
    members.flatMap((member) => member.phoneNumber ?? []),
  );
  const settlements = waiting.flatMap((part): Settlement[] => {
    const { rowNumber, channel, known } = part;
    const profiles = profilesFor(channel, index.heldFor(part));
    if (profiles.length === 0) return [];
    const verdict = provePart(part, { ...settings, profiles, isMember: true });
    if (verdict === null) return [];
    const read = readBack(part, profiles, verdict);
    return [{ rowNumber, channel, ...verdict, ...read, known, settledBy: 'list_members' }];
  });
  await settleParts(db, migrationId, settlements);
}
