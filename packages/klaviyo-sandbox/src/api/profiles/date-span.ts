import type { Span } from '../../store/suppressions.js';
import type { Condition } from '../query/filter.js';

/**
 * The span that the conditions on one date field allow. Dates are whole ms here, so `>` is
 * `>= + 1`.
 */
export function spanOf(conditions: readonly Condition[], field: string): Span {
  const span = { from: -Infinity, to: Infinity };
  for (const { operator, field: on, value } of conditions) {
    if (on !== field || value.kind !== 'date') continue;
    const { ms } = value;
    if (operator === 'greater-than') span.from = Math.max(span.from, ms + 1);
    if (operator === 'greater-or-equal') span.from = Math.max(span.from, ms);
    if (operator === 'less-than') span.to = Math.min(span.to, ms - 1);
    if (operator === 'less-or-equal') span.to = Math.min(span.to, ms);
  }
  return span;
}

export const isUnbounded = ({ from, to }: Span): boolean => from === -Infinity && to === Infinity;

export const isWithin = (time: number, { from, to }: Span): boolean => time >= from && time <= to;
