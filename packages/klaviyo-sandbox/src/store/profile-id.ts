import { hash } from '../chance/chance.js';

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Ids are ULIDs whose time part is this plus the profile's number: they sort in order of creation. */
const FIRST = Date.UTC(2024, 0, 1);
const TIME_DIGITS = 10;
const TAIL_DIGITS = 16;

/** Id of the profile with this number. */
export function profileId(seed: number, index: number): string {
  let time = '';
  for (let rest = FIRST + index, i = 0; i < TIME_DIGITS; i++) {
    time = DIGITS[rest % 32]! + time;
    rest = Math.floor(rest / 32);
  }
  let tail = '';
  for (let i = 0; tail.length < TAIL_DIGITS; i++) {
    let bits = hash(seed, 'profile', String(index), String(i));
    for (let d = 0; d < 6 && tail.length < TAIL_DIGITS; d++) {
      tail += DIGITS[bits & 31]!;
      bits >>>= 5;
    }
  }
  return time + tail;
}

/** Number of the profile with this id; undefined if it cannot be one of this sandbox. */
export function profileIndex(seed: number, id: string): number | undefined {
  if (id.length !== TIME_DIGITS + TAIL_DIGITS) return undefined;
  let time = 0;
  for (const digit of id.slice(0, TIME_DIGITS)) time = time * 32 + DIGITS.indexOf(digit);
  const index = time - FIRST;
  return Number.isSafeInteger(index) && index >= 0 && profileId(seed, index) === id
    ? index
    : undefined;
}
