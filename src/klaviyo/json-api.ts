import * as z from 'zod';

/**
 * One error object of a refused request, as Klaviyo wrote it. `detail` may quote a person's address
 * or number: use it for decisions, never in a message or a log.
 */
export interface JsonApiError {
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** JSON pointer into the request, e.g. `/data/attributes/profiles/data/2/attributes/email`. */
  readonly pointer: string | null;
  /** Query parameter that the error is about. */
  readonly parameter: string | null;
}

const text = z.string().catch('');
const optionalText = z.string().nullable().catch(null);

const errorObject = z.object({
  code: text,
  title: text,
  detail: text,
  source: z
    .object({ pointer: optionalText, parameter: optionalText })
    .catch({ pointer: null, parameter: null }),
});

/** The same as a resource: an error of one row of an accepted import. */
export const importErrorSchema = z
  .object({ attributes: errorObject })
  .transform(({ attributes: { source, ...rest } }): JsonApiError => ({
    ...rest,
    pointer: source.pointer,
    parameter: source.parameter,
  }));

/** An error that could not be read must not disappear: it counts as an error of the whole request. */
const UNREADABLE: JsonApiError = {
  code: 'unreadable',
  title: 'An error object that is not JSON:API.',
  detail: '',
  pointer: null,
  parameter: null,
};

/** All errors of a body; empty if the body is not a JSON:API error. */
export function parseJsonApiErrors(body: string | null): JsonApiError[] {
  const parsed = z.object({ errors: z.array(z.unknown()) }).safeParse(parseJson(body)?.value);
  if (!parsed.success) return [];
  return parsed.data.errors.map((value) => {
    const error = errorObject.safeParse(value);
    if (!error.success) return UNREADABLE;
    const { source, ...rest } = error.data;
    return { ...rest, pointer: source.pointer, parameter: source.parameter };
  });
}

/**
 * The JSON value of a body; null if the body is missing, cut short or not JSON. PostgreSQL's text
 * cannot hold NUL, so it is replaced by U+FFFD, which no identifier has.
 */
export function parseJson(body: string | null): { readonly value: unknown } | null {
  if (body === null) return null;
  try {
    return {
      value: JSON.parse(body, body.includes('\\u0000') ? withoutNul : undefined) as unknown,
    };
  } catch {
    // V8's message quotes the text, so it is not passed on: callers say what is missing.
    return null;
  }
}

function withoutNul(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value;
}

/** Links of a collection; on the last page `next` is null or absent. */
export const links = z.object({ next: z.string().nullish() }).nullish();
