import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { KlaviyoRefusedError } from '../../klaviyo/index.js';
import { Persistence } from '../temporal/persistence.js';
import { afterPage, firstPage, nextPage, split, type Window, type WindowPage } from './windows.js';

/**
 * Pages read at once. An answer takes 0.6 s, and the limits allow 12 pages a second, but those of a
 * minute may be read as fast as answers come. More of them would take more memory than they save time.
 */
const READERS = 16;

/** Items that wait to be written before the readers pause. Each is garbage that lives for long. */
const MOST_WAITING = 2_000;

const LOOK_AGAIN_MS = 20;

/** What is read in windows: profiles of an account, or members of a list. */
export interface WindowSource<Item> {
  read(
    page: WindowPage,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly Item[]; readonly next: string | null }>;
  /** Klaviyo's datetime by which it is in a window; null if it does not say. */
  dateOf(item: Item): string | null;
}

export interface WindowItems<Item> {
  readonly items: readonly Item[];
  /** When they were asked for, as `performance.now()`. */
  readonly beganMs: number;
}

/** Pages that were read, and where that leaves the windows. */
export interface WindowPages<Item> {
  readonly pages: readonly WindowItems<Item>[];
  /** What is left after these pages. */
  readonly windows: readonly Window[];
}

/** A window that is being read. */
interface Open {
  window: Window;
  /** What is written of it; null once all of it is. */
  written: Window | null;
  isTaken: boolean;
  isRead: boolean;
}

interface Waiting<Item> extends WindowItems<Item> {
  readonly open: Open;
  /** The window after these items; null at its end. */
  readonly after: Window | null;
}

/**
 * Reads windows, several at once. Whoever has none takes the later half of the
 * one with most items left. One writer takes what was read: the windows that it is given with the pages
 * are what is left once they are written.
 */
export class WindowReader<Item> {
  readonly #open: Open[];
  #waiting: Waiting<Item>[] = [];
  #readers = 0;
  #failure: Error | null = null;

  constructor(
    private readonly source: WindowSource<Item>,
    windows: readonly Window[],
  ) {
    this.#open = windows.map((window) => ({
      window,
      written: window,
      isTaken: false,
      isRead: false,
    }));
  }

  /**
   * What was read, until everything is or `until` says so; what is on its way then comes too.
   *
   * @throws what a reader threw, after everything that was read before it
   */
  async *pages(signal: AbortSignal, until: () => boolean): AsyncGenerator<WindowPages<Item>> {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    // Not a leak: each reader's calls listen until they end.
    setMaxListeners(0, either);
    const isOver = (): boolean => until() || this.#failure !== null || either.aborted;
    const readers = Array.from({ length: READERS }, () => this.#read(either, isOver));
    try {
      while (this.#readers > 0 || this.#waiting.length > 0) {
        if (this.#waiting.length === 0) await delay(LOOK_AGAIN_MS);
        else yield this.#taken();
      }
      if (this.#failure !== null) throw this.#failure;
      signal.throwIfAborted();
    } finally {
      stop.abort();
      await Promise.all(readers);
    }
  }

  #taken(): WindowPages<Item> {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { open, after } of waiting) {
      // A window that was split meanwhile ends earlier.
      open.written = after && { ...after, before: open.window.before };
    }
    return {
      pages: waiting,
      windows: this.#open.flatMap(({ written }) => written ?? []),
    };
  }

  /** One reader; its failure is kept for `pages`. */
  async #read(signal: AbortSignal, isOver: () => boolean): Promise<void> {
    this.#readers += 1;
    try {
      while (!isOver()) {
        const open = this.#take();
        if (open !== null) await this.#readWindow(open, signal, isOver);
        else if (this.#open.every(({ isRead }) => isRead)) return;
        else await delay(LOOK_AGAIN_MS);
      }
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#readers -= 1;
    }
  }

  #take(): Open | null {
    const idle = this.#open.find(({ isTaken, isRead }) => !isTaken && !isRead);
    if (idle !== undefined) {
      idle.isTaken = true;
      return idle;
    }
    const busy = this.#open.filter(({ isRead }) => !isRead);
    const found = split(busy.map(({ window }) => window));
    const halved = busy.find(({ window }) => window === found?.window);
    if (found === null || halved === undefined) return null;
    const [first, second] = found.halves;
    halved.window = first;
    if (halved.written !== null) halved.written = { ...halved.written, before: first.before };
    const open: Open = { window: second, written: second, isTaken: true, isRead: false };
    this.#open.push(open);
    return open;
  }

  async #readWindow(open: Open, signal: AbortSignal, isOver: () => boolean): Promise<void> {
    const persistence = new Persistence(signal);
    try {
      while (!isOver()) {
        while (this.#count() >= MOST_WAITING && !isOver()) await delay(LOOK_AGAIN_MS);
        let query = nextPage(open.window);
        let beganMs = performance.now();
        const read = () =>
          persistence.whileShort(() => {
            beganMs = performance.now();
            return this.source.read(query, signal);
          });
        const { items, next } = await read().catch((error: unknown) => {
          if (query.cursor === null || !(error instanceof KlaviyoRefusedError)) throw error;
          // Klaviyo no longer takes the cursor.
          query = firstPage(open.window);
          return read();
        });
        const left = afterPage(open.window, query, {
          first: this.#dateOf(items[0]),
          last: this.#dateOf(items.at(-1)),
          next,
          profiles: items.length,
        });
        if (left !== null) open.window = left;
        else open.isRead = true;
        this.#waiting.push({ open, items, beganMs, after: left });
        if (left === null) return;
      }
    } finally {
      open.isTaken = false;
    }
  }

  #count(): number {
    return this.#waiting.reduce((sum, { items }) => sum + items.length, 0);
  }

  #dateOf(item: Item | undefined): string | null {
    return item === undefined ? null : this.source.dateOf(item);
  }
}
