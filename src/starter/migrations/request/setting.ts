import { z } from 'zod';

/** A verb of the CLI that takes settings of a request. */
export type Verb = 'migrate' | 'program run' | 'check' | 'map' | 'retry-failed';

/** How the CLI takes a setting. */
export interface Flag {
  /** As help shows it: `--list <id>`. Without a value it is a switch. */
  readonly spelling: string;
  /** Verbs that take it. Default: `migrate` alone. */
  readonly verbs?: readonly Verb[];
  /**
   * For a flag that turns something on or off but whose setting is not a boolean: the values, and
   * the text in help.
   */
  readonly switches?: { readonly on: unknown; readonly off: unknown; readonly says: string };
}

/** The description of a setting in help, documentation, JSON Schema and editors. */
export interface About {
  /** One line without a full stop. */
  readonly says: string;
  readonly unit?: 'milliseconds';
  /** What happens if it is not given, where that is not a value of the setting. */
  readonly otherwise?: string;
  /** Absent if the CLI does not offer the setting. */
  readonly flag?: Flag;
}

/** The description of each setting, by its schema. */
const abouts = z.registry<About>();

/** A setting of a request: its allowed values, its default and its description. */
export function setting<Schema extends z.ZodType>(schema: Schema, about: About): Schema {
  const described = schema.describe(descriptionOf(about));
  abouts.add(described, about);
  return described;
}

export function aboutOf(schema: z.ZodType): About | undefined {
  return abouts.get(schema);
}

function descriptionOf({ says, unit, otherwise }: About): string {
  const what = unit === undefined ? says : `${says}, in ${unit}`;
  return otherwise === undefined ? `${what}.` : `${what}. Default: ${otherwise}.`;
}

/** The setting may be left out or null, which is the same. */
export function optional<Schema extends z.ZodType>(
  schema: Schema,
): z.ZodDefault<z.ZodNullable<Schema>> {
  // The default null has to have the schema's output type, which TypeScript cannot see here.
  return schema.nullable().default(null as z.output<z.ZodNullable<Schema>> & null);
}

/** Text that is not blank. PostgreSQL, which stores most settings with their run, cannot hold NUL. */
export function text(error: string): z.ZodString {
  return z.string({ error }).regex(/^[^\0]*[^\s\0][^\0]*$/, error);
}

export function choice<const Names extends readonly string[]>(
  names: Names,
): z.ZodEnum<{ [Name in Names[number]]: Name }> {
  const others = names.slice(0, -1);
  const error = others.length === 0 ? names[0] : `${others.join(', ')} or ${names.at(-1)}`;
  return z.enum(names, { error: `give ${error}` });
}

export function yesOrNo(): z.ZodDefault<z.ZodBoolean> {
  return z.boolean({ error: 'give true or false' }).default(false);
}

/** @param missing what to do if it is needed and not given */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER, missing?: string): z.ZodInt {
  const bounds = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  const wrong = `give a whole number ${bounds}`;
  const error = ({ input }: { readonly input?: unknown }) =>
    input === undefined ? (missing ?? wrong) : wrong;
  return z.int({ error }).min(least, wrong).max(most, wrong);
}

/** No wait is longer than a year. */
const LONGEST_MS = 365 * 24 * 3_600_000;

/**
 * A length of time; the CLI reads `90s`, `15m` or `1h`.
 *
 * @param least milliseconds; more than 0 for pauses, which must not become a busy loop
 * @param most milliseconds
 */
export function milliseconds(least = 0, most = LONGEST_MS): z.ZodNumber {
  const error = `give a number of milliseconds from ${least} to ${most}`;
  return z.number({ error }).min(least, error).max(most, error);
}
