import { sql, type RawBuilder } from 'kysely';
import { blockOf } from './blocks.js';

/**
 * Row numbers of a source, as PostgreSQL's `int4multirange` writes them: `{[1,5),[7,9)}`. Mostly
 * they follow each other, so a thousand take a few bytes.
 */
export class RowNumbers {
  /** Sorted, disjoint, from the first number to before the last. */
  readonly #ranges: readonly (readonly [number, number])[];

  private constructor(ranges: readonly (readonly [number, number])[]) {
    this.#ranges = ranges;
  }

  /** @param numbers in any order; a number may occur more than once */
  static of(numbers: Iterable<number>): RowNumbers {
    const ranges: [number, number][] = [];
    for (const number of [...numbers].sort((a, b) => a - b)) {
      const last = ranges.at(-1);
      if (last !== undefined && number <= last[1]) last[1] = Math.max(last[1], number + 1);
      else ranges.push([number, number + 1]);
    }
    return new RowNumbers(ranges);
  }

  /** @param text an `int4multirange` as PostgreSQL writes it */
  static parse(text: string): RowNumbers {
    return new RowNumbers(
      [...text.matchAll(/\[(\d+),(\d+)\)/g)].map((range): [number, number] => [
        Number(range[1]),
        Number(range[2]),
      ]),
    );
  }

  has(number: number): boolean {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const [first, end] = this.#ranges[middle]!;
      if (number < first) high = middle;
      else if (number >= end) low = middle + 1;
      else return true;
    }
    return false;
  }

  toString(): string {
    return `{${this.#ranges.map(([first, end]) => `[${first},${end})`).join(',')}}`;
  }
}

/** Row numbers by block. */
export function byBlock(numbers: Iterable<number>): Map<number, number[]> {
  const blocks = new Map<number, number[]>();
  for (const number of numbers) {
    const block = blockOf(number);
    const others = blocks.get(block);
    if (others === undefined) blocks.set(block, [number]);
    else others.push(number);
  }
  return blocks;
}

/** An `integer[]`, as text that PostgreSQL reads: the driver would quote each of a thousand. */
export const integers = (numbers: readonly number[]): RawBuilder<number[]> =>
  sql`${`{${numbers.join(',')}}`}::integer[]`;
