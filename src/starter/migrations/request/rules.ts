import type { z } from 'zod';
import { isDatabaseUrl } from '../../../connectors/databases/database-url.js';
import type { consentSettings } from './consent-settings.js';
import type { runSettings } from './run-settings.js';
import type { sourceSettings } from './source-settings.js';
import type { Spelling } from './spelling.js';

type Settings = typeof sourceSettings & typeof consentSettings & typeof runSettings;
/** Every setting but the source, with its default. */
type Asked = { readonly [Name in Exclude<keyof Settings, 'file'>]: z.output<Settings[Name]> };

/** A combination of settings that is refused. */
export interface Rule {
  readonly setting: keyof Asked;
  isBroken(asked: Asked): boolean;
  /** What is wrong and what to do. */
  says(the: Spelling): string;
}

export const RULES: readonly Rule[] = [
  {
    setting: 'since',
    isBroken: ({ since, query }) => since !== null && (query !== null || isDatabaseUrl(since)),
    says: (the) =>
      `${the('since')} compares two files, not a database: write the rows of each query to a file, and ` +
      `migrate that, or leave ${the('since')} out.`,
  },
  {
    setting: 'encoding',
    isBroken: ({ encoding, query }) => encoding !== null && query !== null,
    says: (the) => `${the('encoding')} is that of a file, not of a query: leave one out.`,
  },
  {
    setting: 'undated',
    isBroken: ({ historical, undated }) => historical && undated === 'subscribe',
    says: (the) =>
      `${the('historical', true)} sends consent dates, but ${the('undated', 'subscribe')} sends rows ` +
      `without one: use ${the('undated', 'reject')} or ${the('undated', 'list_only')}.`,
  },
  {
    setting: 'undated',
    isBroken: ({ undated, listId }) => undated === 'list_only' && listId === null,
    says: (the) => `${the('undated', 'list_only')} needs a list: give ${the('listId', 'ID')}.`,
  },
  {
    setting: 'implicit',
    isBroken: ({ implicit, listId }) => implicit && listId === null,
    says: (the) => `${the('implicit', true)} adds people to a list: give ${the('listId', 'ID')}.`,
  },
  {
    setting: 'operation',
    isBroken: ({ operation, listId }) =>
      (operation === 'remove_from_list' || operation === 'add_to_list') && listId === null,
    says: (the) =>
      `${the('operation', 'add_to_list')} and ${the('operation', 'remove_from_list')} are about a list: ` +
      `give ${the('listId', 'ID')}.`,
  },
  {
    setting: 'operation',
    isBroken: ({ operation, implicit }) =>
      implicit && operation !== null && operation !== 'add_to_list',
    says: (the) =>
      `${the('implicit', true)} adds everybody to the list, and ${the('operation')} asks something ` +
      'else of everybody: leave one out.',
  },
  {
    setting: 'moveFrom',
    isBroken: ({ moveFrom, listId }) =>
      moveFrom !== null && (listId === null || listId === moveFrom),
    says: (the) =>
      `${the('moveFrom')} moves people to another list: give ${the('listId', 'ID')}, the list that they are moved to.`,
  },
  {
    setting: 'moveFrom',
    isBroken: ({ moveFrom, operation, implicit, historical, since }) =>
      moveFrom !== null && (operation !== null || implicit || historical || since !== null),
    says: (the) =>
      `${the('moveFrom')} moves everybody of the source, whatever else it says: leave out ` +
      `${the('operation')}, ${the('implicit')}, ${the('historical')} and ${the('since')}.`,
  },
  {
    setting: 'unsubscribeFrom',
    isBroken: ({ unsubscribeFrom, listId }) => unsubscribeFrom === 'list' && listId === null,
    says: (the) => `${the('unsubscribeFrom', 'list')} needs a list: give ${the('listId', 'ID')}.`,
  },
  {
    setting: 'unsubscribeFrom',
    isBroken: ({ unsubscribeFrom, operation }) =>
      unsubscribeFrom === 'list' && operation !== null && operation !== 'unsubscribe',
    says: (the) =>
      `${the('unsubscribeFrom', 'list')} is for people who are unsubscribed, but ${the('operation')} unsubscribes nobody: ` +
      'leave one out.',
  },
  {
    setting: 'floor',
    isBroken: ({ floor, unsubscribeFrom }) => floor !== null && unsubscribeFrom === 'list',
    says: (the) =>
      `${the('floor')} stops all mail at once, but ${the('unsubscribeFrom', 'list')} ends that of the list alone: ` +
      'leave one out.',
  },
  {
    setting: 'historical',
    isBroken: ({ historical, operation }) => historical && operation !== null,
    says: (the) =>
      `${the('historical', true)} is for people who are subscribed, but ${the('operation')} subscribes nobody: leave one out.`,
  },
  {
    setting: 'floor',
    isBroken: ({ floor, operation }) =>
      floor !== null && operation !== null && operation !== 'suppress',
    says: (the) =>
      `${the('floor')} is for people who are suppressed, but ${the('operation')} suppresses nobody: leave one out.`,
  },
  {
    setting: 'pilot',
    isBroken: ({ pilot, canary }) => pilot !== null && canary !== null,
    says: (the) =>
      `${the('pilot')} stops after its rows, but ${the('canary')} goes on after them: leave one out.`,
  },
];
