import {
  CHANNELS,
  CONSENT_CHANNELS,
  isPhoneChannel,
  isTextChannel,
  type Channel,
  type ConsentChannel,
} from '../../contracts/channels.js';
import type { Reason } from '../../contracts/outcomes.js';
import type { JsonApiError } from '../json-api.js';
import { scrubCode, scrubPointer, scrubText } from '../scrub.js';

/**
 * Which part of a row was refused: one channel, `texts` for both kinds of SMS, `phone` for all
 * channels of the phone number, or `row` for the whole row.
 */
export type RefusedPart = ConsentChannel | 'texts' | 'phone' | 'row';

export interface RowRefusal {
  readonly reason: Reason;
  readonly part: RefusedPart;
}

/** An error of the whole request. Safe to show. */
export interface RequestRefusal {
  readonly code: string;
  readonly pointer: string | null;
  readonly safeDetail: string;
}

export interface SplitRefusal {
  /**
   * The refused rows by index into the request's profiles, ascending; each has either one refusal
   * of the whole row or at most one per channel. The other rows, and the other channels of a row,
   * can be sent again.
   */
  readonly rows: ReadonlyMap<number, readonly RowRefusal[]>;
  /** Set if sending the other rows again is useless. */
  readonly requestWide: RequestRefusal | null;
}

/**
 * Splits a refused bulk request (400) into its bad rows. Klaviyo applies nothing of such a request,
 * lists errors in any order, and perhaps not all at once. Either some row or `requestWide` is
 * always set, so that a caller who drops the rows and sends the rest always finishes.
 *
 * @param errors as listed by `KlaviyoRefusedError.apiErrors`
 * @param rowCount profiles in the request
 */
export function splitRefusal(errors: readonly JsonApiError[], rowCount: number): SplitRefusal {
  const rows = new Map<number, readonly RowRefusal[]>();
  let requestWide: RequestRefusal | null = null;
  for (const error of errors) {
    const place = placeOf(error, rowCount);
    if (place === null) {
      requestWide ??= toRequestRefusal(error);
      continue;
    }
    rows.set(place.row, merge(rows.get(place.row) ?? [], refusalOf(place.field, error.detail)));
  }
  if (errors.length === 0) {
    requestWide = {
      code: 'unreadable',
      pointer: null,
      safeDetail: 'the answer does not say what was refused',
    };
  }
  return { rows: new Map([...rows].sort(([a], [b]) => a - b)), requestWide };
}

/**
 * The ids, of those that a request names, that Klaviyo says it does not know: by their own words
 * (`Invalid profile IDs: X, Y`), or by their places (`/data/2/id`). Klaviyo refuses the whole request
 * for one of them, and perhaps does not name all at once.
 */
export function unknownIds(errors: readonly JsonApiError[], sent: readonly string[]): Set<string> {
  const unknown = new Set<string>();
  for (const { title, detail, pointer } of errors) {
    const words = new Set(`${title} ${detail}`.split(/[^\w-]+/));
    const place = /^\/data\/(\d+)(?:\/|$)/.exec(pointer ?? '')?.[1];
    const pointedAt = place === undefined ? undefined : sent[Number(place)];
    for (const id of sent) if (words.has(id)) unknown.add(id);
    if (pointedAt !== undefined) unknown.add(pointedAt);
  }
  return unknown;
}

const ROW_POINTER = /^\/data\/attributes\/profiles\/data\/(\d+)(?:\/(?:attributes\/?)?(.*))?$/;

/** Older forms of an error name the field without its row; that is enough if there is only one row. */
const BARE_POINTER = /^(?:\/data\/attributes\/)?(email|phone_number)$/;

/** The row of an error and the field in it (`phone_number`, `` for the row itself). */
function placeOf(error: JsonApiError, rowCount: number): { row: number; field: string } | null {
  const pointer = error.pointer ?? '';
  const match = ROW_POINTER.exec(pointer);
  if (match !== null) {
    const row = Number(match[1]);
    return row < rowCount ? { row, field: match[2] ?? '' } : null;
  }
  const field = BARE_POINTER.exec(pointer)?.[1];
  return rowCount === 1 && field !== undefined ? { row: 0, field } : null;
}

interface Rule {
  readonly detail?: RegExp;
  readonly field?: RegExp;
  readonly reason: Reason;
  /** Default: the channel that the field belongs to. */
  readonly part?: RefusedPart;
}

/** The first matching rule decides; details are matched if one field has several meanings. */
const RULES: readonly Rule[] = [
  { detail: /sms configuration is required/i, reason: 'sms_not_configured', part: 'texts' },
  {
    detail: /not in a supported region|sending number/i,
    reason: 'phone_country_without_sender',
    part: 'texts',
  },
  { detail: /before current unsubscri/i, reason: 'backdated_before_opt_out' },
  { detail: /after current subscription/i, reason: 'backdated_after_subscription' },
  { detail: /valid consented_at/i, field: /consented_at$/, reason: 'consent_date_invalid' },
  { field: /^age_gated_date_of_birth/, reason: 'klaviyo_refused_age', part: 'texts' },
  { field: /^phone_number/, reason: 'klaviyo_refused_phone' },
  { field: /^email/, reason: 'klaviyo_refused_email' },
];

function refusalOf(field: string, detail: string): RowRefusal {
  const rule = RULES.find(
    (candidate) =>
      (candidate.detail?.test(detail) ?? true) && (candidate.field?.test(field) ?? true),
  );
  return { reason: rule?.reason ?? 'klaviyo_refused', part: rule?.part ?? partOf(field) };
}

function partOf(field: string): RefusedPart {
  const [first, second, third] = field.split('/');
  if (first === 'email') return 'email';
  if (first === 'phone_number') return 'phone';
  if (first !== 'subscriptions') return 'row';
  if (second === 'sms') {
    if (third === 'transactional') return 'sms_transactional';
    return third === 'marketing' ? 'sms' : 'texts';
  }
  return CONSENT_CHANNELS.find((channel) => channel === second) ?? 'row';
}

/** Whether a refusal of `part` covers this channel. */
export function covers(part: RefusedPart, channel: Channel): boolean {
  if (part === 'row') return true;
  if (part === 'phone') return isPhoneChannel(channel);
  return part === 'texts' ? isTextChannel(channel) : part === channel;
}

/** The wider refusal replaces the narrower; a channel keeps its first reason. */
function merge(known: readonly RowRefusal[], next: RowRefusal): readonly RowRefusal[] {
  if (known.some(({ part }) => includes(part, next.part))) return known;
  return [...known.filter(({ part }) => !includes(next.part, part)), next];
}

const includes = (wide: RefusedPart, narrow: RefusedPart): boolean =>
  CHANNELS.every((channel) => covers(wide, channel) || !covers(narrow, channel));

function toRequestRefusal(error: JsonApiError): RequestRefusal {
  const pointer = error.pointer ?? error.parameter;
  return {
    code: scrubCode(error.code),
    pointer: pointer === null ? null : scrubPointer(pointer),
    safeDetail: scrubText(error.detail === '' ? error.title : error.detail),
  };
}
