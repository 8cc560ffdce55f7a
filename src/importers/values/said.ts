import type { Ask } from './consent-value.js';
import { plainWord } from './consent-value.js';
import type { Suppression } from './suppression.js';

/**
 * What a word of another tool says about consent to one channel.
 *
 * - `no`: never asked, which only a segment takes for something
 * - `nothing`: no consent; also states that are neither consent nor an opt-out, such as a default
 * - `pending`: asked for, but not confirmed
 * - `list_only`: implied, not given
 * - `bounced`, `complained`: the tool no longer mails to this address
 * - `silent`: what is not said against anybody, such as a blank in a column of opt-outs
 */
export type Said = Ask | 'pending' | 'bounced' | 'complained' | 'silent';

/** What each word says, as `plainWord` writes them. */
export type Words = Readonly<Record<string, Said>>;

/** What a column says. */
export interface Vocabulary {
  readonly words: Words;
  /** What any other word says; `unknown` by default. */
  readonly otherwise?: Said;
}

/** A column of opt-outs: a flag, a date or a reason. Any value but a "no" is one. */
export const OPT_OUT: Vocabulary = { words: noes(), otherwise: 'unsubscribe' };

/** A column of bounces: a flag, a date or a reason. */
export const BOUNCE: Vocabulary = { words: noes(), otherwise: 'bounced' };

function noes(): Words {
  const words = ['', 'no', 'n', 'false', '0', 'none', 'null', '[]', '{}'];
  return Object.fromEntries(words.map((word) => [word, 'silent']));
}

/** What a cell says. */
export function saidBy(raw: string, { words, otherwise = 'unknown' }: Vocabulary): Said {
  const word = plainWord(raw);
  return Object.hasOwn(words, word) ? (words[word] ?? otherwise) : otherwise;
}

/** The most careful first: nothing that a row says gives consent if something else takes it. */
const CAREFUL: readonly Said[] = [
  'unsubscribe',
  'unknown',
  'pending',
  'no',
  'nothing',
  'list_only',
  'subscribe',
];

export interface Heard {
  /** `silent`: nothing that was said is about consent. */
  readonly ask: Ask | 'silent';
  readonly note: string | null;
  readonly suppression: Suppression | null;
}

/** What several cells of a row say together about one channel. */
export function together(all: readonly Said[]): Heard {
  const said = CAREFUL.find((each) => all.includes(each)) ?? 'silent';
  const suppression = suppressionIn(all);
  if (said === 'pending') return { ask: 'nothing', note: 'consent_pending', suppression };
  const note = said === 'list_only' ? 'implicit_consent' : null;
  return { ask: said === 'bounced' || said === 'complained' ? 'nothing' : said, note, suppression };
}

function suppressionIn(all: readonly Said[]): Suppression | null {
  if (all.includes('complained')) return { ask: 'suppress', note: 'suppressed_spam_complaint' };
  if (all.includes('bounced')) return { ask: 'suppress', note: 'suppressed_hard_bounce' };
  return null;
}
