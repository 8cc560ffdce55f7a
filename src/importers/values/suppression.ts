import { plainWord, yesOrNo } from './consent-value.js';

/** What a row says about the suppression of its e-mail address. Null: not suppressed. */
export interface Suppression {
  /** `lift`: a suppression by hand ends. `unknown`: a word that means none of them. */
  readonly ask: 'suppress' | 'unsubscribe' | 'lift' | 'unknown';
  /** `suppressed_` and Klaviyo's reason, if it is one of those; never the words of the row. */
  readonly note: string | null;
}

/** Klaviyo's reasons for a suppression. */
const REASONS: readonly string[] = [
  'hard_bounce',
  'invalid_email',
  'spam_complaint',
  'user_suppressed',
  'unsubscribe',
];

const LIFTED: ReadonlySet<string> = new Set(['lifted', 'lift', 'unsuppress', 'unsuppressed']);

/**
 * Reads `suppressed` and `suppression_reason`. A reason without the other column means yes; so does
 * one of Klaviyo's reasons beside a word that means neither yes nor no.
 */
export function suppressionOf(suppressed: string, reason: string): Suppression | null {
  if (LIFTED.has(plainWord(suppressed))) return { ask: 'lift', note: null };
  const answer = yesOrNo(suppressed);
  const word = plainWord(reason);
  if (answer === null && !REASONS.includes(word)) return { ask: 'unknown', note: null };
  if (answer === false && (word === '' || suppressed.trim() !== '')) return null;
  return { ask: 'suppress', note: noteOf(word) };
}

const NONE: ReadonlySet<string> = new Set([
  'none',
  'null',
  'nan',
  'never',
  'n_a',
  '[]',
  '{}',
  '""',
]);

/**
 * Reads one column that lists reasons, as in Klaviyo's export. Its form is not documented, so any
 * word but "none" suppresses. Only if it says nothing but that the person unsubscribed is it an
 * opt-out, after which they may subscribe again by themselves.
 */
export function suppressionOfReasons(list: string): Suppression | null {
  const word = plainWord(list);
  if (NONE.has(word) || yesOrNo(word) === false) return null;
  const reasons = REASONS.filter((reason) => word.includes(reason));
  const [first, ...others] = reasons;
  if (first === 'unsubscribe' && others.length === 0) return { ask: 'unsubscribe', note: null };
  return { ask: 'suppress', note: noteOf(first ?? '') };
}

function noteOf(reason: string): string | null {
  return REASONS.includes(reason) ? `suppressed_${reason}` : null;
}
