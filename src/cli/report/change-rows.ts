import { OPERATIONS } from '../../consent/operations/index.js';
import type { ReportedPart, Transition } from '../../ledger/index.js';
import { shownEmail, timeOf, type Row } from './part-rows.js';

/** The state of a part after the run in one word: a consent state, a membership or its outcome. */
export function stateAfter({
  operation,
  outcome,
  consentAfter,
}: Pick<ReportedPart, 'operation' | 'outcome' | 'consentAfter'>): string {
  if (outcome === null) return 'open';
  if (outcome === 'list_only') return 'ON_LIST';
  if (outcome !== 'confirmed') return outcome;
  const { leaves, shows } = OPERATIONS[operation];
  return leaves ?? consentAfter ?? shows;
}

/** Klaviyo had no such profile, or nothing about this channel in it. */
export const NOTHING_BEFORE = '(nothing)';

/** One channel of one person that the run sent, in the columns of `report --changes`. */
export function changeRow(part: ReportedPart): Row {
  return {
    line: part.line,
    email: shownEmail(part),
    phone_number: part.phoneNumber,
    channel: part.channel,
    operation: part.operation,
    before: part.consentBefore,
    after: stateAfter(part),
    outcome: part.outcome,
    reason: part.reason,
    read_at: timeOf(part.readAt),
    settled_at: timeOf(part.settledAt),
    request_id: part.requestId,
  };
}

export const CHANGE_COLUMNS = [
  'line',
  'email',
  'phone_number',
  'channel',
  'operation',
  'before',
  'after',
  'outcome',
  'reason',
  'read_at',
  'settled_at',
  'request_id',
] as const;

/** Counts by channel, state before and state after, for people and for `--json`. */
export interface ChangeCount {
  readonly channel: string;
  readonly before: string | null;
  readonly after: string;
  readonly rows: number;
}

export function countChanges(transitions: readonly Transition[]): ChangeCount[] {
  const counts = new Map<string, ChangeCount>();
  for (const { channel, before, parts, ...rest } of transitions) {
    const after = stateAfter(rest);
    const key = JSON.stringify([channel, before, after]);
    const rows = (counts.get(key)?.rows ?? 0) + parts;
    counts.set(key, { channel, before, after, rows });
  }
  return [...counts.values()];
}

/** The parts that were sent to Klaviyo; the others changed nobody. */
export async function* sentParts(parts: AsyncIterable<ReportedPart>): AsyncGenerator<ReportedPart> {
  for await (const part of parts) if (part.sent) yield part;
}
