import { randomBytes } from 'node:crypto';
import { access, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { parseDocument, stringify } from 'yaml';
import type { z } from 'zod';
import { SourceError } from '../source-error.js';
import { mappingSchema, type Mapping } from './schema.js';

/** Reads a mapping file, in YAML or JSON. Throws `SourceError`. */
export async function readMapping(path: string): Promise<Mapping> {
  return parseMapping(await readText(path), path);
}

/** Reads the text of a mapping file; `path` is for messages. Throws `SourceError`. */
export function parseMapping(text: string, path: string): Mapping {
  // JSON is YAML, so one parser reads both and knows the line of a mistake.
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    throw new SourceError(
      'mapping_unreadable',
      { file: path, line },
      `This is no YAML or JSON: ${error.message.split('\n')[0]?.replace(/[:.]+$/, '')}.`,
      'Check indents, quotes and brackets there.',
    );
  }
  return checkMapping(document.toJS() as unknown, path);
}

/** Throws `SourceError` that names each key that is wrong. */
export function checkMapping(value: unknown, path: string): Mapping {
  const result = mappingSchema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${keyOf(issue.path)}: ${wordsOf(issue)}`);
  throw new SourceError(
    'mapping_invalid',
    { file: path },
    `The mapping is not right. ${problems.join('; ')}.`,
    'Correct these keys; docs/sources.md has a mapping with every key.',
  );
}

/**
 * Writes a mapping as YAML, or as JSON where the path ends in `.json`. A file that is there already
 * is only replaced with `overwrite`. Throws `SourceError`.
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
      'There is a file of this name already.',
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
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw systemError(path, error, 'read', 'Check the path of --map.');
  }
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
    return `"${issue.keys.join('", "')}" is not known here, so remove or correct it`;
  }
  if (issue.code === 'invalid_type') {
    return issue.message === issue.message.toLowerCase() ? issue.message : `give ${issue.expected}`;
  }
  return issue.message.replace(/\.$/, '');
}
