/** The TypeScript type of a request, with the descriptions of its settings as doc comments. */
import { defaultWords } from '../../src/cli/request-words.ts';

export function typeFile(schema, settings, { retry, runOptions }) {
  const docs = new Map(settings.map((setting) => [setting.name, docOf(setting)]));
  return `// Written by scripts/write-request.mjs from the schema beside it: change that, then npm run generate.

/** ${schema.description} */
export interface MigrationRequest ${objectType(schema, docs)}

/** What \`consentry check\` and \`migrations.check\` are asked for: the same, without a source. */
export type CheckRequest = Omit<MigrationRequest, 'file'>;

/** The settings of a retry; it takes the rest from the run whose rows it retries. */
export type RetryRequest = ${pick(retry)};

/** How a run of a program goes; the program has the rest. */
export type RunOptions = ${pick(runOptions)};
`;
}

function pick({ shape }) {
  return `Pick<MigrationRequest, ${Object.keys(shape).map(quoted).join(' | ')}>`;
}

/** @param group what the name of a property begins with: `timing.` */
function objectType({ properties, required = [] }, docs, group = '') {
  const members = Object.entries(properties).map(([key, property]) => {
    const name = `${group}${key}`;
    const type = typeOf(property, docs, name);
    const member = required.includes(key) ? `${key}: ${type}` : `${key}?: ${type} | undefined`;
    return `/** ${docs.get(name)} */\nreadonly ${member};`;
  });
  return `{\n${members.join('\n')}\n}`;
}

function docOf(setting) {
  const { says, unit } = setting;
  const what = unit === undefined ? says : `${says}, in ${unit}`;
  const otherwise = defaultOf(setting);
  const stop = otherwise === '' ? '.' : `. Default: ${otherwise}.`;
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}${stop}`;
}

/** A number as a script writes it; a length of time also as people say it. */
function defaultOf(setting) {
  const words = defaultWords(setting);
  if (setting.otherwise !== undefined || typeof setting.default !== 'number') return words;
  return setting.kind === 'duration' ? `${setting.default} (${words})` : String(setting.default);
}

function typeOf(schema, docs, name) {
  if (schema.anyOf !== undefined) {
    return schema.anyOf.map((some) => typeOf(some, docs, name)).join(' | ');
  }
  if (schema.enum !== undefined) return schema.enum.map(quoted).join(' | ');
  switch (schema.type) {
    case 'object':
      return objectType(schema, docs, `${name}.`);
    case 'array':
      return `readonly (${typeOf(schema.items, docs, name)})[]`;
    case 'integer':
      return 'number';
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return schema.type;
    default:
      throw new Error(
        `There is no TypeScript for ${JSON.stringify(schema)} of ${name}: add it to type.mjs.`,
      );
  }
}

const quoted = (text) => `'${text}'`;
