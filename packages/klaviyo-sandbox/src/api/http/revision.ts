import type { Switches } from '../../settings/options.js';
import type { Operation } from '../operation.js';
import { NEWEST, OLDEST, REVISIONS, type RevisionDate } from '../revisions/forms.js';
import { operationAt } from '../revisions/operations.js';
import { framework, refuseParameter } from './errors.js';

const BETA = '.pre';
const DATE = /^(\d{4}-\d{2}-\d{2})(\.pre)?$/;
/** Klaviyo supports a revision for two years. */
const SUPPORTED_YEARS = 2;

/**
 * The newest known revision that is not newer than the header's date; the oldest if there is none.
 * It is used to look up the operation before the header is checked.
 */
export function dateMeant(header: string | null): RevisionDate {
  const [, date] = DATE.exec(header ?? '') ?? [];
  return REVISIONS.findLast((known) => date !== undefined && known <= date) ?? OLDEST;
}

/**
 * The revision that serves a request, as named in the answer's header. The sandbox knows two dates,
 * stable and beta. Older ones are refused as if the endpoint began with the older of the two,
 * because their answers would have other shapes.
 *
 * @param operation as declared by revision 2026-07-15, or by the revision that introduced it
 * @param today UTC, `2026-11-22`
 * @throws ApiError 400, 404 or 410
 */
export function servedRevision(
  operation: Operation,
  given: string | null,
  unlisted: Switches['unlistedRevision'],
  today: string,
): string {
  const wanted = NEWEST + (operationAt(operation, NEWEST)?.revision === 'beta' ? BETA : '');
  // The wording is ours; it is documented that the header is required.
  if (given === null || given === '') {
    throw refuseParameter('revision', `A revision header is required, e.g. 'revision: ${wanted}'.`);
  }
  const [, date, beta] = DATE.exec(given) ?? [];
  // A live trial saw the 400 of a malformed date; the wording is ours.
  const invalid = () =>
    refuseParameter('revision', `'${given}' is not a valid revision; use '${wanted}'.`);
  if (date === undefined || Number.isNaN(Date.parse(date))) throw invalid();
  if (date > today && date > NEWEST) {
    throw unavailable('Unable to specify a future revision date');
  }
  if (date < OLDEST) throw tooOld(date, OLDEST, today);
  const known = dateMeant(given);
  if (date !== known && unlisted === 'refused') throw invalid();
  const served = operationAt(operation, known);
  if (served === undefined) throw tooOld(date, operation.since ?? OLDEST, today);
  if (served.revision === 'beta' && beta === undefined) {
    throw unavailable('No valid revisions found for method');
  }
  return known + (beta ?? '');
}

/** Recorded in live trials, status and wording. */
const unavailable = (detail: string) => framework(404, 'not_found', 'Not found.', detail);

/** From the notes of a live trial; the exact wording, also of the 410, is ours. */
function tooOld(date: string, earliest: RevisionDate, today: string) {
  const year = Number(date.slice(0, 4)) + SUPPORTED_YEARS;
  if (`${year}${date.slice(4)}` < today) {
    return framework(410, 'gone', 'Gone.', `The revision ${date} is no longer supported.`);
  }
  return unavailable(
    `The revision ${date} is before the earliest available revision, use a date after ${earliest}`,
  );
}
