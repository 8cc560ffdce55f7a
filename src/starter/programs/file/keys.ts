import { z } from 'zod';
import { aboutOf, setting, type About } from '../../migrations/request/setting.js';

/** A schema without its default and without null. */
type Bare<Schema> =
  Schema extends z.ZodDefault<infer Inner>
    ? Bare<Inner>
    : Schema extends z.ZodPrefault<infer Inner>
      ? Bare<Inner>
      : Schema extends z.ZodNullable<infer Inner>
        ? Bare<Inner>
        : Schema;

/**
 * A setting of a migration as a key of the file: the same values and the same description. A key
 * that is left out falls back to `defaults`, so it has no default of its own, and null, which would
 * be neither a value nor the fallback, is refused.
 */
export function keyOf<Schema extends z.ZodType>(
  ofRequest: Schema,
  changes: Partial<About> = {},
): z.ZodOptional<Bare<Schema>> {
  const { says = '', unit, otherwise } = aboutOf(ofRequest) ?? {};
  return setting((bare(ofRequest) as z.ZodType).optional(), {
    says,
    ...(unit === undefined ? {} : { unit }),
    ...(otherwise === undefined ? {} : { otherwise }),
    ...changes,
  }) as unknown as z.ZodOptional<Bare<Schema>>;
}

/** The schema of the values alone. */
export function bare<Schema extends z.ZodType>(schema: Schema): Bare<Schema> {
  const isWrapper =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable;
  // The wrappers' own type says what they wrap.
  return (isWrapper ? bare(schema.unwrap() as z.ZodType) : schema) as Bare<Schema>;
}

/** Requires one of two keys, and not both. */
export function eitherOf<First extends string, Second extends string>(
  first: First,
  second: Second,
  missing: string,
) {
  return (
    value: Readonly<Partial<Record<First | Second, unknown>>>,
    context: z.RefinementCtx,
  ): void => {
    if ((value[first] === undefined) !== (value[second] === undefined)) return;
    const both = value[first] !== undefined;
    const message = both ? `give ${first} or ${second}, not both` : missing;
    context.addIssue({ code: 'custom', message, ...(both ? { path: [second] } : {}) });
  };
}
