/**
 * A number in [0, 1) that depends only on the seed and the words: a person gets the same draw
 * whatever the order of the requests.
 */
export function chance(seed: number, ...words: readonly string[]): number {
  return hash(seed, ...words) / 2 ** 32;
}

/** Unsigned 32-bit hash: FNV-1a over the words, then murmur3's finaliser to spread the bits. */
export function hash(seed: number, ...words: readonly string[]): number {
  let h = (0x811c9dc5 ^ seed) >>> 0;
  for (const word of words) {
    for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193);
    h = Math.imul(h ^ 0x1f, 0x01000193);
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789';

/** Letters and digits that look like one of Klaviyo's short ids. */
export function shortId(seed: number, ...words: readonly string[]): string {
  let id = '';
  for (let i = 0; i < 6; i++) id += LETTERS[hash(seed, ...words, String(i)) % LETTERS.length];
  return id;
}
