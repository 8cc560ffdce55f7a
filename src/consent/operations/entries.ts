import { isPhoneChannel } from '../../contracts/channels.js';
import type { PushToken } from '../../klaviyo/index.js';
import type { OpenPart, OpenRow, SentPart } from '../../ledger/index.js';

/**
 * One profile of a request. A row is one entry, or two if its e-mail and its phone must not be sent
 * as one profile.
 */
export interface Entry {
  readonly rowNumber: number;
  readonly email: string | null;
  /** The address as written in the source, where it differs. */
  readonly rawEmail: string | null;
  readonly phoneNumber: string | null;
  readonly dateOfBirth: string | null;
  readonly pushToken: PushToken | null;
  /** Ids of its profiles on the run's list; empty where the operation does not depend on the list. */
  readonly memberIds: readonly string[];
  readonly parts: readonly OpenPart[];
}

/** The entries of rows, with the parts that have not been sent yet. */
export function entriesOf(rows: readonly OpenRow[]): Entry[] {
  return rows.flatMap((row) => {
    const parts = row.parts.filter(({ unsent }) => unsent);
    if (parts.length === 0) return [];
    const { rowNumber, email, rawEmail, phoneNumber, dateOfBirth, pushToken } = row;
    const identifiers = { email, rawEmail, phoneNumber };
    const person = { rowNumber, ...identifiers, dateOfBirth, pushToken, memberIds: [] };
    if (row.oneProfile) return [{ ...person, parts }];
    const byPhone = parts.filter(({ channel }) => isPhoneChannel(channel));
    const others = parts.filter(({ channel }) => !isPhoneChannel(channel));
    return [others, byPhone]
      .filter((profileParts) => profileParts.length > 0)
      .map((profileParts) => ({ ...person, parts: profileParts }));
  });
}

/** The entries with only the parts that are to be sent. */
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
