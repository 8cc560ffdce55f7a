/*
 * A whole reading goes through the account in windows of `created`, which no profile ever changes, and
 * through a list in windows of `joined_group_at`, which no member does: several windows are read at
 * once, each from its beginning to its end. Pure.
 */

/** A part of the account or of a list, by these times. Datetimes are Klaviyo's texts, in UTC. */
export interface Window {
  /** Exclusive; null for the beginning of the account. */
  readonly after: string | null;
  /** Its end: profiles created later are read elsewhere. */
  readonly before: string;
  /** When the last profile that was read of it was created; null if none was. */
  readonly position: string | null;
  /** The next page; null to begin after the position. */
  readonly cursor: WindowCursor | null;
  readonly read: number;
}

/** Klaviyo's cursor, with the filter that it belongs to: the window may end earlier by now. */
export interface WindowCursor {
  readonly next: string;
  readonly after: string | null;
  readonly before: string;
}

/** Neighbours overlap: Klaviyo's filter has no "or equal". */
const OVERLAP_MS = 1_000;

/** Windows that are shorter, or have fewer profiles left, are not split: each half costs a page more. */
const LEAST_MS = 4_000;
const LEAST_PROFILES = 1_000;

export function wholeWindow(before: string): Window {
  return { after: null, before, position: null, cursor: null, read: 0 };
}

/** A page of a window. */
export interface WindowPage {
  readonly after: string | null;
  readonly before: string;
  readonly cursor: string | null;
}

export function nextPage({ cursor, ...window }: Window): WindowPage {
  if (cursor === null) return firstPage(window);
  return { after: cursor.after, before: cursor.before, cursor: cursor.next };
}

/** The next page without a cursor: whoever was created in the same second is read again. */
export function firstPage({ after, before, position }: Omit<Window, 'cursor'>): WindowPage {
  const from = position === null ? after : earlier(position, OVERLAP_MS);
  return { after: from, before, cursor: null };
}

/**
 * The window after a page.
 *
 * @param answer.first when the first profile of the page was created; null if it does not say
 * @param answer.last the same of the last profile
 * @returns null at its end
 */
export function afterPage(
  window: Window,
  { after, before }: WindowPage,
  answer: {
    readonly first: string | null;
    readonly last: string | null;
    readonly next: string | null;
    readonly profiles: number;
  },
): Window | null {
  const { first, last, next, profiles } = answer;
  if (next === null) return null;
  if (last !== null && Date.parse(last) >= Date.parse(window.before)) return null;
  return {
    ...window,
    // The account begins here.
    after: window.after ?? (first === null ? null : earlier(first, OVERLAP_MS)),
    position: last ?? window.position,
    cursor: { next, after, before },
    read: window.read + profiles,
  };
}

/**
 * Which window to split for somebody who has nothing to read: the one with most profiles left. The
 * reader of the first half goes on with its cursor, and stops at the new end.
 *
 * @returns the window and its halves; null if nothing is worth splitting, or not known to be
 */
export function split(
  windows: readonly Window[],
): { readonly window: Window; readonly halves: readonly [Window, Window] } | null {
  const density = densityOf(windows);
  const [longest] = windows
    .filter((window) => timeLeft(window) >= LEAST_MS)
    .map((window) => ({ window, left: leftOf(window, density) }))
    .filter(({ left }) => left >= LEAST_PROFILES)
    .sort((a, b) => b.left - a.left);
  if (longest === undefined) return null;
  const { window } = longest;
  const middle = new Date(Date.parse(window.before) - timeLeft(window) / 2).toISOString();
  return {
    window,
    halves: [
      { ...window, before: middle },
      {
        after: earlier(middle, OVERLAP_MS),
        before: window.before,
        position: null,
        cursor: null,
        read: 0,
      },
    ],
  };
}

/** Milliseconds of the account's time that are left in a window; 0 while its beginning is unknown. */
export function timeLeft({ after, before, position }: Window): number {
  const from = position ?? after;
  return from === null ? 0 : Math.max(0, Date.parse(before) - Date.parse(from));
}

/**
 * How many profiles are left in these windows: each goes on as densely as it began, or as the others
 * did. Null while nothing is known of any.
 */
export function profilesLeft(windows: readonly Window[]): number | null {
  const density = densityOf(windows);
  if (windows.length > 0 && density === null) return null;
  return Math.round(windows.reduce((sum, window) => sum + leftOf(window, density), 0));
}

/** Profiles per millisecond of the account's time in what was read; null if nothing was. */
function densityOf(windows: readonly Window[]): number | null {
  const ms = windows.reduce((sum, window) => sum + timeRead(window), 0);
  return ms === 0 ? null : windows.reduce((sum, { read }) => sum + read, 0) / ms;
}

function leftOf(window: Window, otherwise: number | null): number {
  const covered = timeRead(window);
  return timeLeft(window) * (covered > 0 ? window.read / covered : (otherwise ?? 0));
}

/** Milliseconds of the account's time that were read of a window. */
function timeRead({ after, position }: Window): number {
  return after === null || position === null ? 0 : span(after, position);
}

function span(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from));
}

function earlier(datetime: string, byMs: number): string {
  return new Date(Date.parse(datetime) - byMs).toISOString();
}
