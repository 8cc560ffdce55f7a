import { hash } from './chance.js';

/** An id in the form of a random UUID, derived from the seed and the words. */
export function uuid(seed: number, ...words: readonly string[]): string {
  const hex = [0, 1, 2, 3]
    .map((part) =>
      hash(seed, ...words, String(part))
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`];
  return [...parts, `8${hex.slice(17, 20)}`, hex.slice(20)].join('-');
}
