import type { ConsentChannel } from '../../contracts/channels.js';
import { yesOrNo } from '../values/consent-value.js';
import type { Sample } from '../sample.js';
import { columnFacts, shareOf, type ColumnFacts } from './column-facts.js';
import { knownWords } from './consent-words.js';
import type { ChannelDraft, MappingDraft } from './draft.js';
import { openQuestions, type Question } from './questions.js';

export interface Suggestion {
  readonly draft: MappingDraft;
  /** What only a person knows, in the order to ask. */
  readonly questions: readonly Question[];
}

/** A consent column has few distinct words. */
const MOST_WORDS = 12;

/**
 * What a column's name must contain for the column to be guessed as the consent or the date of a
 * channel.
 */
const CHANNEL_NAMES: readonly (readonly [ConsentChannel, RegExp])[] = [
  ['whatsapp', /whats ?app/],
  ['sms_transactional', /transactional|order update|delivery/],
  ['sms', /sms|text|mobile|handy/],
  ['push', /push|app notification/],
  ['email', /mail|newsletter/],
];
const CONSENT_NAME =
  /consent|opt ?in|subscri|accepts|permission|newsletter|marketing|status|einwilligung|abonn/;

/**
 * Guesses a mapping from the column names and the first rows, and lists what it cannot know. A
 * guess never creates consent: a column counts as a channel's consent only if its name contains the
 * channel and its values are words for yes and no.
 *
 * @param channels of the run
 */
export function suggestMapping(
  header: readonly string[],
  sampleRows: readonly (readonly string[])[],
  channels: readonly ConsentChannel[],
): Suggestion {
  const sample: Sample = { columns: header, rows: sampleRows };
  const facts = columnFacts(sample);
  const email = bestNamed(facts, /e ?mail/, (fact) => shareOf('email', fact) > 0.5);
  const phone = bestNamed(
    facts,
    /phone|mobile|mobil|cell|tel|handy|sms number|msisdn|whats ?app/,
    (fact) => shareOf('phone', fact) > 0.5,
  );
  const country = bestNamed(
    facts,
    /country|land|pays|\bcc\b/,
    (fact) => shareOf('country', fact) > 0.8,
  );
  const born = facts.find((fact) => /birth|\bdob\b|geburt/.test(plain(fact.name)));
  const draft: MappingDraft = {
    ...(email === null ? {} : { email: email.name }),
    ...(phone === null ? {} : { phone: phone.name }),
    ...(country === null ? {} : { country: { column: country.name } }),
    ...(born?.dateFormats.length === 1
      ? { dateOfBirth: { column: born.name, format: born.dateFormats[0] ?? null } }
      : {}),
    ...pushOf(facts),
    ...suppressedOf(facts),
    channels: Object.fromEntries(
      channels.map((channel) => [channel, channelDraft(channel, facts)]),
    ),
  };
  return { draft, questions: openQuestions(draft, sample) };
}

/** Among the columns with such content, the one with such a name, else the only one. */
function bestNamed(
  facts: readonly ColumnFacts[],
  name: RegExp,
  content: (fact: ColumnFacts) => boolean,
): ColumnFacts | null {
  const fitting = facts.filter(content);
  const named = fitting.filter((fact) => name.test(plain(fact.name)));
  const [first, ...others] = named.length > 0 ? named : fitting;
  return others.length === 0 ? (first ?? null) : null;
}

function channelDraft(channel: ConsentChannel, facts: readonly ColumnFacts[]): ChannelDraft {
  const ofChannel = facts.filter((fact) => channelOf(fact.name) === channel);
  const consents = ofChannel.filter(isConsent);
  const dates = ofChannel.filter(
    (fact) => fact.dateFormats.length > 0 && !/birth|dob|geburt|unsub|out/.test(plain(fact.name)),
  );
  const [consent] = consents;
  const [date] = dates;
  const format = date?.dateFormats[0];
  return {
    ...(consent === undefined || consents.length > 1
      ? {}
      : { consent: { column: consent.name, words: knownWords(consent) } }),
    ...(date === undefined || dates.length > 1
      ? {}
      : {
          date: {
            column: date.name,
            ...(date.dateFormats.length === 1 && format !== undefined ? { format } : {}),
          },
        }),
  };
}

function channelOf(name: string): ConsentChannel | null {
  return CHANNEL_NAMES.find(([, pattern]) => pattern.test(plain(name)))?.[0] ?? null;
}

function isConsent(fact: ColumnFacts): boolean {
  return (
    CONSENT_NAME.test(plain(fact.name)) &&
    fact.words.length > 0 &&
    fact.words.length <= MOST_WORDS &&
    fact.dateFormats.length === 0 &&
    Object.keys(knownWords(fact)).length > 0
  );
}

function pushOf(facts: readonly ColumnFacts[]): Pick<MappingDraft, 'push'> {
  const token = facts.find((fact) => /(push|device) ?token/.test(plain(fact.name)));
  const platform = facts.find(
    (fact) =>
      fact.words.length > 0 && fact.words.every((word) => word === 'ios' || word === 'android'),
  );
  if (token === undefined || platform === undefined) return {};
  return { push: { token: token.name, platform: platform.name } };
}

function suppressedOf(facts: readonly ColumnFacts[]): Pick<MappingDraft, 'suppressed'> {
  const column = facts.find((fact) => /suppress|blacklist|blocklist/.test(plain(fact.name)));
  const values = column?.words.filter((word) => yesOrNo(word) === true) ?? [];
  const clear = column?.words.every((word) => yesOrNo(word) !== null) ?? false;
  return column !== undefined && clear && values.length > 0
    ? { suppressed: { column: column.name, values } }
    : {};
}

function plain(name: string): string {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^\p{L}\d]+/gu, ' ')
    .trim();
}
