import type { ListAsk } from '../presets/preset.js';
import { plainWord } from './consent-value.js';

const ASKS: Readonly<Record<string, ListAsk | null>> = {
  add: 'add',
  added: 'add',
  remove: 'remove',
  removed: 'remove',
  '': null,
};

/** Reads a column about the run's list; null if the row asks nothing about it. */
export function listAsk(raw: string): ListAsk | null {
  const word = plainWord(raw);
  return Object.hasOwn(ASKS, word) ? (ASKS[word] ?? null) : 'unknown';
}
