import { hash } from 'node:crypto';

/** The first 64 bits of a SHA-256, as two signed 32-bit numbers. */
export interface Digest {
  readonly high: number;
  readonly low: number;
}

export function digestOf(text: string): Digest {
  // One character per byte: without a buffer it takes half the time.
  const bytes = hash('sha256', text, 'binary');
  return { high: int32(bytes, 0), low: int32(bytes, 4) };
}

function int32(bytes: string, at: number): number {
  const byte = (n: number) => bytes.charCodeAt(at + n);
  return byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24);
}

/** What is kept of an identifier, each a number of 32 bits. */
const HIGH = 0;
const LOW = 1;
/** Another identifier of its group, nearer to the one that stands for the group; that one has itself. */
const GROUP = 2;
const SUM_HIGH = 3;
const SUM_LOW = 4;
const ROWS = 5;
const MARK = 6;
const WIDTH = 7;

const FIRST_SLOTS = 2_048;

/**
 * Identifiers in groups: those that a row has together are in one, and so are all that are connected
 * through further rows. Of each group, the statements are summed up, so that two sets of statements can
 * be compared without keeping them. In arrays of numbers, without text and without an object per
 * identifier: 36 to 72 bytes each.
 *
 * Two identifiers with one digest become one: then more rows belong together than have to.
 */
export class IdentifierGroups {
  #cells = new Int32Array((FIRST_SLOTS / 2) * WIDTH);
  /** By digest: the number of an identifier, plus 1; 0 is free. At most half of them are used. */
  #slots = new Int32Array(FIRST_SLOTS);
  #size = 0;

  /** How many identifiers have a number: they are numbered 0, 1, 2, ... as they come. */
  get size(): number {
    return this.#size;
  }

  /** The number of an identifier; one that has none gets the next. */
  numberOf({ high, low }: Digest): number {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    const slot = this.#slotOf(high, low);
    const known = this.#slots[slot]!;
    if (known !== 0) return known - 1;
    const number = this.#size;
    this.#size += 1;
    this.#slots[slot] = this.#size;
    this.#cells[number * WIDTH + HIGH] = high;
    this.#cells[number * WIDTH + LOW] = low;
    this.#cells[number * WIDTH + GROUP] = number;
    return number;
  }

  /** Puts two identifiers, by their numbers, into one group. */
  join(a: number, b: number): void {
    const one = this.#groupOf(a);
    const other = this.#groupOf(b);
    this.#cells[Math.max(one, other) * WIDTH + GROUP] = Math.min(one, other);
  }

  /** Adds a statement of an identifier's group, or takes it away again. */
  add(number: number, { high, low }: Digest, times: 1 | -1): void {
    this.#change(number, SUM_HIGH, times * high);
    this.#change(number, SUM_LOW, times * low);
  }

  /** Counts a row of an identifier's group. */
  countRow(number: number): void {
    this.#change(number, ROWS, 1);
  }

  /** Makes an identifier's group uneven, whatever its statements are. */
  mark(number: number): void {
    this.#cells[number * WIDTH + MARK] = 1;
  }

  /** Call when everything is joined and added, before asking about groups. Call it once. */
  sumUp(): void {
    for (let number = 0; number < this.#size; number += 1) {
      const group = this.#groupOf(number);
      if (group === number) continue;
      const at = number * WIDTH;
      for (const field of [SUM_HIGH, SUM_LOW, ROWS, MARK]) {
        this.#change(group, field, this.#cells[at + field]!);
      }
    }
  }

  /** Whether more statements of an identifier's group were added or taken away, or it is marked. */
  isUneven(number: number): boolean {
    const at = this.#groupOf(number) * WIDTH;
    const cells = this.#cells;
    return cells[at + SUM_HIGH] !== 0 || cells[at + SUM_LOW] !== 0 || cells[at + MARK] !== 0;
  }

  /** The counted rows of all uneven groups. */
  unevenRows(): number {
    let rows = 0;
    for (let number = 0; number < this.#size; number += 1) {
      const at = number * WIDTH;
      if (this.#cells[at + GROUP] !== number || !this.isUneven(number)) continue;
      rows += this.#cells[at + ROWS]!;
    }
    return rows;
  }

  /** Sums wrap around, as those of 32-bit numbers do. */
  #change(number: number, field: number, by: number): void {
    const at = number * WIDTH + field;
    this.#cells[at] = (this.#cells[at]! + by) | 0;
  }

  #groupOf(number: number): number {
    const cells = this.#cells;
    let at = number;
    for (;;) {
      const next = cells[at * WIDTH + GROUP]!;
      if (next === at) return at;
      // The path is halved on the way, so that it stays short.
      const beyond = cells[next * WIDTH + GROUP]!;
      cells[at * WIDTH + GROUP] = beyond;
      at = beyond;
    }
  }

  #slotOf(high: number, low: number): number {
    const last = this.#slots.length - 1;
    for (let slot = low & last; ; slot = (slot + 1) & last) {
      const number = this.#slots[slot]! - 1;
      const at = number * WIDTH;
      if (number < 0) return slot;
      if (this.#cells[at + HIGH] === high && this.#cells[at + LOW] === low) return slot;
    }
  }

  #grow(): void {
    const cells = new Int32Array(this.#cells.length * 2);
    cells.set(this.#cells);
    this.#cells = cells;
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let number = 0; number < this.#size; number += 1) {
      const slot = this.#slotOf(cells[number * WIDTH + HIGH]!, cells[number * WIDTH + LOW]!);
      this.#slots[slot] = number + 1;
    }
  }
}
