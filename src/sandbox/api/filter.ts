import { instantOf } from '../dates.js';
import { refuseParameter } from './errors.js';

export type FilterValue =
  | { kind: 'text'; text: string }
  | { kind: 'texts'; texts: readonly string[] }
  | { kind: 'date'; ms: number }
  | { kind: 'number'; number: number }
  | { kind: 'boolean'; is: boolean }
  | { kind: 'booleans'; are: readonly boolean[] }
  | { kind: 'other'; raw: string }
  /** Of an operator that takes a field alone. */
  | { kind: 'none' };

export interface Condition {
  operator: string;
  field: string;
  value: FilterValue;
}

/** Fields that an operation can filter by, with their operators and what stands beside them. */
export type Filterable = Readonly<
  Record<
    string,
    {
      operators: readonly string[];
      /** `text` in quotes, `date`, `number` and `boolean` without; `none` for `has(field)`. */
      kind: 'text' | 'date' | 'number' | 'boolean' | 'none';
      /** The only texts that it takes. */
      values?: readonly string[];
    }
  >
>;

const NAME = /[a-z_.\-$]+/iy;
const BARE = /[^,()[\]'"\s]+/y;
const BOOLEAN = /true|false/y;
const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * Reads `filter`: comparisons, all of which must hold, joined by `and(...)` or bare commas.
 * Strings stand in quotes; dates, numbers, `true` and `false` do not.
 *
 * @throws ApiError 400 "Invalid filter provided" (recorded wording), or what is wrong with a field
 */
export function readFilter(text: string | null, allowed: Filterable): Condition[] {
  if (text === null) return [];
  const conditions = new FilterReader(text).read();
  for (const condition of conditions) check(condition, allowed);
  return conditions;
}

function check({ operator, field, value }: Condition, allowed: Filterable): void {
  const known = allowed[field];
  if (known === undefined) {
    throw refuseParameter('filter', `'${field}' is not a filterable field for this resource.`);
  }
  if (!known.operators.includes(operator)) {
    const operators = known.operators.join(', ');
    throw refuseParameter(
      'filter',
      `'${operator}' is not an allowed operator for the field '${field}'; allowed: ${operators}.`,
    );
  }
  if (!hasKind(value, known.kind) || (operator === 'any' && value.kind !== 'texts')) {
    throw malformed();
  }
  if (value.kind === 'date' && value.ms > Date.now()) {
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
    return ms === undefined ? { kind: 'other', raw } : { kind: 'date', ms };
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
