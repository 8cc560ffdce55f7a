import { isPhoneChannel, type Channel, type Operation } from '../../../contracts/channels.js';
import { BATCH_LIMITS } from '../../../contracts/limits.js';
import type { MigrationSettings } from '../../../contracts/migration.js';
import type { Outcome, Reason } from '../../../contracts/outcomes.js';
import {
  covers,
  type ImportRequest,
  type PushToken,
  type RefusedPart,
  type SplitRefusal,
  type SubscribeRequest,
  type UnsubscribeRequest,
} from '../../../klaviyo/index.js';
import type { OpenPart, OpenRow, SentPart, Settlement } from '../../../ledger/index.js';

/**
 * One profile of a request. A row is one entry, or two where its e-mail and its phone must not go
 * as one profile.
 */
export interface Entry {
  readonly rowNumber: number;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly dateOfBirth: string | null;
  readonly pushToken: PushToken | null;
  readonly parts: readonly OpenPart[];
}

/** Profiles that one call of an operation takes. */
const CALL_SIZE: Record<Operation, number> = {
  subscribe: BATCH_LIMITS.subscribe,
  suppress: BATCH_LIMITS.suppress,
  unsubscribe: BATCH_LIMITS.unsubscribe,
  add_to_list: BATCH_LIMITS.import,
};

/** The entries of rows, with the parts that were not sent yet. */
export function entriesOf(rows: readonly OpenRow[]): Entry[] {
  return rows.flatMap((row) => {
    const parts = row.parts.filter(({ unsent }) => unsent);
    if (parts.length === 0) return [];
    const { rowNumber, email, phoneNumber, dateOfBirth, pushToken } = row;
    const person = { rowNumber, email, phoneNumber, dateOfBirth, pushToken };
    if (row.oneProfile) return [{ ...person, parts }];
    const byPhone = parts.filter(({ channel }) => isPhoneChannel(channel));
    const others = parts.filter(({ channel }) => !isPhoneChannel(channel));
    return [others, byPhone]
      .filter((profileParts) => profileParts.length > 0)
      .map((profileParts) => ({ ...person, parts: profileParts }));
  });
}

/**
 * What the next call of a job carries: what the job is for, and after that the memberships that came
 * up in it. Null where nothing is left to send.
 */
export function nextCall(
  operation: Operation,
  rows: readonly OpenRow[],
): { readonly operation: Operation; readonly entries: readonly Entry[] } | null {
  for (const carried of [operation, 'add_to_list'] as const) {
    const asking = rows.map((row) => ({
      ...row,
      parts: row.parts.filter(({ action }) => action === carried),
    }));
    const entries = entriesOf(asking).slice(0, CALL_SIZE[carried]);
    if (entries.length > 0) return { operation: carried, entries };
  }
  return null;
}

/** The entries with those of their parts alone that are to be sent. */
export function onlyParts(entries: readonly Entry[], parts: readonly SentPart[]): Entry[] {
  const carried = new Set(parts.map(keyOfPart));
  return entries.flatMap((entry) => {
    const { rowNumber } = entry;
    const left = entry.parts.filter(({ channel }) =>
      carried.has(keyOfPart({ rowNumber, channel })),
    );
    return left.length === 0 ? [] : [{ ...entry, parts: left }];
  });
}

export function keyOfPart({ rowNumber, channel }: SentPart): string {
  return `${rowNumber} ${channel}`;
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
    profiles: entries.map(({ email, phoneNumber, dateOfBirth, pushToken, parts }) => ({
      email,
      phoneNumber,
      dateOfBirth,
      pushToken,
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
function isRefused(channel: Channel, part: RefusedPart, entry: Entry): boolean {
  const isCarried = entry.parts.some((carried) => covers(part, carried.channel));
  return !isCarried || covers(part, channel);
}
