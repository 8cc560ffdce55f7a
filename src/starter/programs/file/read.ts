import { dirname, join, resolve } from 'node:path';
import type { SecretReference } from '../../../contracts/sync.js';
import { LARGEST_SMALL_FILE, readSmallText } from '../../../importers/index.js';
import { loadConfig, type Variables } from '../../../runtime/config.js';
import { parseFile, type ParsedFile } from './parse.js';
import { ConfigFileError } from './problems.js';
import type { Reference } from './reference.js';

/** Its name in the current folder. */
export const FILE_NAME = 'consentry.yaml';

export interface ProgramsFile extends ParsedFile {
  /** As given or found; paths in the file are relative to its folder. */
  readonly path: string;
  readonly folder: string;
}

/** Where the file is: as given, else as CONSENTRY_CONFIG says, else in the current folder. */
export function pathOfFile(given: string | null, variables?: Variables): string {
  return given ?? loadConfig(variables).programsFile ?? FILE_NAME;
}

/**
 * Reads the file with the programs. Secrets that it refers to are not read.
 *
 * @param given its path; null if the environment or the current folder says where it is
 * @throws ConfigFileError with everything that is wrong in it
 */
export async function readFile(given: string | null, variables?: Variables): Promise<ProgramsFile> {
  const path = pathOfFile(given, variables);
  let text: string | null;
  try {
    text = await readSmallText(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  if (text === null) {
    throw wholeFile(
      path,
      `is larger than ${LARGEST_SMALL_FILE / 1_048_576} MiB, so it is not a file of programs`,
      'Check the path.',
    );
  }
  return { ...parseFile(text, path), path, folder: dirname(path) };
}

/** A path of the file: relative to its folder. */
export function inFolder({ folder }: Pick<ProgramsFile, 'folder'>, path: string): string {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(path) ? path : join(folder, path);
}

/** Where a worker finds a secret that the file refers to. */
export function referenceOf(
  file: Pick<ProgramsFile, 'folder'>,
  { env, file: path }: Reference,
): SecretReference {
  if (env !== undefined) return { from: 'env', name: env };
  if (path === undefined) throw new Error('A reference has neither a variable nor a file.');
  return { from: 'file', path: resolve(inFolder(file, path)) };
}

function unreadable(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  return error.code === 'ENOENT'
    ? wholeFile(
        path,
        'does not exist',
        'Write one with consentry init, or say where it is with --config PATH or CONSENTRY_CONFIG.',
      )
    : wholeFile(
        path,
        `cannot be read (${String(error.code)})`,
        'Check the path and its permissions.',
      );
}

function wholeFile(path: string, problem: string, remedy: string): ConfigFileError {
  return new ConfigFileError(path, [
    { line: null, column: null, key: '', problem: `The file ${problem}`, remedy },
  ]);
}
