/** The files that are made from the schemas of a request and of a file of programs. */
import { z } from 'zod';
import {
  requestSchema,
  retrySchema,
  runOptionsSchema,
} from '../../src/starter/migrations/request/schema.ts';
import { REQUEST_SETTINGS } from '../../src/starter/migrations/request/settings-list.ts';
import { configPage } from './config-page.mjs';
import { fileJsonSchema } from '../../src/starter/programs/file/json-schema.ts';
import { flagsTable, scriptsTable } from './table.mjs';
import { typeFile } from './type.mjs';

const jsonSchema = {
  title: 'A migration of Consentry',
  description: 'What `consentry migrate` and `migrations.start` are asked for.',
  ...z.toJSONSchema(requestSchema, { io: 'input', override: withoutNoise }),
};

/** @type {{ path: string, contentOf: (there: string) => string }[]} */
export const requestFiles = [
  {
    path: 'src/starter/migrations/request/migration-request.ts',
    contentOf: () =>
      typeFile(jsonSchema, REQUEST_SETTINGS, { retry: retrySchema, runOptions: runOptionsSchema }),
  },
  { path: 'docs/migration.schema.json', contentOf: () => JSON.stringify(jsonSchema) },
  { path: 'docs/config.schema.json', contentOf: () => JSON.stringify(fileJsonSchema()) },
  { path: 'docs/config.md', contentOf: configPage },
  {
    path: 'docs/cli.md',
    contentOf: (there) =>
      between(
        between(there, 'settings with a flag', flagsTable(REQUEST_SETTINGS)),
        'settings of scripts',
        scriptsTable(REQUEST_SETTINGS),
      ),
  },
];

/** JavaScript's largest integer as a maximum tells a reader nothing. */
function withoutNoise({ jsonSchema: schema }) {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

/** Replaces the text between two comments of a page. */
function between(page, name, text) {
  const [begin, end] = [`<!-- ${name}: npm run generate -->`, `<!-- end of ${name} -->`];
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`The page has no ${begin} ... ${end} to write between.`);
  return `${before}${begin}\n\n${text}\n\n${end}${after}`;
}
