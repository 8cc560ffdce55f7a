import { randomBytes } from 'node:crypto';
import { access, rename, rm, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { SourceError } from '../../connectors/source-error.js';
import { LARGEST_SMALL_FILE, readSmallText } from '../small-file.js';
import { parseYaml, YamlError } from '../yaml-document.js';
import { mappingSchema, type Mapping } from './schema.js';

/** Most problems, and unknown keys, that a message names. */
const SHOWN = 10;

/** Reads a mapping file, in YAML or JSON. Throws `SourceError`. */
export async function readMapping(path: string): Promise<Mapping> {
  return parseMapping(await readText(path), path);
}

/** Reads the text of a mapping file; `path` is for messages. Throws `SourceError`. */
export function parseMapping(text: string, path: string): Mapping {
  return checkMapping(readYaml(text, path), path);
}

function readYaml(text: string, path: string): unknown {
  try {
    return parseYaml(text).value;
  } catch (error) {
    if (error instanceof YamlError) throw noYaml(path, error.message, error.place?.line);
    throw error;
  }
}

function noYaml(path: string, message: string, line?: number): SourceError {
  return new SourceError(
    'mapping_unreadable',
    { file: path, line },
    `This is not YAML or JSON: ${message.split('\n')[0]?.replace(/[:.]+$/, '')}.`,
    'Check indents, quotes and brackets there.',
  );
}

/** Throws `SourceError` that names each key that is wrong. */
export function checkMapping(value: unknown, path: string): Mapping {
  const result = mappingSchema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  const shown = issues.slice(0, SHOWN).map((issue) => `${keyOf(issue.path)}: ${wordsOf(issue)}`);
  const problems = [
    ...shown,
    ...(issues.length > SHOWN ? [`and ${issues.length - SHOWN} more`] : []),
  ];
  throw new SourceError(
    'mapping_invalid',
    { file: path },
    `The mapping is wrong. ${problems.join('; ')}.`,
    'Correct these keys; docs/sources.md has a mapping with every key.',
  );
}

/**
 * Writes a mapping as YAML, or as JSON if the path ends in `.json`. Replaces an existing file only
 * with `overwrite`. Throws `SourceError`.
 */
export async function writeMapping(
  path: string,
  mapping: Mapping,
  { overwrite = false }: { readonly overwrite?: boolean } = {},
): Promise<void> {
  if (!overwrite && (await exists(path))) {
    throw new SourceError(
      'mapping_exists',
      { file: path },
      'A file with this name already exists.',
      'Choose another name, or remove it first.',
    );
  }
  const text = path.toLowerCase().endsWith('.json')
    ? `${JSON.stringify(mapping, null, 2)}\n`
    : stringify(mapping);
  const unfinished = `${path}.${randomBytes(4).toString('hex')}.new`;
  try {
    await writeFile(unfinished, text);
    await rename(unfinished, path);
  } catch (error) {
    throw systemError(
      path,
      error,
      'written',
      'Check that the folder exists and may be written to.',
    );
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function readText(path: string): Promise<string> {
  const text = await readSmallText(path).catch((error: unknown) => {
    throw systemError(path, error, 'read', 'Check the path of --map.');
  });
  if (text === null) throw tooLarge(path);
  return text;
}

function tooLarge(path: string): SourceError {
  return new SourceError(
    'mapping_unreadable',
    { file: path },
    `This is not a mapping: it is larger than ${LARGEST_SMALL_FILE / 1_048_576} MiB.`,
    'Check the path of --map; docs/sources.md has a mapping with every key.',
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function systemError(path: string, error: unknown, done: string, remedy: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const problem =
    error.code === 'ENOENT' && done === 'read'
      ? 'There is no such mapping file.'
      : `The mapping file cannot be ${done} (${String(error.code)}).`;
  return new SourceError('mapping_unreadable', { file: path }, problem, remedy);
}

function keyOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'the whole file' : path.map(String).join('.');
}

function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.slice(0, SHOWN).map((key) => key.slice(0, 100));
    return `"${keys.join('", "')}" is not known here: remove or correct it`;
  }
  if (issue.code === 'invalid_type') {
    return issue.message === issue.message.toLowerCase() ? issue.message : `give ${issue.expected}`;
  }
  return issue.message.replace(/\.$/, '');
}
