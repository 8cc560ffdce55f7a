import { InvalidArgumentError, Option, type Command } from 'commander';
import type { z } from 'zod';
import type { requestShape } from '../starter/migrations/request/schema.js';
import type { Verb } from '../starter/migrations/request/setting.js';
import {
  flagsOf,
  REQUEST_SETTINGS,
  type Kind,
  type Setting,
} from '../starter/migrations/request/settings-list.js';
import { parseDuration, parseList } from './arguments.js';
import { flagWords } from './request-words.js';

/** The flags of a verb as commander read them; `settingsGiven` reads those that are settings. */
export type VerbFlags = Readonly<Record<string, unknown>> & { readonly json?: boolean };

/** Adds the flags of a verb that are settings of a request; the schema says which values they take. */
export function addRequestFlags(command: Command, verb: Verb): Command {
  flagsOf(verb).forEach((setting) => command.addOption(optionOf(setting)));
  return command;
}

/** The settings given as flags, and those that a missing flag sets. */
export function settingsGiven(verb: Verb, flags: VerbFlags): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const setting of flagsOf(verb)) {
    const value = valueOf(setting, flags[optionOf(setting).attributeName()]);
    if (value !== undefined) put(given, setting.name.split('.'), value);
  }
  return given;
}

/**
 * Reads one setting of a request, for a verb that takes it in another form than `migrate`.
 *
 * @returns a reader for commander, which throws InvalidArgumentError
 */
export function settingReader<Name extends keyof typeof requestShape>(
  name: Name,
): (text: string) => z.output<(typeof requestShape)[Name]> {
  const setting = REQUEST_SETTINGS.find((some) => some.name === name);
  if (setting === undefined) throw new Error(`There is no setting ${name}.`);
  // The value has the output type of the setting's schema.
  return (text) => readSetting(setting, text) as z.output<(typeof requestShape)[Name]>;
}

function optionOf(setting: Setting): Option {
  const option = new Option(setting.flag?.spelling ?? '', flagWords(setting));
  if (setting.kind === 'switch') return option;
  if (setting.kind === 'choice') return option.choices([...setting.choices]);
  return option.argParser((text) => readSetting(setting, text));
}

function valueOf({ flag }: Setting, value: unknown): unknown {
  if (flag?.switches === undefined) return value;
  return value === true ? flag.switches.on : flag.switches.off;
}

function put(into: Record<string, unknown>, [key = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) into[key] = value;
  else put((into[key] ??= {}) as Record<string, unknown>, rest, value);
}

/** @throws InvalidArgumentError; commander adds the flag and its value */
function readSetting({ kind, schema }: Setting, text: string): unknown {
  const result = schema.safeParse(fromText(kind, text));
  if (result.success) return result.data;
  const message = result.error.issues[0]?.message ?? '';
  throw new InvalidArgumentError(`${message.charAt(0).toUpperCase()}${message.slice(1)}.`);
}

function fromText(kind: Kind, text: string): unknown {
  if (kind === 'duration') return parseDuration(text);
  if (kind === 'list') return parseList(text);
  if (kind === 'number') return /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  return text;
}
