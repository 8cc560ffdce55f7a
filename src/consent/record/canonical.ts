/*
 * Values in the one form in which equal values are equal texts, although a database has forms of its
 * own. Times: `timestamps.ts`.
 */

/** JSON text without spaces, with the keys of objects in the order of their code units. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

const UNSTORABLE = /[\0\p{Surrogate}]/u;
const ALL_UNSTORABLE = /[\0\p{Surrogate}]/gu;

/** Text without what a database cannot hold, NUL and halves of characters. */
export function storableText(text: string): string {
  return UNSTORABLE.test(text) ? text.replace(ALL_UNSTORABLE, '\uFFFD') : text;
}
