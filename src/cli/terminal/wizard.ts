import { confirm, input, select } from '@inquirer/prompts';
import type { ConsentChannel } from '../../contracts/channels.js';
import { describeMapping } from '../../importers/mapping/describe.js';
import { finishDraft, type MappingDraft } from '../../importers/mapping/draft.js';
import {
  answerProblem,
  openQuestions,
  withAnswer,
  type Question,
} from '../../importers/mapping/questions.js';
import type { Mapping } from '../../importers/mapping/schema.js';
import { suggestMapping } from '../../importers/mapping/suggest.js';
import type { Sample } from '../../importers/sample.js';

/** The person's terminal. Each prompt ends `output`, unless it is the process's own. */
export interface WizardIo {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** A choice besides the columns; no column can have this name, since names are trimmed. */
const NONE = ' none';
const OTHER = ' other';

/**
 * Asks a person what the columns of a source mean, starting from guesses. If they reject the
 * result, it asks everything again without guesses.
 *
 * @param channels of the run
 * @returns null if the person stops with Ctrl-C
 */
export async function askMapping(
  io: WizardIo,
  sample: Sample,
  channels: readonly ConsentChannel[],
): Promise<Mapping | null> {
  let { draft } = suggestMapping(sample.columns, sample.rows, channels);
  try {
    for (;;) {
      const mapping = finishDraft(await answered(io, draft, sample));
      io.output.write(`\n${describeMapping(mapping)}\n${notReadWords(mapping, sample.columns)}\n`);
      if (await confirm({ message: 'Is this correct?' }, io)) return mapping;
      draft = { channels: Object.fromEntries(channels.map((channel) => [channel, {}])) };
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') return null;
    throw error;
  }
}

/** Lists the columns that are not read, so that a column that blocks people is not missed. */
function notReadWords(mapping: Mapping, columns: readonly string[]): string {
  const read = new Set(columnsOf(mapping));
  const rest = columns.filter((column) => column !== '' && !read.has(column));
  if (rest.length === 0) return '';
  const blocking =
    mapping.suppressed === undefined
      ? ' If one of these columns says who must not be mailed, add it to the file as "suppressed".'
      : '';
  return `Not read: ${rest.join(', ')}.${blocking}\n`;
}

function columnsOf(mapping: Mapping): (string | undefined)[] {
  const { email, phone, country, date_of_birth: born, push, suppressed, channels } = mapping;
  const ofChannels = Object.values(channels).flatMap((channel) => [
    channel?.consent?.column,
    channel?.date?.column,
    channel?.opted_out_date === 'none' ? undefined : channel?.opted_out_date?.column,
    ...(channel?.opted_out ?? []),
  ]);
  return [
    email,
    phone,
    country?.column,
    born?.column,
    push?.token,
    push?.platform,
    suppressed?.column,
    ...ofChannels,
  ];
}

async function answered(
  io: WizardIo,
  guessed: MappingDraft,
  sample: Sample,
): Promise<MappingDraft> {
  let draft = guessed;
  for (;;) {
    const [question] = openQuestions(draft, sample);
    if (question === undefined) return draft;
    draft = withAnswer(draft, question, await ask(io, question), sample);
  }
}

async function ask(io: WizardIo, question: Question): Promise<string | null> {
  const message = messageOf(question);
  const choices = choicesOf(question);
  const choice = choices.length === 0 ? OTHER : await select({ message, choices }, io);
  if (choice === NONE) return null;
  if (choice !== OTHER) return choice;
  const validate = (text: string): string | true => answerProblem(question, text.trim()) ?? true;
  const text = await input({ message: typingOf(question) ?? message, validate }, io);
  return question.kind === 'country' ? text.trim().toUpperCase() : text.trim();
}

function messageOf(question: Question): string {
  switch (question.kind) {
    case 'identifier':
      return question.of === 'email'
        ? 'Which column has the e-mail address?'
        : 'Which column has the phone number?';
    case 'consent':
      return `Which column says who consented to ${question.channel}?`;
    case 'attestation':
      return `Every row with an address consented to ${question.channel}: who gave it, when and how?`;
    case 'word':
      return `What does "${question.word}" in "${question.column}" mean for ${question.channel}?`;
    case 'date':
      return `Which column has the date of consent to ${question.channel}?`;
    case 'date_format':
      return `How is the date "${question.example}" in "${question.column}" written?`;
    case 'timezone':
      return `Which time zone are dates such as "${question.example}" in? (UTC, Europe/Berlin)`;
    case 'country':
      return `Which country are numbers such as "${question.example}" from?`;
  }
}

function typingOf(question: Question): string | null {
  switch (question.kind) {
    case 'date_format':
      return `Its format, in yyyy MM dd HH mm ss, for "${question.example}":`;
    case 'country':
      return 'Country, two letters:';
    case 'identifier':
    case 'consent':
    case 'attestation':
    case 'word':
    case 'date':
    case 'timezone':
      return null;
  }
}

interface Choice {
  readonly name: string;
  readonly value: string;
}

const OTHER_FORMAT: Choice = { name: 'otherwise', value: OTHER };

function choicesOf(question: Question): readonly Choice[] {
  switch (question.kind) {
    case 'identifier':
      return columnChoices(question.columns);
    case 'consent':
      return [
        ...columnChoices(question.columns),
        { name: 'none: every row consented, and I attest to it', value: NONE },
      ];
    case 'date':
      return [
        ...columnChoices(question.columns),
        { name: 'none: there are no dates', value: NONE },
      ];
    case 'country':
      return [{ name: 'all of one country', value: OTHER }, ...columnChoices(question.columns)];
    case 'word':
      // The first choice subscribes nobody, in case somebody presses Enter too soon.
      return [
        { name: 'never asked: nothing is done', value: 'never' },
        { name: 'subscribed', value: 'subscribed' },
        { name: 'unsubscribed: they had consented and opted out', value: 'unsubscribed' },
        { name: 'on the list, without consent', value: 'list_only' },
      ];
    case 'date_format': {
      if (question.formats.length === 0) return [];
      const formats = question.formats.map((format) => ({ name: format, value: format }));
      return [...formats, OTHER_FORMAT];
    }
    case 'attestation':
    case 'timezone':
      return [];
  }
}

function columnChoices(columns: readonly string[]): readonly Choice[] {
  return columns
    .filter((column) => column !== '')
    .map((column) => ({ name: column, value: column }));
}
