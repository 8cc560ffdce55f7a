import type { Clock } from './clock.js';

interface Entry {
  due: number;
  /** First in, first out among entries with the same moment. */
  readonly order: number;
  /** Runs what is due and returns when this entry is due again; null when it is done. */
  readonly run: () => number | null;
}

/**
 * Resolution of the timer, so that a thousand rows of one request do not need a thousand timers.
 */
const TICK_MS = 5;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Everything that happens later: one heap and one timer, however many people wait. */
export class Scheduler {
  readonly #clock: Clock;
  readonly #heap: Entry[] = [];
  #orders = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Infinity;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `effect` at `due` on the clock's `now`. */
  at(due: number, effect: () => void): void {
    this.#push(due, () => {
      effect();
      return null;
    });
  }

  /** Runs `effect(i)` at `dues[i]` for each `i`, with one heap entry for all of them. */
  each(dues: Float64Array, effect: (i: number) => void): void {
    const inOrder = Uint32Array.from(dues, (_, i) => i).sort((a, b) => dues[a]! - dues[b]!);
    if (inOrder.length === 0) return;
    let at = 0;
    this.#push(dues[inOrder[0]!]!, () => {
      effect(inOrder[at]!);
      at += 1;
      return at < inOrder.length ? dues[inOrder[at]!]! : null;
    });
  }

  /** Applies what is due. Called by the timer, and before every read so that none is stale. */
  runDue(): void {
    this.runUntil(this.#clock.now(), Infinity);
  }

  /**
   * Applies what is due by `moment`, but stops after `budgetMs` of real time. Returns how far it
   * got: `moment` if nothing is left, else when the last applied entry was due.
   */
  runUntil(moment: number, budgetMs: number): number {
    const stop = performance.now() + budgetMs;
    let reached = moment;
    for (let top = this.#heap[0]; top !== undefined && top.due <= moment; top = this.#heap[0]) {
      this.#remove();
      const { due } = top;
      let next: number | null = null;
      this.#clock.at(due, () => {
        next = top.run();
      });
      if (next !== null) this.#insert({ ...top, due: next });
      if (performance.now() >= stop) {
        reached = due;
        break;
      }
    }
    this.#arm();
    return reached;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#heap.length = 0;
  }

  #push(due: number, run: () => number | null): void {
    if (this.#closed) return;
    this.#orders += 1;
    this.#insert({ due, order: this.#orders, run });
    this.#arm();
  }

  #arm(): void {
    const due = this.#heap[0]?.due ?? Infinity;
    if (this.#closed || due === this.#timerDue) return;
    clearTimeout(this.#timer);
    this.#timerDue = due;
    if (due === Infinity) return;
    const wait = Math.min(Math.max(due - this.#clock.now(), TICK_MS), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#timerDue = Infinity;
      this.runDue();
    }, wait);
    this.#timer.unref();
  }

  #insert(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #remove(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
