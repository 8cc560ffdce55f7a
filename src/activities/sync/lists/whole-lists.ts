import { NO_COUNTS, sumOf, type SyncCounts, type SyncStep } from '../../../contracts/sync.js';
import type { NoticedBy } from '../../../destinations/destination.js';
import { ListNotFoundError, type Membership } from '../../../klaviyo/index.js';
import type { SyncDependencies } from '../../dependencies.js';
import { Persistence } from '../../temporal/persistence.js';
import { klaviyosTime } from '../read-changes.js';
import type { SyncSession } from '../session.js';
import { listsInOf, type ListsReadingState, type SyncState } from '../state.js';
import { WindowReader } from '../window-reader.js';
import { wholeWindow, type Window } from '../windows.js';
import { endOfList, goneLists } from './gone-lists.js';
import { MemberSink, NOTHING_READ } from './member-sink.js';

type CurrentList = NonNullable<ListsReadingState['list']>;

/**
 * Reads all lists as a whole, one after the other in the order of their ids. A list that was created
 * since is found by who joined it.
 */
export class WholeLists {
  readonly #sink: MemberSink;
  readonly #persistence: Persistence;
  /** What the sync writes memberships into; null if it writes none. */
  readonly #in: string | null;

  constructor(
    private readonly deps: SyncDependencies,
    private readonly session: SyncSession,
    step: SyncStep,
    private readonly signal: AbortSignal,
  ) {
    this.#sink = new MemberSink(deps, session, step.runId, signal);
    this.#persistence = new Persistence(signal);
    this.#in = listsInOf(session.sync.settings);
  }

  get windows(): readonly Window[] {
    return this.#progress()?.list?.windows ?? [];
  }

  get isOver(): boolean {
    const { reading } = this.session.state;
    return this.#in === null || reading === null || this.#progress()?.isOver === true;
  }

  /** Reads on, once all profiles were read: nobody is on a list whose profile is not known. */
  async read(until: () => boolean): Promise<SyncCounts> {
    let counts = NO_COUNTS;
    const profiles = this.session.state.reading?.windows ?? [];
    if (this.isOver || profiles.length > 0) return counts;
    const shown = await this.#persistence.whileShort(() =>
      this.deps.klaviyo.listLists({ signal: this.signal }),
    );
    const lists = new Map(shown.map(({ id, name }) => [id, name]));
    for (const id of [...lists.keys()].sort(byCodeUnits)) {
      if (id <= (this.#progress()?.after ?? '')) continue;
      if (until()) return counts;
      counts = sumOf(counts, await this.#readList(id, lists.get(id) ?? null, until));
      // Its reading was interrupted, maybe before its first page.
      if (this.#progress()?.after !== id) return counts;
    }
    const held = await this.session.destination.heldLists();
    const notShown = [...held.keys()].filter((id) => !lists.has(id));
    const ends = await goneLists(this.deps.klaviyo, this.session, notShown, this.signal);
    return sumOf(counts, await this.#write(ends, { isOver: true, list: null }));
  }

  async #readList(id: string, name: string | null, until: () => boolean): Promise<SyncCounts> {
    let counts = NO_COUNTS;
    const list = await this.#begun(id);
    const { klaviyo } = this.deps;
    const reader = new WindowReader<Membership>(
      {
        async read(page, signal) {
          const query = { listId: id, by: 'joined', ...page } as const;
          const { members, next } = await klaviyo.readMemberships(query, { signal });
          return { items: members, next };
        },
        dateOf: ({ joinedAt }) => joinedAt,
      },
      list.windows,
    );
    const read = { ...NOTHING_READ, listId: id, listName: name, isRemembered: true };
    const ends = { after: id, list: null };
    try {
      for await (const { pages, windows } of reader.pages(this.signal, until)) {
        const members = this.#sink.membersOf(pages);
        const isRead = windows.length === 0;
        const whole = isRead ? { since: list.beganInLedger, joinedBefore: list.began } : null;
        const next = isRead ? ends : { list: { ...list, windows: [...windows] } };
        counts = sumOf(counts, await this.#write([{ ...read, members, whole }], next));
      }
      return counts;
    } catch (error) {
      if (!(error instanceof ListNotFoundError)) throw error;
      // It was deleted meanwhile.
      return sumOf(counts, await this.#write([endOfList(this.session, id)], ends));
    }
  }

  /** The reading of a list that goes on, or begins. */
  async #begun(id: string): Promise<CurrentList> {
    const current = this.#progress()?.list ?? null;
    if (current?.id === id) return current;
    // The ledger's time first: who is read later was not read before it.
    const beganInLedger = this.session.timeOf(performance.now());
    const began = await klaviyosTime(this.deps, this.signal);
    return { id, began, beganInLedger, windows: [wholeWindow(began)] };
  }

  #write(
    lists: Parameters<MemberSink['write']>[0],
    next: Partial<ListsReadingState>,
  ): Promise<SyncCounts> {
    const noticedBy: NoticedBy =
      this.session.state.reading?.whole === 'first' ? 'first_run' : 'sweep';
    return this.#sink.write(lists, noticedBy, (state): SyncState => {
      const { reading } = state;
      if (reading === null) throw new Error('Lists are read in a reading of the whole account.');
      const before = this.#progress() ?? NOT_BEGUN;
      const after = { ...before, ...next, in: this.#in ?? '' };
      return { ...state, reading: { ...reading, lists: after } };
    });
  }

  /** Null if nothing was read into what the sync writes memberships into. */
  #progress(): ListsReadingState | null {
    const lists = this.session.state.reading?.lists ?? null;
    return lists?.in === this.#in ? lists : null;
  }
}

const NOT_BEGUN = { after: '', list: null, isOver: false } as const;

function byCodeUnits(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
