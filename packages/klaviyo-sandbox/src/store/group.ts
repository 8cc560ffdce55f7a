import type { Flow, Tag } from './flows-and-tags.js';
import { TimeIndex } from './events/time-index.js';

/** What lists and segments have in common: Klaviyo calls both a group, as in `joined_group_at`. */
export class Group {
  readonly byJoined = new TimeIndex((index) => this.#joined.get(index));
  readonly #joined = new Map<number, number>();
  /** Epoch ms. */
  updated: number;

  constructor(
    readonly id: string,
    public name: string,
    /** Epoch ms. */
    readonly created: number,
    /** Flows that start when somebody joins. */
    readonly flows: readonly Flow[],
    readonly tags: readonly Tag[],
  ) {
    this.updated = created;
  }

  get size(): number {
    return this.#joined.size;
  }

  /** Numbers of the members, in no particular order. */
  members(): Iterable<number> {
    return this.#joined.keys();
  }

  has(index: number): boolean {
    return this.#joined.has(index);
  }

  /** Epoch ms; undefined for non-members. */
  joinedAt(index: number): number | undefined {
    return this.#joined.get(index);
  }

  /** A member keeps the date of joining. */
  join(index: number, now: number): void {
    if (this.#joined.has(index)) return;
    this.#joined.set(index, now);
    this.byJoined.add(now, index, false);
  }

  /** Leaves no trace: somebody who comes back gets a new date. */
  leave(index: number): void {
    if (this.#joined.delete(index)) this.byJoined.removed();
  }
}

/** Groups of one kind by their ids, in order of creation. */
export class GroupStore<Kind extends Group> {
  readonly #groups = new Map<string, Kind>();

  add(group: Kind): void {
    this.#groups.set(group.id, group);
  }

  get(id: string): Kind | undefined {
    return this.#groups.get(id);
  }

  remove(id: string): boolean {
    return this.#groups.delete(id);
  }

  all(): Kind[] {
    return [...this.#groups.values()];
  }
}
