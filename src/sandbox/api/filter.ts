import { instantOf } from '../dates.js';
import { refuseParameter } from './errors.js';

export type FilterValue =
  | { kind: 'text'; text: string }
  | { kind: 'texts'; texts: readonly string[] }
  | { kind: 'date'; ms: number }
  | { kind: 'other'; raw: string };

export interface Condition {
  operator: string;
  field: string;
  value: FilterValue;
}

/** Fields that an endpoint can filter by, with their operators. */
export type Filterable = Readonly<
  Record<string, { operators: readonly string[]; kind: 'text' | 'date' }>
>;

const NAME = /[a-z_.\-$]+/iy;
const BARE = /[^,()[\]'"\s]+/y;

/**
 * Reads `filter`: comparisons, all of which must hold, joined by `and(...)` or bare commas.
 * Strings stand in quotes, dates do not.
 *
 * @throws ApiError 400 "Invalid filter provided" (recorded wording), or what is wrong with a field
 */
export function filterOf(query: URLSearchParams, allowed: Filterable): Condition[] {
  const text = query.get('filter');
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
  if (known.kind === 'date') {
    if (value.kind !== 'date') throw malformed();
    if (value.ms > Date.now()) {
      throw refuseParameter('filter', `The value for '${field}' must not be in the future.`);
    }
  } else if (operator === 'any' ? value.kind !== 'texts' : !isText(value)) {
    throw malformed();
  }
}

const isText = (value: FilterValue): boolean => value.kind === 'text' || value.kind === 'texts';

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
    this.#expect(',');
    const value = this.#value();
    this.#expect(')');
    return [{ operator, field, value }];
  }

  #value(): FilterValue {
    if (this.#skip('[')) {
      const texts: string[] = [];
      if (!this.#skip(']')) {
        do texts.push(this.#string());
        while (this.#skip(','));
        this.#expect(']');
      }
      return { kind: 'texts', texts };
    }
    this.#blanks();
    const next = this.text[this.#at];
    if (next === '"' || next === "'") return { kind: 'text', text: this.#string() };
    const raw = this.#match(BARE);
    const ms = instantOf(raw);
    return ms === undefined ? { kind: 'other', raw } : { kind: 'date', ms };
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
