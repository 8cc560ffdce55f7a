import pLimit from 'p-limit';
import { NO_COUNTS, sumOf, type SyncCounts, type SyncStep } from '../../../contracts/sync.js';
import type { ListBatch, NoticedBy } from '../../../destinations/destination.js';
import {
  chunkLookUps,
  ListNotFoundError,
  type FeedEvent,
  type LookUpField,
  type Membership,
  type MembershipsQuery,
} from '../../../klaviyo/index.js';
import { atOnce } from '../../at-once.js';
import type { SyncDependencies } from '../../dependencies.js';
import { Persistence } from '../../temporal/persistence.js';
import { eachPage } from '../each-page.js';
import type { SyncSession } from '../session.js';
import type { WindowItems } from '../window-reader.js';
import { goneLists } from './gone-lists.js';
import { MemberSink, NOTHING_READ } from './member-sink.js';

/** Somebody who left a list, by an event that Klaviyo wrote. */
export type Leaver = Pick<FeedEvent, 'profileId' | 'email' | 'phoneNumber'>;

/** Lists that are asked at once; the limiter decides how fast that goes. */
const LISTS_AT_ONCE = 8;

/** Pages of one list that are written at once. */
const PAGES_AT_ONCE = 20;

/** Somebody who left a list, with the lists that they are on in the destination. */
interface Held {
  readonly profileId: string;
  /** As Klaviyo has them. */
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly listIds: readonly string[];
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
    await atOnce([...names], LISTS_AT_ONCE, this.signal, ([id, name], signal) =>
      this.#joined(id, name, since, signal),
    );
    const held = await this.#heldBy(leavers);
    await this.#ask('email', held, ({ email }) => email);
    await this.#ask('phone_number', held, (one) => (one.email === null ? one.phoneNumber : null));
    for (const one of held) {
      if (one.email === null && one.phoneNumber === null) await this.#askThemselves(one);
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
      return [{ ...NOTHING_READ, listId, listName }];
    });
    if (ends.length + renamed.length > 0) await this.#write([...ends, ...renamed], 'updated');
  }

  async #joined(
    listId: string,
    listName: string | null,
    since: string,
    signal: AbortSignal,
  ): Promise<void> {
    let pages: WindowItems<Membership>[] = [];
    const write = async (): Promise<void> => {
      const members = this.#sink.membersOf(pages);
      pages = [];
      if (members.length === 0) return;
      signal.throwIfAborted();
      await this.#write([{ ...NOTHING_READ, listId, listName, members }], 'updated');
    };
    await eachPage(
      (cursor) => this.#page({ listId, by: 'joined_since', since, cursor }, signal),
      async (page) => {
        pages.push(page);
        if (pages.length === PAGES_AT_ONCE) await write();
      },
    );
    await write();
  }

  /**
   * Leavers with the lists that they are on in the destination. An event has only a name of its list,
   * which another list may have by now, so each of these may be meant.
   */
  async #heldBy(leavers: readonly Leaver[]): Promise<Held[]> {
    const { destination } = this.session;
    const byId = new Map(
      leavers.flatMap((one) => (one.profileId === null ? [] : [[one.profileId, one] as const])),
    );
    const held = await destination.listsOf([...byId.keys()]);
    const rows = await destination.rowsOf([...held.keys()]);
    return [...held].map(([profileId, listIds]): Held => {
      const row = rows.get(profileId) ?? {};
      const leaver = byId.get(profileId);
      return {
        profileId,
        email: leaver?.email ?? textOf(row['email']),
        phoneNumber: leaver?.phoneNumber ?? textOf(row['phone_number']),
        listIds,
      };
    });
  }

  /** Asks lists for people: an event of long ago does not say that somebody has not come back. */
  async #ask(
    by: LookUpField,
    all: readonly Held[],
    valueOf: (one: Held) => string | null,
  ): Promise<void> {
    const people = all.filter((one) => valueOf(one) !== null);
    for (const listId of new Set(people.flatMap(({ listIds }) => listIds))) {
      const here = people.filter(({ listIds }) => listIds.includes(listId));
      const all = [...new Set(here.flatMap((one) => valueOf(one) ?? []))];
      for (const values of chunkLookUps(by, all)) {
        const asked = here.filter((one) => values.includes(valueOf(one) ?? ''));
        const pages: WindowItems<Membership>[] = [];
        await eachPage(
          (cursor) => this.#page({ listId, by, values, cursor }, this.signal),
          (page) => void pages.push(page),
        );
        const members = this.#sink.membersOf(pages);
        const found = new Set(members.map(({ profileId }) => profileId));
        const readAt = this.session.timeOf(Math.min(...pages.map(({ beganMs }) => beganMs)));
        const left = asked
          .filter(({ profileId }) => !found.has(profileId))
          .map(({ profileId }) => ({ profileId, readAt }));
        await this.#write([{ ...NOTHING_READ, listId, listName: null, members, left }], 'events');
      }
    }
  }

  /** Asks for all lists of somebody for whom no list can be asked. */
  async #askThemselves({ profileId, listIds }: Held): Promise<void> {
    let beganMs = 0;
    const on = await this.#persistence.whileShort(() => {
      beganMs = performance.now();
      return this.deps.klaviyo.listsOfProfile(profileId, { signal: this.signal });
    });
    // There is no such profile: who is gone is looked for elsewhere.
    if (on === null) return;
    const left = [{ profileId, readAt: this.session.timeOf(beganMs) }];
    const ended = listIds.filter((listId) => !on.has(listId));
    if (ended.length === 0) return;
    await this.#write(
      ended.map((listId) => ({ ...NOTHING_READ, listId, listName: null, left })),
      'events',
    );
  }

  async #page(query: MembershipsQuery, signal: AbortSignal): Promise<Answered> {
    let beganMs = 0;
    try {
      const { members, next } = await this.#persistence.whileShort(() => {
        beganMs = performance.now();
        return this.deps.klaviyo.readMemberships(query, { signal });
      });
      return { items: members, next, beganMs };
    } catch (error) {
      if (!(error instanceof ListNotFoundError)) throw error;
      // It was deleted since it was shown: nobody is on it.
      return { items: [], next: null, beganMs };
    }
  }

  async #write(lists: readonly ListBatch[], noticedBy: NoticedBy): Promise<void> {
    const counts = await this.#alone(() => this.#sink.write(lists, noticedBy, (state) => state));
    this.#counts = sumOf(this.#counts, counts);
  }
}

interface Answered extends WindowItems<Membership> {
  readonly next: string | null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
