import type { z } from 'zod';
import type { YamlDocument } from '../../../importers/index.js';
import { redact } from '../../../runtime/redact.js';
import { nearest } from '../../../contracts/nearest.js';
import { shown } from '../../migrations/request/spelling.js';
import { knownKeys } from './known-keys.js';

/** Something that is wrong in the file, and what to do about it. No text has a secret. */
export interface Problem {
  /** From 1; null if the file could not be read at all. */
  readonly line: number | null;
  readonly column: number | null;
  /** `programs.ambassadors.opt_in`; blank if the whole file is meant. */
  readonly key: string;
  readonly problem: string;
  readonly remedy: string;
}

/** The file cannot be used. The message has a line for each problem, with its place and its remedy. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';
  constructor(
    /** Path of the file. */
    readonly file: string,
    readonly problems: readonly Problem[],
  ) {
    super(problems.map((problem) => wordsOf(file, problem)).join('\n'));
  }
}

function wordsOf(file: string, { line, column, key, problem, remedy }: Problem): string {
  const place = line === null ? file : `${file}, line ${line}, column ${column ?? 1}`;
  return `${place}: ${key === '' ? '' : `${key} `}${problem}. ${remedy}`;
}

/** The message about one key of a file that is wrong, with its place and its remedy. */
export function messageAt(
  file: { readonly path: string; readonly problem: Problems },
  key: Path,
  problem: string,
  remedy: string,
): string {
  return wordsOf(file.path, file.problem(key, problem, remedy));
}

type Path = readonly PropertyKey[];

/** Makes a problem of what is wrong at a path of the file. */
export type Problems = (path: Path, problem: string, remedy: string) => Problem;

export function problemsOf(document: YamlDocument): Problems {
  return (path, problem, remedy) => ({
    ...document.placeOf(path),
    key: path.map(String).join('.'),
    problem: redact(problem),
    remedy: sentence(remedy),
  });
}

function sentence(text: string): string {
  const stop = /[.?!]$/.test(text) ? '' : '.';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${stop}`;
}

/** The problems that the schema found. */
export function problemsOfForm(
  { value, placeOf, blanks }: YamlDocument,
  issues: readonly z.core.$ZodIssue[],
  make: Problems,
): Problem[] {
  const withUnknownKeys = issues.filter(({ code }) => code === 'unrecognized_keys');
  return issues.flatMap((issue): Problem[] => {
    const { path } = issue;
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey(path, key, make));
    }
    if (issue.code === 'invalid_key') {
      return [make(path, 'has a name that is not possible', issue.issues[0]?.message ?? '')];
    }
    const at = valueAt(value, path);
    // A blank key is told as such.
    if (at === null && blanks.some((blank) => sameAs(blank, path))) return [];
    if (at === undefined) return [missing(path, issue.message, placeOf, make)];
    if (issue.code === 'custom' && typeof at === 'object') {
      // What is missing is there under another name.
      if (withUnknownKeys.some((other) => sameAs(other.path, path))) return [];
      return [make(path, 'is not complete', issue.message)];
    }
    return [make(path, `is ${kindOf(at, path)}`, issue.message)];
  });
}

/** A text where a secret may be, in the wrong place, is not shown; nor is one that nobody reads. */
function kindOf(value: unknown, path: Path): string {
  if (typeof value !== 'string') return shown(value);
  const [group] = path;
  const isShown =
    value.length <= 60 && group !== 'accounts' && group !== 'connections' && !mayBeSecret(path);
  return isShown ? shown(value) : 'a text';
}

/** Keys whose value refers to a secret. */
const REFERENCES: readonly PropertyKey[] = ['key', 'url', 'secret', 'former_secret'];

function isReference(key: PropertyKey | undefined): boolean {
  return key !== undefined && REFERENCES.includes(key);
}

function mayBeSecret(path: Path): boolean {
  return path.some(isReference) || path.some((key) => key === 'webhooks' || key === 'notify');
}

function missing(
  path: Path,
  remedy: string,
  placeOf: YamlDocument['placeOf'],
  make: Problems,
): Problem {
  return { ...make(path, 'is missing', remedy), ...placeOf(path.slice(0, -1)) };
}

function unknownKey(path: Path, key: string, make: Problems): Problem {
  const known = knownKeys(path);
  const last = path.at(-1);
  // A secret that was written where a reference to it belongs may look like a key.
  if (isReference(last)) {
    return make(path, 'has a key that is not known here', 'give { env: NAME } or { file: PATH }');
  }
  const meant = nearest(key, known);
  return make(
    [...path, key],
    'is not known here',
    meant === null ? `known are ${known.join(', ')}` : `did you mean ${meant}?`,
  );
}

/** Keys that nothing follows: neither a value, nor left out. */
export function problemsOfBlanks({ blanks }: YamlDocument, make: Problems): Problem[] {
  return blanks.map((path) =>
    make(path, 'is blank', 'give a value, or leave the key out; null has to be written as such'),
  );
}

function sameAs(one: Path, other: Path): boolean {
  return (
    one.length === other.length && one.every((part, index) => String(part) === String(other[index]))
  );
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null
        ? (at as Readonly<Record<PropertyKey, unknown>>)[key]
        : undefined,
    value,
  );
}
