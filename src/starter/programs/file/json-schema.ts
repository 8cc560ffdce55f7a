import { z } from 'zod';
import { fileSchema } from './schema.js';

/** The JSON Schema of `consentry.yaml`, for editors and generators. */
export function fileJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    title: TITLE,
    description: 'Programs of consent, and the accounts and databases that they work with.',
    ...z.toJSONSchema(fileSchema, { io: 'input' }),
  };
}

/** By this, a file with the schema is recognised. */
export const TITLE = 'consentry.yaml';
