import type { z } from 'zod';
import type {
  CheckRequest,
  MigrationRequest,
  RetryRequest,
  RunOptions,
} from './migration-request.js';
import { nearest } from '../../../contracts/nearest.js';
import type { Rule } from './rules.js';
import {
  checkSchema,
  requestSchema,
  retrySchema,
  runOptionsSchema,
  type FullCheck,
  type FullRequest,
  type FullRetry,
  type FullRunOptions,
} from './schema.js';
import { SettingsError } from './settings-error.js';
import { asProperty, shown, type Spelling } from './spelling.js';
import { settingsOf } from './settings-list.js';

/**
 * @param the how the caller writes settings, for messages
 * @returns the request with every default; parsing that again changes nothing
 * @throws SettingsError naming each setting that is wrong
 */
export function parseRequest(request: MigrationRequest, the: Spelling = asProperty): FullRequest {
  return parsed(requestSchema, request, the);
}

/** As `parseRequest`, for a request without a source. */
export function parseCheck(request: CheckRequest, the: Spelling = asProperty): FullCheck {
  return parsed(checkSchema, request, the);
}

/** As `parseRequest`, for the settings of a retry. */
export function parseRetry(request: RetryRequest, the: Spelling = asProperty): FullRetry {
  return parsed(retrySchema, request, the);
}

/** As `parseRequest`, for how a run of a program goes. */
export function parseRunOptions(options: RunOptions, the: Spelling = asProperty): FullRunOptions {
  return parsed(runOptionsSchema, options, the);
}

function parsed<Full>(schema: z.ZodType<Full>, request: unknown, the: Spelling): Full {
  const result = schema.safeParse(request, { reportInput: true });
  if (result.success) return result.data;
  const known = settingsOf(schema).map(({ name }) => name);
  const words = result.error.issues.map((issue) => problem(issue, request, known, the));
  throw new SettingsError([...new Set(words)].join('\n'));
}

function problem(
  issue: z.core.$ZodIssue,
  request: unknown,
  known: readonly string[],
  the: Spelling,
): string {
  // An entry of a list is named by the list.
  const name = issue.path.filter((part) => typeof part === 'string').join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(unknownSetting(name, known)).join('\n');
  if (name === '')
    return `The settings are ${shown(request)}: give an object such as { file: 'a.csv' }.`;
  if (issue.code === 'custom') return (issue.params?.['rule'] as Rule).says(the);
  const value = shown(valueAt(request, issue.path));
  return `${the(name)} is ${value}: ${issue.message}.`;
}

function unknownSetting(group: string, known: readonly string[]): (key: string) => string {
  return (key) => {
    const name = group === '' ? key : `${group}.${key}`;
    const siblings = known.filter(
      (some) => some.lastIndexOf('.') === (group === '' ? -1 : group.length),
    );
    const meant = nearest(name, siblings);
    return meant === null
      ? `There is no setting ${name}: known are ${siblings.join(', ')}.`
      : `There is no setting ${name}: did you mean ${meant}?`;
  };
}

function valueAt(request: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Readonly<Record<PropertyKey, unknown>>)[key]
        : undefined,
    request,
  );
}
