import { instantOf } from '../../time/dates.js';
import type { Switches } from '../../settings/options.js';
import { refuseParameter } from '../http/errors.js';

export type FilterValue =
  | { kind: 'text'; text: string }
  | { kind: 'texts'; texts: readonly string[] }
  /** `offset`: the date has an offset such as +02:00 instead of Z. */
  | { kind: 'date'; ms: number; offset: boolean }
  | { kind: 'number'; number: number }
  | { kind: 'boolean'; is: boolean }
  | { kind: 'booleans'; are: readonly boolean[] }
  | { kind: 'other'; raw: string }
  /** For an operator that only takes a field. */
  | { kind: 'none' };

export interface Condition {
  operator: string;
  field: string;
  value: FilterValue;
}

/** Allowed dates in a filter. */
export interface DateRules {
  /** Whether a date may have an offset such as +00:00, or only Z. */
  offsets: Switches['offsetInFilter'];
  /** Epoch ms by Klaviyo's clock: a later date is refused. */
  now: number;
}

/** Fields that an operation can filter by, with their operators and value types. */
export type Filterable = Readonly<
  Record<
    string,
    {
      operators: readonly string[];
      /** `text` in quotes, `date`, `number` and `boolean` without; `none` for `has(field)`. */
      kind: 'text' | 'date' | 'number' | 'boolean' | 'none';
      /** The only strings that it accepts. */
      values?: readonly string[];
    }
  >
>;

/** Documented; neither `or` nor `not` is. */
const OPERATORS = new Set([
  'equals',
  'less-than',
  'less-or-equal',
  'greater-than',
  'greater-or-equal',
  'contains',
  'contains-any',
  'contains-all',
  'ends-with',
  'starts-with',
  'any',
  'has',
]);
const NAME = /[a-z_.\-$]+/iy;
const BARE = /[^,()[\]'"\s]+/y;
const BOOLEAN = /true|false/y;
const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * Reads `filter`: comparisons joined by `and(...)` or bare commas; all must match. Strings are
 * quoted; dates, numbers, `true` and `false` are not.
 *
 * @throws ApiError 400 "Invalid filter provided" (recorded wording), or what is wrong with a field
 */
export function readFilter(
  text: string | null,
  allowed: Filterable,
  { offsets, now }: DateRules,
): Condition[] {
  if (text === null) return [];
  const conditions = new FilterReader(text).read();
  for (const condition of conditions) check(condition, allowed, { offsets, now });
  return conditions;
}

function check(condition: Condition, allowed: Filterable, { offsets, now }: DateRules): void {
  const { operator, field, value } = condition;
  const known = Object.hasOwn(allowed, field) ? allowed[field] : undefined;
  // Recorded wording, with the fields in alphabetical order.
  if (known === undefined) {
    const fields = Object.keys(allowed).sort().join(', ');
    throw refuseParameter(
      'filter',
      `'${field}' is not a filterable field for this resource. The filterable fields on this resource are: ${fields}.`,
    );
  }
  // Recorded wording, including the two spaces and the missing full stop.
  if (!known.operators.includes(operator)) {
    const operators = known.operators.join(', ');
    throw refuseParameter(
      'filter',
      `'${operator}' is not an allowed filter operator for ${field}.  Allowed operators are ${operators}`,
    );
  }
  if (!hasKind(value, known.kind) || (operator === 'any' && !isList(value))) throw malformed();
  if (value.kind === 'date' && value.offset && offsets === 'rejected') throw malformed();
  // The status is known from live trials; its wording and that for unknown values are ours.
  if (value.kind === 'date' && value.ms > now) {
    throw refuseParameter('filter', `The value for '${field}' must not be in the future.`);
  }
  const wrong = textsOf(value).find((text) => known.values?.includes(text) === false);
  if (wrong !== undefined) {
    throw refuseParameter(
      'filter',
      `'${wrong}' is not a valid value for '${field}'; valid: ${known.values!.join(', ')}.`,
    );
  }
}

const isList = ({ kind }: FilterValue): boolean => kind === 'texts' || kind === 'booleans';

function hasKind(value: FilterValue, kind: Filterable[string]['kind']): boolean {
  if (kind === 'text') return value.kind === 'text' || value.kind === 'texts';
  return value.kind === kind || (kind === 'boolean' && value.kind === 'booleans');
}

/** The quoted strings of a value: one, several or, for other kinds, none. */
export function textsOf(value: FilterValue): readonly string[] {
  if (value.kind === 'texts') return value.texts;
  return value.kind === 'text' ? [value.text] : [];
}

class FilterReader {
  #at = 0;

  constructor(private readonly text: string) {}

  read(): Condition[] {
    const conditions = this.#conditions();
    if (this.#at < this.text.length) throw malformed();
    return conditions;
  }

  #conditions(): Condition[] {
    const conditions = this.#term();
    while (this.#skip(',')) conditions.push(...this.#term());
    return conditions;
  }

  #term(): Condition[] {
    const operator = this.#match(NAME);
    if (operator !== 'and' && !OPERATORS.has(operator)) throw malformed();
    this.#expect('(');
    if (operator === 'and') {
      const inside = this.#conditions();
      this.#expect(')');
      return inside;
    }
    const field = this.#match(NAME);
    if (this.#skip(')')) return [{ operator, field, value: { kind: 'none' } }];
    this.#expect(',');
    const value = this.#value();
    this.#expect(')');
    return [{ operator, field, value }];
  }

  #value(): FilterValue {
    if (this.#skip('[')) return this.#list();
    if (this.#isAtQuote()) return { kind: 'text', text: this.#string() };
    const raw = this.#match(BARE);
    if (raw === 'true' || raw === 'false') return { kind: 'boolean', is: raw === 'true' };
    if (NUMBER.test(raw)) return { kind: 'number', number: Number(raw) };
    const ms = instantOf(raw);
    return ms === undefined
      ? { kind: 'other', raw }
      : { kind: 'date', ms, offset: !raw.endsWith('Z') };
  }

  #list(): FilterValue {
    const texts: string[] = [];
    const booleans: boolean[] = [];
    if (!this.#skip(']')) {
      do {
        if (this.#isAtQuote()) texts.push(this.#string());
        else booleans.push(this.#match(BOOLEAN) === 'true');
      } while (this.#skip(','));
      this.#expect(']');
    }
    if (texts.length > 0 && booleans.length > 0) throw malformed();
    return booleans.length > 0 ? { kind: 'booleans', are: booleans } : { kind: 'texts', texts };
  }

  #isAtQuote(): boolean {
    this.#blanks();
    const next = this.text[this.#at];
    return next === '"' || next === "'";
  }

  #string(): string {
    this.#blanks();
    const quote = this.text[this.#at];
    if (quote !== '"' && quote !== "'") throw malformed();
    let value = '';
    for (let at = this.#at + 1; at < this.text.length; at++) {
      let letter = this.text[at]!;
      if (letter === quote) {
        this.#at = at + 1;
        return value;
      }
      if (letter === '\\' && at + 1 < this.text.length) {
        at += 1;
        letter = this.text[at]!;
      }
      value += letter;
    }
    throw malformed();
  }

  #blanks(): void {
    while (this.text[this.#at] === ' ') this.#at += 1;
  }

  #match(pattern: RegExp): string {
    this.#blanks();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw malformed();
    this.#at += found.length;
    return found;
  }

  #skip(sign: string): boolean {
    this.#blanks();
    if (this.text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#skip(sign)) throw malformed();
  }
}

const malformed = () => refuseParameter('filter', 'Invalid filter provided');
