/**
 * Around a value: white space, the marks without width that copying from web pages leaves behind,
 * and before it the `'` with which exports tell a spreadsheet that a cell is text.
 */
const AROUND = /^[\s'\u200B-\u200F\u2060\uFEFF]+|[\s\u200B-\u200F\u2060\uFEFF]+$/gu;

/** The value of a cell without what stands around it. */
export function cellText(raw: string): string {
  return raw.replace(AROUND, '');
}
