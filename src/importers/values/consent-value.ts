import { cellText } from './cell-text.js';

/** What a row says about one channel. `no`: consent was never given or withdrawn. `nothing`: it is blank. */
export type Ask = 'subscribe' | 'unsubscribe' | 'list_only' | 'no' | 'nothing' | 'unknown';

const ASKS: Readonly<Record<string, Ask>> = {
  subscribed: 'subscribe',
  subscribe: 'subscribe',
  opted_in: 'subscribe',
  opt_in: 'subscribe',
  yes: 'subscribe',
  y: 'subscribe',
  true: 'subscribe',
  '1': 'subscribe',
  unsubscribed: 'unsubscribe',
  unsubscribe: 'unsubscribe',
  opted_out: 'unsubscribe',
  opt_out: 'unsubscribe',
  no_longer: 'unsubscribe',
  no_longer_subscribed: 'unsubscribe',
  list_only: 'list_only',
  '': 'nothing',
  no: 'no',
  n: 'no',
  false: 'no',
  '0': 'no',
  never: 'no',
  never_subscribed: 'no',
  not_subscribed: 'no',
};

/**
 * Reads a consent column. "No" in its forms asks nothing: shops and forms write it for everybody
 * who was never asked, and reading it as an opt-out would undo consent that was given elsewhere. An
 * opt-out has to be explicit: `unsubscribed`, `opted_out`. A segment takes back what it gave before.
 */
export function consentAsk(raw: string): Ask {
  const value = plainWord(raw);
  return Object.hasOwn(ASKS, value) ? (ASKS[value] ?? 'unknown') : 'unknown';
}

const YES: ReadonlySet<string> = new Set(['yes', 'y', 'true', '1', 'suppressed']);
const NO: ReadonlySet<string> = new Set(['', 'no', 'n', 'false', '0', 'not_suppressed']);

/** Reads a yes-or-no column; null for any other word. A blank is no. */
export function yesOrNo(raw: string): boolean | null {
  const value = plainWord(raw);
  return YES.has(value) ? true : NO.has(value) ? false : null;
}

/** In lower case, with `_` instead of spaces and hyphens. */
export function plainWord(raw: string): string {
  return cellText(raw)
    .toLowerCase()
    .replace(/[\s_-]+/g, '_');
}
