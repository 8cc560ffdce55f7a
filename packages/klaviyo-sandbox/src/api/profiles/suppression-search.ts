import type { Span, Wanted } from '../../store/suppressions.js';
import { refuseParameter } from '../http/errors.js';
import { textsOf, type Condition } from '../query/filter.js';
import { spanOf } from './date-span.js';
import { LIST_SUPPRESSIONS, SUPPRESSION } from './query-rules.js';

/** The suppressed profiles that a filter selects. */
export interface SuppressionSearch {
  kind: 'suppressions' | 'listSuppressions';
  wanted: Wanted;
  span: Span;
}

/**
 * The suppression conditions of the filter; null if there are none.
 *
 * Documented: filters on global and on list suppressions cannot be combined, only one date filter
 * is allowed, and a filter on list suppressions needs its list. From live trials: not with `sort`.
 *
 * @param isSorted whether the request has a `sort`
 * @throws ApiError 400; the wording is ours
 */
export function suppressionSearch(
  conditions: readonly Condition[],
  isSorted: boolean,
): SuppressionSearch | null {
  const about = (name: string) => conditions.filter(({ field }) => field.startsWith(`${name}.`));
  const [ofAccount, ofLists] = [about(SUPPRESSION), about(LIST_SUPPRESSIONS)];
  if (ofAccount.length === 0 && ofLists.length === 0) return null;
  if (ofAccount.length > 0 && ofLists.length > 0) {
    throw refuse('Filters on global suppressions and on list suppressions cannot be combined.');
  }
  if (conditions.filter(({ value }) => value.kind === 'date').length > 1) {
    throw refuse('Only one date filter is allowed beside a filter on suppressions.');
  }
  if (isSorted) {
    throw refuseParameter('sort', 'Sorting is not allowed with a filter on suppressions.');
  }
  const name = ofAccount.length > 0 ? SUPPRESSION : LIST_SUPPRESSIONS;
  const reason = oneText(conditions, `${name}.reason`);
  const span = spanOf(conditions, `${name}.timestamp`);
  const wanted = reason === undefined ? {} : { reason };
  if (ofAccount.length > 0) return { kind: 'suppressions', wanted, span };
  const group = oneText(conditions, `${LIST_SUPPRESSIONS}.list_id`);
  if (group === undefined) {
    throw refuse(`A filter on list suppressions needs '${LIST_SUPPRESSIONS}.list_id'.`);
  }
  return { kind: 'listSuppressions', wanted: { ...wanted, group }, span };
}

const refuse = (detail: string) => refuseParameter('filter', detail);

/** The text of the only condition on the field. */
function oneText(conditions: readonly Condition[], field: string): string | undefined {
  const [first, second] = conditions.filter((condition) => condition.field === field);
  if (second !== undefined) throw refuse(`'${field}' must not be given more than once.`);
  return first && textsOf(first.value)[0];
}
