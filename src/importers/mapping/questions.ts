import { CONSENT_CHANNELS, isPhoneChannel, type ConsentChannel } from '../../contracts/channels.js';
import { countryCode } from '../values/phone.js';
import type { Sample } from '../sample.js';
import { checkTimezone } from '../values/timezone.js';
import { columnFacts, datesIn, isNational, type ColumnFacts } from './column-facts.js';
import { knownWords } from './consent-words.js';
import {
  isColumnConsent,
  MEANINGS,
  type ChannelDraft,
  type MappingDraft,
  type Meaning,
} from './draft.js';

/** What only a person knows about a source. `columns` are the choices. */
export type Question =
  | { readonly kind: 'identifier'; readonly of: 'email' | 'phone'; readonly columns: Columns }
  /** No column: every row consented; the next question asks for the attestation. */
  | { readonly kind: 'consent'; readonly channel: ConsentChannel; readonly columns: Columns }
  | { readonly kind: 'attestation'; readonly channel: ConsentChannel }
  | {
      readonly kind: 'word';
      readonly channel: ConsentChannel;
      readonly column: string;
      readonly word: string;
    }
  /** No column: the source has no dates. */
  | { readonly kind: 'date'; readonly channel: ConsentChannel; readonly columns: Columns }
  | {
      readonly kind: 'date_format';
      readonly channel: ConsentChannel;
      readonly column: string;
      readonly example: string;
      /** Formats that read every value of the sample; empty if no known format does. */
      readonly formats: readonly string[];
    }
  | { readonly kind: 'timezone'; readonly example: string }
  /** A column, or a two-letter country code. */
  | { readonly kind: 'country'; readonly example: string; readonly columns: Columns };

type Columns = readonly string[];

/** The open questions of a draft, in the order to ask; an answer may add new ones. */
export function openQuestions(draft: MappingDraft, sample: Sample): readonly Question[] {
  const { columns } = sample;
  const facts = columnFacts(sample);
  const asked = CONSENT_CHANNELS.filter((channel) => draft.channels[channel] !== undefined);
  const questions: Question[] = [];
  const wantsEmail = asked.includes('email') || draft.suppressed !== undefined;
  const wantsPhone = asked.some(isPhoneChannel);
  if (draft.email === undefined && (wantsEmail || (asked.includes('push') && !draft.phone))) {
    questions.push({ kind: 'identifier', of: 'email', columns });
  }
  if (draft.phone === undefined && wantsPhone) {
    questions.push({ kind: 'identifier', of: 'phone', columns });
  }
  for (const channel of asked) {
    questions.push(...channelQuestions(channel, draft.channels[channel] ?? {}, facts));
  }
  const national = wantsPhone ? exampleOf(facts, draft.phone, isNational) : null;
  if (draft.country === undefined && national !== null) {
    questions.push({ kind: 'country', example: national, columns });
  }
  const zoneless = draft.timezone === undefined ? exampleWithoutZone(draft, facts) : null;
  if (zoneless !== null) questions.push({ kind: 'timezone', example: zoneless });
  return questions;
}

function channelQuestions(
  channel: ConsentChannel,
  { consent, date }: ChannelDraft,
  facts: readonly ColumnFacts[],
): Question[] {
  const columns = facts.map(({ name }) => name);
  const questions: Question[] = [];
  if (consent === undefined) {
    questions.push({ kind: 'consent', channel, columns });
  } else if (isColumnConsent(consent)) {
    const { column, words } = consent;
    for (const word of factsOf(facts, column)?.words ?? []) {
      if (!Object.hasOwn(words, word)) questions.push({ kind: 'word', channel, column, word });
    }
  } else if (consent.attested === null) {
    questions.push({ kind: 'attestation', channel });
  }
  if (date === undefined) {
    questions.push({ kind: 'date', channel, columns });
  } else if (date !== null && date.format === undefined) {
    const { column } = date;
    const fact = factsOf(facts, column);
    questions.push({
      kind: 'date_format',
      channel,
      column,
      example: fact?.values[0] ?? '',
      formats: (fact?.dateFormats ?? []).filter((format) => format !== null),
    });
  }
  return questions;
}

function factsOf(facts: readonly ColumnFacts[], column: string): ColumnFacts | undefined {
  return facts.find(({ name }) => name === column);
}

function exampleOf(
  facts: readonly ColumnFacts[],
  column: string | null | undefined,
  is: (value: string) => boolean,
): string | null {
  if (typeof column !== 'string') return null;
  return factsOf(facts, column)?.values.find(is) ?? null;
}

function exampleWithoutZone(draft: MappingDraft, facts: readonly ColumnFacts[]): string | null {
  for (const { date } of Object.values(draft.channels)) {
    if (!date || date.format === undefined) continue;
    const dates = datesIn(date.format, null);
    const example = exampleOf(
      facts,
      date.column,
      (value) => dates.read(value).kind === 'zone_needed',
    );
    if (example !== null) return example;
  }
  return null;
}

/** Why an answer is not accepted, as a sentence; null if it is. A null answer is "none". */
export function answerProblem(question: Question, answer: string | null): string | null {
  switch (question.kind) {
    case 'identifier':
      return answer === null ? 'Choose a column.' : null;
    case 'attestation':
      return answer === null || answer.trim() === '' ? 'Say who gave consent, when and how.' : null;
    case 'word':
      return MEANINGS.some((meaning) => meaning === answer) ? null : 'Choose a meaning.';
    case 'date_format':
      return formatProblem(answer ?? '', question.example);
    case 'timezone':
      return checkTimezone(answer ?? '');
    case 'country': {
      const known = question.columns.includes(answer ?? '') || countryCode(answer ?? '') !== null;
      return known ? null : 'Give a two-letter country code, such as US or GB.';
    }
    case 'consent':
    case 'date':
      return null;
  }
}

function formatProblem(format: string, example: string): string | null {
  try {
    const { kind } = datesIn(format, 'utc').read(example);
    return kind === 'valid' || example === '' ? null : `That format does not match "${example}".`;
  } catch (error) {
    if (error instanceof Error && error.name === 'DateFormatError') return error.message;
    throw error;
  }
}

/** The draft with an answer that `answerProblem` accepts. */
export function withAnswer(
  draft: MappingDraft,
  question: Question,
  answer: string | null,
  sample: Sample,
): MappingDraft {
  switch (question.kind) {
    case 'identifier':
      return { ...draft, [question.of]: answer };
    case 'timezone':
      return { ...draft, timezone: answer ?? 'UTC' };
    case 'country': {
      const code = countryCode(answer ?? '');
      const isColumn = question.columns.includes(answer ?? '');
      return {
        ...draft,
        country: isColumn ? { column: answer ?? '' } : code === null ? null : { constant: code },
      };
    }
    case 'consent':
    case 'attestation':
    case 'word':
    case 'date':
    case 'date_format': {
      const { channel } = question;
      const before = draft.channels[channel] ?? {};
      const after = channelAnswer(before, question, answer, columnFacts(sample));
      return { ...draft, channels: { ...draft.channels, [channel]: after } };
    }
  }
}

function channelAnswer(
  draft: ChannelDraft,
  question: Extract<Question, { channel: ConsentChannel }>,
  answer: string | null,
  facts: readonly ColumnFacts[],
): ChannelDraft {
  switch (question.kind) {
    case 'consent': {
      if (answer === null) return { ...draft, consent: { attested: null } };
      const words = knownWords(factsOf(facts, answer) ?? { words: [] });
      return { ...draft, consent: { column: answer, words } };
    }
    case 'attestation':
      return { ...draft, consent: { attested: answer } };
    case 'word': {
      const words = draft.consent && isColumnConsent(draft.consent) ? draft.consent.words : {};
      const meaning = answer as Meaning;
      return {
        ...draft,
        consent: { column: question.column, words: { ...words, [question.word]: meaning } },
      };
    }
    case 'date': {
      if (answer === null) return { ...draft, date: null };
      const [format, ...others] = factsOf(facts, answer)?.dateFormats ?? [];
      const known = format !== undefined && others.length === 0;
      return { ...draft, date: { column: answer, ...(known ? { format } : {}) } };
    }
    case 'date_format':
      return { ...draft, date: { column: question.column, format: answer } };
  }
}
