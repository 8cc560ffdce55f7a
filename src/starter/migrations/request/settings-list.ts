import { z } from 'zod';
import { requestSchema } from './schema.js';
import { aboutOf, type About, type Verb } from './setting.js';

/** How the value of a setting is written as text. */
export type Kind = 'switch' | 'text' | 'choice' | 'list' | 'number' | 'duration' | 'group';

/** One setting of a schema, with its description. */
export interface Setting extends About {
  /** With the name of its group: `timing.confirmWithinMs`. */
  readonly name: string;
  readonly schema: z.ZodType;
  readonly kind: Kind;
  /** The names of a choice. */
  readonly choices: readonly string[];
  /** Undefined if it has to be given. */
  readonly default: unknown;
}

/** Every setting of a schema. The settings of a group come after the group. */
export function settingsOf(schema: z.ZodType, group = ''): Setting[] {
  const core = coreOf(schema);
  if (!(core instanceof z.ZodObject)) return [];
  return Object.entries(core.shape as Readonly<Record<string, z.ZodType>>).flatMap(
    ([key, field]) => {
      const name = `${group}${key}`;
      return [settingOf(name, field), ...settingsOf(field, `${name}.`)];
    },
  );
}

function settingOf(name: string, schema: z.ZodType): Setting {
  const about = aboutOf(schema);
  if (about === undefined)
    throw new Error(`The setting ${name} has no description: make it with setting().`);
  const core = coreOf(schema);
  const choices = core instanceof z.ZodEnum ? core.options.map(String) : [];
  return {
    ...about,
    name,
    schema,
    kind: kindOf(core, about),
    choices,
    default: schema.safeParse(undefined).data,
  };
}

function kindOf(core: z.ZodType, { unit, flag }: About): Kind {
  if (core instanceof z.ZodBoolean || flag?.switches !== undefined) return 'switch';
  if (core instanceof z.ZodObject) return 'group';
  if (core instanceof z.ZodEnum) return 'choice';
  if (core instanceof z.ZodArray) return 'list';
  if (core instanceof z.ZodNumber) return unit === 'milliseconds' ? 'duration' : 'number';
  return 'text';
}

/** The schema of the value itself, without its optional, default and transform wrappers. */
function coreOf(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodOptional
  ) {
    return coreOf(schema.unwrap() as z.ZodType);
  }
  return schema instanceof z.ZodPipe ? coreOf(schema.in as z.ZodType) : schema;
}

/** Every setting of a migration. */
export const REQUEST_SETTINGS: readonly Setting[] = settingsOf(requestSchema);

/** The settings that a verb takes as flags. */
export function flagsOf(verb: Verb): Setting[] {
  return REQUEST_SETTINGS.filter(
    ({ flag }) => flag !== undefined && (flag.verbs ?? ['migrate']).includes(verb),
  );
}
