import { refuseParameter } from './http/errors.js';

export interface PageRequest<Cursor> {
  size: number;
  after: Cursor | null;
}

/**
 * Reads `page[cursor]`, which names the last item of the previous page. It may be a whole link:
 * Klaviyo's own clients extract the cursor from a `links.next` only if it is https, and pass the
 * sandbox's on unchanged.
 *
 * @throws ApiError 400
 */
export function cursorOf<Cursor>(
  given: string | null,
  isCursor: (value: unknown) => value is Cursor,
): Cursor | null {
  if (given === null) return null;
  const isLink = given.startsWith('http://') && URL.canParse(given);
  const text = isLink ? (new URL(given).searchParams.get('page[cursor]') ?? '') : given;
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (isCursor(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw refuseParameter('page[cursor]', 'Invalid cursor provided');
}

/** `links` of a collection; `next` is null on the last page. */
export function linksOf(
  url: URL,
  last: unknown,
): { self: string; next: string | null; prev: null } {
  const next = new URL(url);
  next.searchParams.set('page[cursor]', Buffer.from(JSON.stringify(last)).toString('base64url'));
  return { self: url.href, next: last === null ? null : next.href, prev: null };
}
