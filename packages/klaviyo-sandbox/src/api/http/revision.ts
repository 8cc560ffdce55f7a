import type { Switches } from '../../settings/options.js';
import { framework, refuseParameter } from './errors.js';
import type { Operation } from '../operation.js';

export const REVISION = '2026-07-15';
const BETA = '.pre';
const DATE = /^(\d{4}-\d{2}-\d{2})(\.pre)?$/;
/** Klaviyo supports a revision for two years. */
const SUPPORTED_YEARS = 2;

/**
 * The revision that serves a request. The sandbox knows one date, stable and beta: older ones are
 * refused as if the endpoint began with it, because their answers would have other shapes.
 *
 * @param today UTC, `2026-11-22`
 * @throws ApiError 400, 404 or 410
 */
export function servedRevision(
  operation: Pick<Operation, 'revision'>,
  given: string | null,
  unlisted: Switches['unlistedRevision'],
  today: string,
): string {
  const wanted = operation.revision === 'beta' ? REVISION + BETA : REVISION;
  // The words are ours; that the header is required is documented.
  if (given === null || given === '') {
    throw refuseParameter('revision', `A revision header is required, e.g. 'revision: ${wanted}'.`);
  }
  const [, date, beta] = DATE.exec(given) ?? [];
  // A live trial saw the 400 of a malformed date; the words are ours.
  if (date === undefined || Number.isNaN(Date.parse(date))) {
    throw refuseParameter('revision', `'${given}' is not a valid revision; use '${wanted}'.`);
  }
  if (date > today && date > REVISION) {
    throw unavailable('Unable to specify a future revision date');
  }
  if (date < REVISION) throw tooOld(date, today);
  if (date > REVISION && unlisted === 'refused') {
    throw refuseParameter('revision', `'${given}' is not a valid revision; use '${wanted}'.`);
  }
  if (operation.revision === 'beta' && beta === undefined) {
    throw unavailable('No valid revisions found for method');
  }
  return REVISION + (beta ?? '');
}

/** Recorded in live trials, status and words. */
const unavailable = (detail: string) => framework(404, 'not_found', 'Not found.', detail);

/** After the notes of a live trial; the exact words, and those of the 410, are ours. */
function tooOld(date: string, today: string) {
  const year = Number(date.slice(0, 4)) + SUPPORTED_YEARS;
  if (`${year}${date.slice(4)}` < today) {
    return framework(410, 'gone', 'Gone.', `The revision ${date} is no longer supported.`);
  }
  return unavailable(
    `The revision ${date} is before the earliest available revision, use a date after ${REVISION}`,
  );
}
