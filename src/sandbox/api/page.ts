import { refuseParameter } from './errors.js';

export interface PageRequest<Cursor> {
  size: number;
  after: Cursor | null;
}

/** Reads `page[size]` and `page[cursor]`. The cursor names the last thing of the page before. */
export function pageOf<Cursor>(
  query: URLSearchParams,
  sizes: { default: number; max: number },
  isCursor: (value: unknown) => value is Cursor,
): PageRequest<Cursor> {
  const size = query.get('page[size]') ?? String(sizes.default);
  if (!/^\d+$/.test(size) || Number(size) < 1 || Number(size) > sizes.max) {
    throw refuseParameter('page[size]', `Page size must be an integer between 1 and ${sizes.max}.`);
  }
  const cursor = query.get('page[cursor]');
  return { size: Number(size), after: cursor === null ? null : decoded(cursor, isCursor) };
}

function decoded<Cursor>(text: string, isCursor: (value: unknown) => value is Cursor): Cursor {
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
