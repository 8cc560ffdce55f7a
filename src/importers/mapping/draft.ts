import type { ConsentChannel } from '../../contracts/channels.js';
import { checkMapping } from './mapping-file.js';
import type { Mapping } from './schema.js';

/** What a word of a consent column means. */
export const MEANINGS = ['subscribed', 'unsubscribed', 'list_only', 'never'] as const;
export type Meaning = (typeof MEANINGS)[number];

/** An unfinished mapping: what is left out is not known yet, null is known not to exist. */
export interface MappingDraft {
  readonly email?: string | null;
  readonly phone?: string | null;
  readonly country?: { readonly column: string } | { readonly constant: string } | null;
  readonly timezone?: string;
  readonly dateOfBirth?: { readonly column: string; readonly format: string | null };
  readonly push?: { readonly token: string; readonly platform: string };
  readonly suppressed?: { readonly column: string; readonly values: readonly string[] };
  readonly channels: Readonly<Partial<Record<ConsentChannel, ChannelDraft>>>;
}

export interface ChannelDraft {
  readonly consent?: ColumnConsent | EveryRow;
  /** A null format is ISO 8601; a format that is left out is not known yet. */
  readonly date?: { readonly column: string; readonly format?: string | null } | null;
}

export interface ColumnConsent {
  readonly column: string;
  /** By the word in lower case; a blank is never subscribed. */
  readonly words: Readonly<Record<string, Meaning>>;
}

/** Every row is subscribed, as the operator attests. */
export interface EveryRow {
  readonly attested: string | null;
}

export function isColumnConsent(consent: ColumnConsent | EveryRow): consent is ColumnConsent {
  return 'column' in consent;
}

/** The mapping of a draft without open questions. Throws `SourceError` if it has some. */
export function finishDraft(draft: MappingDraft): Mapping {
  const channels = Object.entries(draft.channels).map(([channel, { consent, date }]) => [
    channel,
    {
      consent: consent === undefined ? undefined : finishConsent(consent),
      ...(date ? { date: { column: date.column, ...formatOf(date.format) } } : {}),
    },
  ]);
  const { email, phone, country, timezone, dateOfBirth, push, suppressed } = draft;
  return checkMapping(
    {
      version: 1,
      ...(email ? { email } : {}),
      ...(phone ? { phone } : {}),
      ...(country ? { country } : {}),
      ...(timezone === undefined ? {} : { timezone }),
      ...(dateOfBirth === undefined
        ? {}
        : { date_of_birth: { column: dateOfBirth.column, ...formatOf(dateOfBirth.format) } }),
      ...(push === undefined ? {} : { push }),
      channels: Object.fromEntries(channels) as unknown,
      ...(suppressed === undefined ? {} : { suppressed }),
    },
    'The mapping',
  );
}

function formatOf(format: string | null | undefined): { format?: string } {
  return typeof format === 'string' ? { format } : {};
}

function finishConsent(consent: ColumnConsent | EveryRow): object {
  if (!isColumnConsent(consent)) {
    return { constant: 'subscribed', ...(consent.attested ? { attested: consent.attested } : {}) };
  }
  const wordsOf = (meaning: Meaning): string[] =>
    Object.entries(consent.words).flatMap(([word, means]) => (means === meaning ? [word] : []));
  const lists = MEANINGS.map((meaning) => [meaning, wordsOf(meaning)] as const);
  return {
    column: consent.column,
    ...Object.fromEntries(lists.filter(([, words]) => words.length > 0)),
  };
}
