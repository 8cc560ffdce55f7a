import { hash } from '../../chance/chance.js';

/** As in Klaviyo's event ids: no letter or digit that is easily mistaken for another. */
const DIGITS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const CODE_DIGITS = 6;
const CHECK_DIGITS = 5;

/** An odd number and its inverse modulo 2^32: they scatter event numbers, and map them back. */
const SCATTER = 2_654_435_761;
const GATHER = 244_002_641;

/** From the start of the Gregorian calendar, the epoch of version 1 UUIDs, to 1970. */
const GREGORIAN_SECONDS = 12_219_292_800n;
const TICKS_A_SECOND = 10_000_000n;

/** Id of the event with this number: 11 letters and digits. */
export function eventId(seed: number, event: number): string {
  return digitsOf(codeOf(seed, event), CODE_DIGITS) + digitsOf(checkOf(seed, event), CHECK_DIGITS);
}

/** Number of the event with this id; undefined if it cannot be one of this sandbox. */
export function eventNumber(seed: number, id: string): number | undefined {
  if (!looksLikeEventId(id)) return undefined;
  let code = 0;
  for (const digit of id.slice(0, CODE_DIGITS)) code = code * DIGITS.length + DIGITS.indexOf(digit);
  const event = Math.imul(code - hash(seed, 'event'), GATHER) >>> 0;
  return eventId(seed, event) === id ? event : undefined;
}

/** Whether Klaviyo would look the id up at all. */
export function looksLikeEventId(id: string): boolean {
  return id.length === CODE_DIGITS + CHECK_DIGITS && [...id].every((it) => DIGITS.includes(it));
}

/** A UUID of version 1 whose time is the event's, to the second, as recorded ones are. */
export function eventUuid(seed: number, event: number, seconds: number): string {
  const ticks = (BigInt(seconds) + GREGORIAN_SECONDS) * TICKS_A_SECOND;
  const time = ticks.toString(16).padStart(15, '0');
  const node = hex(codeOf(seed, event), 8) + hex(checkOf(seed, event) & 0xffff, 4);
  return `${time.slice(7)}-${time.slice(3, 7)}-1${time.slice(0, 3)}-8001-${node}`;
}

const codeOf = (seed: number, event: number): number =>
  (Math.imul(event, SCATTER) + hash(seed, 'event')) >>> 0;

const checkOf = (seed: number, event: number): number => hash(seed, 'event', String(event));

function digitsOf(number: number, length: number): string {
  let digits = '';
  for (let rest = number, i = 0; i < length; i++) {
    digits = DIGITS[rest % DIGITS.length]! + digits;
    rest = Math.floor(rest / DIGITS.length);
  }
  return digits;
}

const hex = (number: number, length: number): string => number.toString(16).padStart(length, '0');
