import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileJsonSchema, TITLE } from '../../starter/programs/file/json-schema.js';
import { parseFile } from '../../starter/programs/file/parse.js';
import { fileText, SCHEMA_FILE, type FirstProgram } from '../../starter/programs/file/template.js';
import { UsageError } from '../ended.js';

/** @throws UsageError if there is something at the path */
export async function requireNew(path: string): Promise<void> {
  if ((await stat(path).catch(() => null)) !== null) throw alreadyThere(path);
}

/**
 * Writes a file with one program, and the JSON Schema beside it.
 *
 * @throws ConfigFileError if the answers make no valid file; nothing is written then
 * @throws UsageError if a file is in the way
 */
export async function writeFirstFile(
  path: string,
  first: FirstProgram,
): Promise<{ readonly file: string; readonly schema: string }> {
  const text = fileText(first);
  parseFile(text, path);
  const schema = join(dirname(path), SCHEMA_FILE);
  await requireOurs(schema);
  // Not even a file that appeared since the check is replaced.
  await writeFile(path, text, { flag: 'wx' }).catch((error: unknown) => {
    throw cannotWrite(path, error);
  });
  await writeFile(schema, `${JSON.stringify(fileJsonSchema(), null, 2)}\n`).catch(
    (error: unknown) => {
      throw cannotWrite(schema, error);
    },
  );
  return { file: path, schema };
}

/** The schema is made from the program, so that of an earlier version is replaced, and nothing else. */
async function requireOurs(schema: string): Promise<void> {
  const there = await readFile(schema, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw cannotWrite(schema, error);
  });
  if (there !== null && titleOf(there) !== TITLE) throw alreadyThere(schema);
}

function titleOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly title?: unknown } | null)?.title;
  } catch {
    return null;
  }
}

function alreadyThere(path: string): UsageError {
  return new UsageError(
    `${path} already exists: nothing was written. Remove it first, or choose another path with --config.`,
  );
}

function cannotWrite(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  if (error.code === 'EEXIST') return alreadyThere(path);
  return new UsageError(
    `${path} cannot be written (${String(error.code)}): check that the folder exists and may be written to.`,
  );
}
