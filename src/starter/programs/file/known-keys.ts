import { z } from 'zod';
import { fileSchema } from './schema.js';

/** The keys that a place of the file can have; none if it is no group of keys. */
export function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: z.ZodType = core(fileSchema);
  for (const part of path) {
    if (schema instanceof z.ZodRecord) schema = core(schema.valueType as z.ZodType);
    else if (schema instanceof z.ZodObject) {
      const shape = schema.shape as Readonly<Record<string, z.ZodType>>;
      const next = shape[String(part)];
      if (next === undefined) return [];
      schema = core(next);
    } else return [];
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function core(schema: z.ZodType): z.ZodType {
  const isWrapper =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable;
  return isWrapper ? core(schema.unwrap() as z.ZodType) : schema;
}
