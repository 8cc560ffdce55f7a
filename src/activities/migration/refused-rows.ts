import type { Channel } from '../../contracts/channels.js';
import type { Outcome, Reason } from '../../contracts/outcomes.js';
import type { Entry } from '../../consent/operations/entries.js';
import { covers, type RefusedPart, type SplitRefusal } from '../../klaviyo/index.js';
import type { Settlement } from '../../ledger/index.js';

/** How a refused row ends. A refusal that says what Klaviyo already holds is no rejection. */
const REFUSED_AS: Partial<Record<Reason, Outcome>> = {
  backdated_before_opt_out: 'skipped_opted_out',
  backdated_after_subscription: 'already_consented',
};

/** Settles what a refusal names; the rest of the request can be sent again. */
export function settleRefused(
  entries: readonly Entry[],
  refused: SplitRefusal['rows'],
): Settlement[] {
  return [...refused].flatMap(([index, refusals]) => {
    const entry = entries[index];
    if (entry === undefined) return [];
    return refusals.flatMap(({ part, reason }) =>
      entry.parts
        .filter(({ channel }) => isRefused(channel, part, entry))
        .map(({ channel }) => ({
          rowNumber: entry.rowNumber,
          channel,
          outcome: REFUSED_AS[reason] ?? ('rejected' as const),
          reason,
          settledBy: 'klaviyo_answer' as const,
        })),
    );
  });
}

/** A refused channel that is not in the entry refuses the whole entry, so that resending ends. */
function isRefused(channel: Channel, part: RefusedPart, entry: Entry): boolean {
  const isCarried = entry.parts.some((carried) => covers(part, carried.channel));
  return !isCarried || covers(part, channel);
}
