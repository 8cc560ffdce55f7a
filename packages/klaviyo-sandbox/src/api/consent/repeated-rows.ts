import type { SubscribeRow } from '../../account/consent/subscribe-row.js';
import { invalid, type ErrorEntry } from '../http/errors.js';
import type { ConsentRow } from './consent-rows.js';

/** A row that passed its checks. */
export interface AcceptedRow {
  row: SubscribeRow;
  sent: ConsentRow;
  phoneDropped: boolean;
}
export type CheckedRow = AcceptedRow | { entry: ErrorEntry };

/**
 * Rows with an identifier that an earlier row had, by their positions. Rows that name the same
 * profile by different identifiers do not count. The wording is ours: none is recorded.
 */
export function repeatedRows(rows: readonly CheckedRow[]): Map<number, ErrorEntry> {
  const seen = new Set<string>();
  const repeated = new Map<number, ErrorEntry>();
  rows.forEach((row, i) => {
    if ('entry' in row) return;
    const names = namesOf(row);
    const again = names.find(([place, name]) => seen.has(`${place} ${name}`));
    if (again !== undefined) {
      const pointer = `${row.sent.pointer}/${again[0]}`;
      repeated.set(i, invalid(pointer, 'Duplicate profile identifiers in request.'));
    }
    for (const [place, name] of names) seen.add(`${place} ${name}`);
  });
  return repeated;
}

/** The identifier by which a row names its person, with its place in the row. */
function namesOf({ row, sent }: AcceptedRow): [place: string, name: string][] {
  const { email, phone, anonymousId = null } = row.identifiers;
  const names: [string, string | null][] = [
    ['id', sent.profileId],
    ['attributes/email', email],
    ['attributes/phone_number', phone],
    ['attributes/subscriptions/push/anonymous_id', anonymousId],
  ];
  return names.filter((named): named is [string, string] => named[1] !== null);
}

/**
 * Of the rows with the same first identifier (id, e-mail, phone or anonymous id), keeps the last.
 */
export function lastOfEach(rows: readonly AcceptedRow[]): SubscribeRow[] {
  const last = new Map<string, SubscribeRow>();
  for (const accepted of rows) last.set(namesOf(accepted)[0]?.join(' ') ?? '', accepted.row);
  return [...last.values()];
}
