import { hash } from '../chance/chance.js';

/** Thirty-two hexadecimal digits, derived from the seed and the words. */
export function longId(seed: number, ...words: readonly string[]): string {
  const part = (i: number) =>
    hash(seed, ...words, String(i))
      .toString(16)
      .padStart(8, '0');
  return [0, 1, 2, 3].map(part).join('');
}
