import {
  parseDatabaseUrl,
  readMapping,
  readSmallText,
  SourceError,
} from '../../../importers/index.js';
import { variableOf, type Variables } from '../../../runtime/config.js';
import { ConfigFileError, type Problem } from './problems.js';
import { inFolder, type ProgramsFile } from './read.js';
import type { Reference } from './reference.js';
import type { WebhooksEntry } from './sync-schema.js';

/** Addresses of the connections by name, with their passwords. Never printed or stored. */
export type Secrets = ReadonlyMap<string, string>;

/**
 * Reads what the file refers to: the addresses of all connections, and mapping files, which have to be
 * valid. Keys of accounts are not read: only a worker needs one.
 *
 * @throws ConfigFileError with everything that is missing or wrong
 */
export async function readReferences(file: ProgramsFile, variables?: Variables): Promise<Secrets> {
  const { connections, programs } = file.settings;
  const problems: Problem[] = [];
  const secrets = new Map<string, string>();
  for (const [name, { url }] of Object.entries(connections)) {
    const path = ['connections', name, 'url'];
    try {
      const address = await secretAt(file, path, url, variables);
      parseDatabaseUrl(address);
      secrets.set(name, address);
    } catch (error) {
      problems.push(problemOf(file, path, error));
    }
  }
  for (const [name, { source }] of Object.entries(programs)) {
    if (source.mapping === undefined) continue;
    try {
      await readMapping(inFolder(file, source.mapping));
    } catch (error) {
      problems.push(problemOf(file, ['programs', name, 'source', 'mapping'], error));
    }
  }
  if (problems.length > 0) throw new ConfigFileError(file.path, problems);
  return secrets;
}

/** The key of an account; null if the file does not refer to one. @throws ConfigFileError */
export async function keyOfAccount(
  file: ProgramsFile,
  name: string,
  variables?: Variables,
): Promise<string | null> {
  const key = file.settings.accounts[name]?.key;
  if (key === undefined) return null;
  return secretAt(file, ['accounts', name, 'key'], key, variables);
}

/** A shorter one can be guessed, and Klaviyo is said to refuse it. */
const SHORTEST_WEBHOOK_SECRET = 16;

/** The secrets of the webhooks of a sync: what is signed with one of them is taken. @throws ConfigFileError */
export async function webhookSecrets(
  file: ProgramsFile,
  sync: string,
  webhooks: WebhooksEntry,
  variables?: Variables,
): Promise<string[]> {
  const secrets: string[] = [];
  for (const key of ['secret', 'former_secret'] as const) {
    const reference = webhooks[key];
    if (reference === undefined) continue;
    const path = ['syncs', sync, 'webhooks', key];
    const secret = await secretAt(file, path, reference, variables);
    if (secret.length < SHORTEST_WEBHOOK_SECRET) {
      const problem = `is shorter than ${SHORTEST_WEBHOOK_SECRET} characters`;
      const remedy = 'choose a longer one, here and in Klaviyo: whoever guesses it can start runs';
      throw new ConfigFileError(file.path, [file.problem(path, problem, remedy)]);
    }
    secrets.push(secret);
  }
  return secrets;
}

async function secretAt(
  file: ProgramsFile,
  path: readonly string[],
  { env, file: at }: Reference,
  variables?: Variables,
): Promise<string> {
  const wrong = (key: 'env' | 'file', problem: string, remedy: string): ConfigFileError =>
    new ConfigFileError(file.path, [file.problem([...path, key], problem, remedy)]);
  if (env !== undefined) {
    const value = variableOf(env, variables);
    if (value !== null) return value.trim();
    throw wrong(
      'env',
      `names the variable ${env}, which is not set`,
      `set ${env}, or correct the name`,
    );
  }
  if (at === undefined) throw new Error('A reference has neither a variable nor a file.');
  let text: string | null;
  try {
    text = await readSmallText(inFolder(file, at));
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const why =
      error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${String(error.code)})`;
    throw wrong(
      'file',
      `names ${at}, which ${why}`,
      'check the path, and that this user may read it',
    );
  }
  const value = text?.trim() ?? '';
  if (value !== '' && text !== null) return value;
  const why = text === null ? 'too large for a secret' : 'empty';
  throw wrong('file', `names ${at}, which is ${why}`, 'write the secret alone into it');
}

function problemOf(file: ProgramsFile, path: readonly string[], error: unknown): Problem {
  if (error instanceof ConfigFileError && error.problems[0] !== undefined) return error.problems[0];
  if (!(error instanceof SourceError)) throw error;
  // Its message says what is wrong, and never has a password.
  const problem = error.message.slice(0, -error.remedy.length).trim().replace(/\.$/, '');
  return file.problem(path, `is not usable: ${problem}`, error.remedy);
}
