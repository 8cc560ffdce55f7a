import { confirm, input, select } from '@inquirer/prompts';
import type { z } from 'zod';
import { isPhoneChannel } from '../../contracts/channels.js';
import { sourceSettings } from '../../starter/migrations/request/source-settings.js';
import type { FirstProgram } from '../../starter/programs/file/template.js';
import type { WizardIo } from './wizard.js';

/** What flags have answered already. */
export type Given = { readonly [Key in keyof FirstProgram]?: FirstProgram[Key] | undefined };

/**
 * Asks for what a new file needs and flags did not say.
 *
 * @returns null if the person stops with Ctrl-C
 */
export async function askFirstProgram(io: WizardIo, given: Given): Promise<FirstProgram | null> {
  try {
    return await asked(io, given);
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') return null;
    throw error;
  }
}

async function asked(io: WizardIo, given: Given): Promise<FirstProgram> {
  const ask = async (message: string, otherwise = ''): Promise<string> =>
    (await input({ message, default: otherwise }, io)).trim();
  const program = given.program ?? (await named(io));
  const source = given.source ?? (await askSource(io));
  const channels = given.channels ?? (await askChannels(io));
  const whatsapp =
    given.whatsapp ??
    (channels.includes('whatsapp') &&
      (await confirm(
        { message: 'No API says so: is WhatsApp connected in Klaviyo?', default: false },
        io,
      )));
  const list =
    given.list !== undefined
      ? given.list
      : (await ask('Which list, by id or name? (blank: none, the account’s default process)')) ||
        null;
  const optIn = given.optIn !== undefined ? given.optIn : await askProcess(io, list);
  const country =
    given.country !== undefined
      ? given.country
      : channels.some(isPhoneChannel)
        ? await askCountry(io)
        : null;
  const proof = given.proof !== undefined ? given.proof : await askProof(ask);
  return {
    program,
    account: given.account ?? null,
    country,
    whatsapp,
    source,
    channels,
    list,
    optIn,
    proof,
  };
}

function named(io: WizardIo): Promise<string> {
  return input(
    {
      message: 'What is the program called?',
      default: 'newsletter',
      validate: (text) =>
        /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(text) || 'Use letters, digits, - and _.',
    },
    io,
  );
}

async function askSource(io: WizardIo): Promise<FirstProgram['source']> {
  const needed = (text: string): string | true => text.trim() !== '' || 'Give it.';
  const where = await select(
    {
      message: 'Where are its people?',
      choices: [
        { name: 'in a file', value: 'file' },
        { name: 'in a database', value: 'database' },
      ],
    },
    io,
  );
  if (where === 'file') {
    const file = await input({ message: 'Path of the file:', validate: needed }, io);
    return { file: file.trim() };
  }
  const urlEnv = await input(
    {
      message: 'Environment variable with the address of the database:',
      default: 'CRM_URL',
      validate: (text) => /^[A-Z_][A-Z0-9_]*$/.test(text) || 'Give its name in capital letters.',
    },
    io,
  );
  const query = await input({ message: 'Query that selects the people:', validate: needed }, io);
  return { urlEnv, query: query.trim() };
}

async function askChannels(io: WizardIo): Promise<FirstProgram['channels']> {
  const read = (text: string): z.ZodSafeParseResult<FirstProgram['channels']> =>
    sourceSettings.channels.safeParse(text.split(',').map((name) => name.trim()));
  const text = await input(
    {
      message: 'Which channels? (email, sms, sms_transactional, whatsapp, push)',
      default: 'email',
      validate: (typed) => read(typed).error?.issues[0]?.message ?? true,
    },
    io,
  );
  return read(text).data ?? [];
}

function askProcess(io: WizardIo, list: string | null): Promise<FirstProgram['optIn']> {
  const choices = [
    { name: 'double: everybody is asked for a click', value: 'double' as const },
    { name: 'single', value: 'single' as const },
  ];
  const whose = list === null ? 'the account' : `the list ${list}`;
  return select({ message: `Which opt-in process does ${whose} have?`, choices }, io);
}

async function askCountry(io: WizardIo): Promise<string | null> {
  const text = await input(
    {
      message: 'Country of phone numbers without a country code, two letters (blank: none):',
      validate: (typed) => /^([A-Za-z]{2})?$/.test(typed.trim()) || 'Give two letters, such as US.',
    },
    io,
  );
  return text.trim().toUpperCase() || null;
}

async function askProof(ask: (message: string) => Promise<string>): Promise<FirstProgram['proof']> {
  const statement = await ask('What did people agree to: text or address? (blank: not stored)');
  if (statement === '') return null;
  const method = await ask('How did they agree, such as sign-up form?');
  return { statement, method: method === '' ? 'sign-up form' : method };
}
