import type { OptIn } from '../options.js';
import { TimeIndex } from './time-index.js';

/** A list and who is on it since when. */
export class List {
  readonly byJoined = new TimeIndex((index) => this.#joined.get(index));
  readonly #joined = new Map<number, number>();

  constructor(
    readonly id: string,
    readonly name: string,
    readonly optIn: OptIn,
    /** Epoch ms. */
    readonly created: number,
  ) {}

  get size(): number {
    return this.#joined.size;
  }

  has(index: number): boolean {
    return this.#joined.has(index);
  }

  /** Epoch ms; undefined for who is not on the list. */
  joinedAt(index: number): number | undefined {
    return this.#joined.get(index);
  }

  /** Who is on the list already keeps the date of joining. */
  join(index: number, now: number): void {
    if (this.#joined.has(index)) return;
    this.#joined.set(index, now);
    this.byJoined.add(now, index, false);
  }

  leave(index: number): void {
    if (this.#joined.delete(index)) this.byJoined.removed();
  }
}

export class ListStore {
  readonly #lists = new Map<string, List>();

  add(list: List): void {
    this.#lists.set(list.id, list);
  }

  get(id: string): List | undefined {
    return this.#lists.get(id);
  }

  remove(id: string): boolean {
    return this.#lists.delete(id);
  }

  all(): List[] {
    return [...this.#lists.values()];
  }
}
