import type { ImportOptions, Mapping } from '../../importers/index.js';
import { SettingsError } from '../migrations/request/settings-error.js';
import type { MigrationRequest, RunOptions } from '../migrations/request/migration-request.js';
import { parseRequest, parseRunOptions } from '../migrations/request/parse.js';
import type { FullRequest } from '../migrations/request/schema.js';
import { shown, type Spelling } from '../migrations/request/spelling.js';
import { importOptions } from '../migrations/settings.js';
import { ConfigFileError } from './file/problems.js';
import { inFolder, type ProgramsFile } from './file/read.js';
import type { Secrets } from './file/secrets.js';
import type { Program } from './program.js';

/**
 * What a migration of the program is asked for. Its list may still be a name.
 *
 * @param options how this run goes; they are not settings of the program
 * @throws ConfigFileError if the settings of the program contradict each other
 * @throws SettingsError if an option is wrong
 */
export function requestOf(
  file: ProgramsFile,
  secrets: Secrets,
  program: Program,
  options: RunOptions = {},
): FullRequest {
  const { source, channels, list, optIn, askAgainDays, historical } = program;
  const { smsCountries, smsWithoutSender, quietHours } = program;
  const request: MigrationRequest = {
    ...parseRunOptions(options),
    file: locationOf(file, secrets, program),
    query: source.query ?? null,
    encoding: source.encoding ?? null,
    channels: channels.value,
    preset: source.preset ?? null,
    mapping: source.mapping === undefined ? null : inFolder(file, source.mapping),
    smsColumn: source.sms_column ?? null,
    country: program.country.value,
    timezone: source.timezone ?? null,
    consentedAt: source.consented_at ?? null,
    attested: source.attested ?? null,
    undated: source.undated ?? null,
    account: program.account.id,
    listId: list.value,
    optIn: optIn.value,
    askAgainDays: askAgainDays.value,
    historical: historical.value,
    smsCountries: smsCountries.value,
    smsWithoutSender: smsWithoutSender.value,
    quietHours: quietHours.value,
    customSource: customSourceOf(program),
  };
  try {
    return parseRequest(request, asKey);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const problems = error.message.split('\n').map((line) => {
      const [, problem = line, remedy = ''] = /^(.*?): ((?:give|use|leave) .*)$/.exec(line) ?? [];
      return file.problem(['programs', program.name], `contradicts itself: ${problem}`, remedy);
    });
    throw new ConfigFileError(file.path, problems);
  }
}

/** How the source of a program is read. */
export function importingOf(
  { segment }: Program,
  request: FullRequest,
  mapping: Mapping | null,
): ImportOptions {
  return { ...importOptions(request, mapping), segment };
}

/** What Klaviyo and the ledger store as the source of the consent; null for the usual one. */
export function customSourceOf({ proof }: Pick<Program, 'proof'>): string | null {
  return proof === null ? null : `${proof.method}: ${proof.statement}`;
}

/** Path of the source, or address of its database with the password. */
export function locationOf(file: ProgramsFile, secrets: Secrets, { source }: Program): string {
  if (source.file !== undefined) return inFolder(file, source.file);
  const address = secrets.get(source.connection ?? '');
  if (address === undefined) throw new Error('The connections of the file were not read.');
  return address;
}

/** Settings of a migration that the file calls otherwise. */
const KEYS: Readonly<Record<string, string>> = { listId: 'list' };

/** As in the file: `undated: list_only`. */
export const asKey: Spelling = (setting, value) => {
  const key = KEYS[setting] ?? snakeCase(setting);
  return value === undefined ? key : `${key}: ${shown(value).replaceAll("'", '')}`;
};

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
