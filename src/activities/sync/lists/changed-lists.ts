import pLimit from 'p-limit';
import { NO_COUNTS, sumOf, type SyncCounts, type SyncStep } from '../../../contracts/sync.js';
import type { ListBatch, NoticedBy } from '../../../destinations/destination.js';
import {
  chunkLookUps,
  ListNotFoundError,
  type FeedEvent,
  type LookUpField,
  type MembershipsPage,
  type MembershipsQuery,
} from '../../../klaviyo/index.js';
import type { SyncDependencies } from '../../dependencies.js';
import { Persistence } from '../../temporal/persistence.js';
import type { SyncSession } from '../session.js';
import type { WindowItems } from '../window-reader.js';
import { goneLists } from './gone-lists.js';
import { MemberSink, NOTHING_READ } from './member-sink.js';

/** Somebody who left a list, by an event that Klaviyo wrote. */
export type Leaver = Pick<FeedEvent, 'profileId' | 'email' | 'phoneNumber' | 'listName'>;

/** Lists that are asked at once; the limiter decides how fast that goes. */
const LISTS_AT_ONCE = 8;

/** Pages of one list that are written at once. */
const PAGES_AT_ONCE = 20;

/** Identifiers by which a list is asked for somebody, as Klaviyo has them. */
interface Named {
  readonly profileId: string;
  readonly email: string | null;
  readonly phoneNumber: string | null;
}

/**
 * Reads who joined lists and who left them since a time. Klaviyo shows everybody who joined, by the
 * date; of those who left, only whoever unsubscribed from a list has an event.
 */
export class ChangedLists {
  readonly #sink: MemberSink;
  readonly #persistence: Persistence;
  /** One transaction at a time. */
  readonly #alone = pLimit(1);
  #counts: SyncCounts = NO_COUNTS;

  constructor(
    private readonly deps: SyncDependencies,
    private readonly session: SyncSession,
    step: SyncStep,
    private readonly signal: AbortSignal,
  ) {
    this.#sink = new MemberSink(deps, session, step.runId, signal);
    this.#persistence = new Persistence(signal);
  }

  /** @param since Klaviyo's datetime */
  async read(since: string, leavers: readonly Leaver[]): Promise<SyncCounts> {
    const shown = await this.#persistence.whileShort(() =>
      this.deps.klaviyo.listLists({ signal: this.signal }),
    );
    const names = new Map(shown.map(({ id, name }) => [id, name]));
    await this.#writeLists(names);
    const limit = pLimit(LISTS_AT_ONCE);
    await Promise.all([...names].map(([id, name]) => limit(() => this.#joined(id, name, since))));
    for (const [id, people] of await this.#leftOf(names, leavers)) {
      await this.#ask(id, names.get(id) ?? null, people);
    }
    return this.#counts;
  }

  /** Lists that have another name, and those that are gone. */
  async #writeLists(names: ReadonlyMap<string, string | null>): Promise<void> {
    const held = await this.session.destination.heldLists();
    const notShown = [...held.keys()].filter((id) => !names.has(id));
    const ends = await goneLists(this.deps.klaviyo, this.session, notShown, this.signal);
    const renamed = [...held].flatMap(([listId, before]): ListBatch[] => {
      const listName = names.get(listId);
      if (listName === undefined || listName === before) return [];
      return [{ ...NOTHING_READ, listId, listName, isRenamed: true }];
    });
    if (ends.length + renamed.length > 0) await this.#write([...ends, ...renamed], 'updated');
  }

  async #joined(listId: string, listName: string | null, since: string): Promise<void> {
    let pages: WindowItems<MembershipsPage['members'][number]>[] = [];
    const write = async (): Promise<void> => {
      const members = this.#sink.membersOf(pages);
      pages = [];
      if (members.length === 0) return;
      await this.#write([{ ...NOTHING_READ, listId, listName, members }], 'updated');
    };
    for (let cursor: string | null = null; ;) {
      const query = { listId, by: 'joined_since', since, cursor } as const;
      const { page, beganMs }: Answered = await this.#page(query);
      pages.push({ items: page.members, beganMs });
      cursor = page.next;
      if (cursor === null || pages.length === PAGES_AT_ONCE) await write();
      if (cursor === null) return;
    }
  }

  /** By list: who is on it in the destination, and left one of that name. */
  async #leftOf(
    names: ReadonlyMap<string, string | null>,
    leavers: readonly Leaver[],
  ): Promise<Map<string, Named[]>> {
    const { destination } = this.session;
    const ids = [...new Set(leavers.flatMap(({ profileId }) => profileId ?? []))];
    const held = await destination.listsOf(ids);
    const rows = await destination.rowsOf([...held.keys()]);
    const left = new Map<string, Map<string, Named>>();
    for (const { profileId, email, phoneNumber, listName } of leavers) {
      if (profileId === null) continue;
      const row = rows.get(profileId) ?? {};
      const named = {
        profileId,
        email: email ?? textOf(row['email']),
        phoneNumber: phoneNumber ?? textOf(row['phone_number']),
      };
      for (const listId of held.get(profileId) ?? []) {
        // Several lists may share a name; a list that has another one by now may be any of them.
        const isMeant = [...names.values()].includes(listName)
          ? names.get(listId) === listName
          : names.has(listId);
        if (!isMeant) continue;
        const people = left.get(listId) ?? new Map<string, Named>();
        left.set(listId, people.set(profileId, named));
      }
    }
    return new Map([...left].map(([listId, people]) => [listId, [...people.values()]]));
  }

  /** Asks a list for people: an event of long ago does not say that somebody has not come back. */
  async #ask(listId: string, listName: string | null, people: readonly Named[]): Promise<void> {
    const byEmail = people.filter(({ email }) => email !== null);
    const byPhone = people.filter(
      ({ email, phoneNumber }) => email === null && phoneNumber !== null,
    );
    await this.#askBy('email', byEmail, ({ email }) => email, listId, listName);
    await this.#askBy('phone_number', byPhone, (one) => one.phoneNumber, listId, listName);
  }

  async #askBy(
    by: LookUpField,
    people: readonly Named[],
    valueOf: (one: Named) => string | null,
    listId: string,
    listName: string | null,
  ): Promise<void> {
    for (const values of chunkLookUps(by, [
      ...new Set(people.flatMap((one) => valueOf(one) ?? [])),
    ])) {
      const asked = people.filter((one) => values.includes(valueOf(one) ?? ''));
      const pages: WindowItems<MembershipsPage['members'][number]>[] = [];
      for (let cursor: string | null = null; ;) {
        const query = { listId, by, values, cursor };
        const { page, beganMs }: Answered = await this.#page(query);
        pages.push({ items: page.members, beganMs });
        cursor = page.next;
        if (cursor === null) break;
      }
      const members = this.#sink.membersOf(pages);
      const found = new Set(members.map(({ profileId }) => profileId));
      const readAt = this.session.timeOf(Math.min(...pages.map(({ beganMs }) => beganMs)));
      const left = asked
        .filter(({ profileId }) => !found.has(profileId))
        .map(({ profileId }) => ({ profileId, readAt }));
      await this.#write([{ ...NOTHING_READ, listId, listName, members, left }], 'events');
    }
  }

  async #page(query: MembershipsQuery): Promise<Answered> {
    let beganMs = 0;
    try {
      const page = await this.#persistence.whileShort(() => {
        beganMs = performance.now();
        return this.deps.klaviyo.readMemberships(query, { signal: this.signal });
      });
      return { page, beganMs };
    } catch (error) {
      if (!(error instanceof ListNotFoundError)) throw error;
      // It was deleted since it was shown: nobody is on it.
      return { page: { members: [], next: null }, beganMs };
    }
  }

  async #write(lists: readonly ListBatch[], noticedBy: NoticedBy): Promise<void> {
    const counts = await this.#alone(() => this.#sink.write(lists, noticedBy, (state) => state));
    this.#counts = sumOf(this.#counts, counts);
  }
}

interface Answered {
  readonly page: MembershipsPage;
  readonly beganMs: number;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
