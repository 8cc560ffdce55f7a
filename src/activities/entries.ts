import type { Channel, Operation } from '../contracts/channels.js';
import { BATCH_LIMITS } from '../contracts/limits.js';
import type { MigrationSettings } from '../contracts/migration.js';
import type { Outcome, Reason } from '../contracts/outcomes.js';
import type {
  ImportRequest,
  SplitRefusal,
  SubscribeRequest,
  UnsubscribeRequest,
} from '../klaviyo/index.js';
import type { OpenPart, OpenRow, SentPart, Settlement } from '../ledger/index.js';

/**
 * One profile of a request. A row is one entry, or one a channel where its e-mail and its phone
 * must not go as one profile.
 */
export interface Entry {
  readonly rowNumber: number;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly parts: readonly OpenPart[];
}

/** Profiles that one call of an operation takes. */
export const CALL_SIZE: Record<Operation, number> = {
  subscribe: BATCH_LIMITS.subscribe,
  unsubscribe: BATCH_LIMITS.unsubscribe,
  add_to_list: BATCH_LIMITS.import,
};

/** The entries of rows, with the parts that were not sent yet. */
export function entriesOf(rows: readonly OpenRow[]): Entry[] {
  return rows.flatMap((row) => {
    const parts = row.parts.filter((part) => part.submissionId === null);
    if (parts.length === 0) return [];
    const { rowNumber, email, phoneNumber } = row;
    if (parts.length === 1 || row.oneProfile) return [{ rowNumber, email, phoneNumber, parts }];
    return parts.map((part) => ({ rowNumber, email, phoneNumber, parts: [part] }));
  });
}

export function sentParts(entries: readonly Entry[]): SentPart[] {
  return entries.flatMap(({ rowNumber, parts }) =>
    parts.map(({ channel }) => ({ rowNumber, channel })),
  );
}

export function subscribeRequest(
  entries: readonly Entry[],
  settings: MigrationSettings,
): SubscribeRequest {
  return {
    listId: settings.listId,
    customSource: settings.customSource,
    historicalImport: settings.historicalImport,
    profiles: entries.map(({ email, phoneNumber, parts }) => ({
      email,
      phoneNumber,
      channels: Object.fromEntries(
        parts.map((part) => [
          part.channel,
          // A live subscribe carries no date: Klaviyo stamps it, or refuses the request.
          { consentedAt: settings.historicalImport ? part.consentedAt : null },
        ]),
      ),
    })),
  };
}

export function unsubscribeRequest(entries: readonly Entry[]): UnsubscribeRequest {
  return {
    // With a list, Klaviyo would unsubscribe globally whoever is not on it; without, everybody
    // globally: the opt-out that the source has.
    listId: null,
    profiles: entries.map(({ email, phoneNumber, parts }) => ({
      email,
      phoneNumber,
      channels: parts.flatMap(({ channel }) => (channel === 'list' ? [] : [channel])),
    })),
  };
}

export function importRequest(entries: readonly Entry[], listId: string): ImportRequest {
  return {
    listId,
    // One identifier is enough to find or make the profile; a second could belong to somebody else.
    profiles: entries.map(({ email, phoneNumber }) =>
      email === null ? { phoneNumber } : { email },
    ),
  };
}

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
          evidence: 'klaviyo_answer' as const,
        })),
    );
  });
}

/** A refused channel that the entry does not carry means the whole entry, so that resending ends. */
function isRefused(channel: Channel, part: 'email' | 'sms' | 'row', entry: Entry): boolean {
  if (part === 'row' || !entry.parts.some((carried) => carried.channel === part)) return true;
  return channel === part;
}
