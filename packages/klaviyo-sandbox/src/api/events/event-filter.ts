import type { SandboxAccount } from '../../account/account.js';
import type { MetricName } from '../../store/events/event-store.js';
import { refuseParameter } from '../http/errors.js';
import { textsOf, type Condition } from '../query/filter.js';

/**
 * The result of the conditions: which metrics and profile, and the time span (epoch seconds,
 * inclusive).
 */
export interface EventChoice {
  metrics?: readonly MetricName[];
  /** Number of a profile; null for one that does not exist, which matches nothing. */
  profile?: number | null;
  from: number;
  to: number;
}

/** @throws ApiError 400 for a metric that does not exist */
export function eventChoice(
  account: SandboxAccount,
  conditions: readonly Condition[],
): EventChoice {
  const choice: EventChoice = { from: -Infinity, to: Infinity };
  for (const condition of conditions) {
    const { field, value } = condition;
    if (field === 'metric_id') {
      const named = metricsOf(account, textsOf(value));
      choice.metrics = (choice.metrics ?? named).filter((metric) => named.includes(metric));
    }
    if (field === 'profile_id') {
      const named = profileOf(account, condition);
      choice.profile = choice.profile === undefined || choice.profile === named ? named : null;
    }
    if (value.kind === 'date') narrow(choice, condition.operator, value.ms / 1_000);
    if (value.kind === 'number') narrow(choice, condition.operator, value.number);
  }
  return choice;
}

/** Recorded wording. */
function metricsOf({ journal }: SandboxAccount, ids: readonly string[]): MetricName[] {
  const unknown = ids.filter((id) => journal.metrics.withId(id) === undefined);
  if (unknown.length > 0) {
    const list = unknown.map((id) => `'${id}'`).join(', ');
    throw refuseParameter('filter', `Metric IDs [${list}] do not exist.`);
  }
  return ids.map((id) => journal.metrics.withId(id)!.metric);
}

function profileOf({ profiles }: SandboxAccount, { value }: Condition): number | null {
  if (value.kind !== 'text') throw refuseParameter('filter', 'Invalid filter provided');
  return profiles.withId(value.text) ?? null;
}

/** Events have whole seconds, so `>` is `>=` the next one. */
function narrow(choice: EventChoice, operator: string, seconds: number): void {
  if (operator === 'greater-than') choice.from = Math.max(choice.from, Math.floor(seconds) + 1);
  if (operator === 'greater-or-equal') choice.from = Math.max(choice.from, Math.ceil(seconds));
  if (operator === 'less-than') choice.to = Math.min(choice.to, Math.ceil(seconds) - 1);
  if (operator === 'less-or-equal') choice.to = Math.min(choice.to, Math.floor(seconds));
}
