import { consentAsk } from '../values/consent-value.js';
import type { ColumnFacts } from './column-facts.js';
import type { Meaning } from './draft.js';

/** Words for yes and no in other languages; the meaning of any other word is asked. */
const FOREIGN: Readonly<Record<string, Meaning>> = {
  ja: 'subscribed',
  oui: 'subscribed',
  si: 'subscribed',
  sí: 'subscribed',
  sim: 'subscribed',
  nein: 'never',
  nee: 'never',
  non: 'never',
  não: 'never',
};

const MEANT = {
  subscribe: 'subscribed',
  unsubscribe: 'unsubscribed',
  list_only: 'list_only',
  no: 'never',
  nothing: 'never',
  unknown: undefined,
} as const;

/** The words of a column whose meaning is certain. */
export function knownWords({ words }: Pick<ColumnFacts, 'words'>): Record<string, Meaning> {
  const meanings = words.flatMap((word): [string, Meaning][] => {
    const meaning = MEANT[consentAsk(word)] ?? FOREIGN[word];
    return meaning === undefined ? [] : [[word, meaning]];
  });
  return Object.fromEntries(meanings);
}
