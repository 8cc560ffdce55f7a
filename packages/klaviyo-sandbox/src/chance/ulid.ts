import { hash } from './chance.js';

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_DIGITS = 10;
const TAIL_DIGITS = 16;

/** A ULID for the moment (epoch ms) whose random part is derived from the seed and the words. */
export function ulid(ms: number, seed: number, ...words: readonly string[]): string {
  let time = '';
  for (let rest = Math.floor(ms), i = 0; i < TIME_DIGITS; i++) {
    time = DIGITS[rest % 32]! + time;
    rest = Math.floor(rest / 32);
  }
  let tail = '';
  for (let i = 0; i < TAIL_DIGITS; i++) tail += DIGITS[hash(seed, ...words, String(i)) % 32];
  return time + tail;
}
