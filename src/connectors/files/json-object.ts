/** One JSON object as the cells of a row. */
export interface FlatObject {
  /**
   * By column: the key, or for what is within an object the keys on the way to it, as in
   * `consent.email.status`. Null for a list.
   */
  readonly cells: ReadonlyMap<string, string | null>;
  /** It has two values for one column, of which `cells` has the last. */
  readonly contradicts: boolean;
}

/** What stands in the way of cells: an object within too many others, or too long a path. */
export class TooDeep extends Error {
  constructor(readonly key: string) {
    super(`${key} is too deep`);
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

const MOST_DEPTH = 16;
/** Of the column of something within an object, in characters. */
const LONGEST_PATH = 1_000;

/** The cells of a line that is a JSON object; null for any other text. Throws `TooDeep`. */
export function flatObject(text: string): FlatObject | null {
  const object = parsed(text);
  if (object === null) return null;
  const cells = new Map<string, string | null>();
  const written = exponents(text);
  let isTwice = false;
  for (const [path, value] of members(object, '', 1)) {
    isTwice ||= cells.has(path);
    cells.set(path, cellOf(value, written));
  }
  return { cells, contradicts: isTwice || hasKeyTwice(text, object) };
}

function parsed(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function* members(
  object: JsonObject,
  before: string,
  depth: number,
): Generator<[string, unknown], void, undefined> {
  for (const key in object) {
    const value = object[key];
    const path = before + key;
    if (depth > 1 && path.length > LONGEST_PATH) throw new TooDeep(path);
    if (!isObject(value)) yield [path, value];
    else if (depth === MOST_DEPTH) throw new TooDeep(path);
    else yield* members(value, `${path}.`, depth + 1);
  }
}

/** An empty list says nothing, as null does. */
function cellOf(value: unknown, written: ReadonlyMap<number, string>): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return written.get(value) ?? String(value);
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) && value.length > 0 ? null : '';
}

/** A string, which may be a key, or a number in scientific notation. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|(-?\d+(?:\.\d+)?[eE][+-]?\d+)/g;

/**
 * The numbers of a line in scientific notation, as they are written: a phone number that is written
 * so has lost digits, which the parsed number does not show.
 */
function exponents(text: string): ReadonlyMap<number, string> {
  const written = new Map<number, string>();
  if (!/\d[eE][+-]?\d/.test(text)) return written;
  for (const [, , number] of text.matchAll(TOKEN)) {
    if (number !== undefined) written.set(Number(number), number);
  }
  return written;
}

/** The next member of an object without objects or lists in it, and the comma or brace after it. */
const MEMBER = /\s*("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[^\s"{}[\],]+)\s*[,}]/y;

/** Whether a key has two different values, of which `JSON.parse` keeps the last. */
function hasKeyTwice(text: string, object: JsonObject): boolean {
  if (keysIn(text) === keysOf(object)) return false;
  const values = new Map<string, unknown>();
  MEMBER.lastIndex = text.indexOf('{') + 1;
  for (let member = MEMBER.exec(text); member !== null; member = MEMBER.exec(text)) {
    const key = String(JSON.parse(member[1] ?? ''));
    const value: unknown = JSON.parse(member[2] ?? '');
    if (values.has(key) && values.get(key) !== value) return true;
    values.set(key, value);
    if (text[MEMBER.lastIndex - 1] === '}') return false;
  }
  // An object or a list that a later value of the same key hides, or within which a key is twice.
  return true;
}

function keysIn(text: string): number {
  let keys = 0;
  for (const [, colon] of text.matchAll(TOKEN)) if (colon !== undefined) keys += 1;
  return keys;
}

function keysOf(object: JsonObject): number {
  let keys = 0;
  const open: unknown[] = [object];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) for (const each of value) open.push(each);
    else if (isObject(value)) {
      for (const key in value) {
        keys += 1;
        open.push(value[key]);
      }
    }
  }
  return keys;
}
