/**
 * An e-mail address for comparison: A to Z in lower case, and every other character as it is. Full
 * lower-casing would make another address of it, as U+212A (a Kelvin sign) becomes a `k`.
 * Null is nobody's address.
 */
export function foldEmail(email: string): string;
export function foldEmail(email: string | null): string | null;
export function foldEmail(email: string | null): string | null {
  return email?.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) ?? null;
}

const BLANK = /[\s\u200B-\u200F\u2060\uFEFF]/u;

/** A text without the white space, and the marks without width that copying leaves, around it. */
export function bareText(text: string): string {
  // A pattern that ends in `$` tries each of many blanks within a text anew.
  let [start, end] = [0, text.length];
  while (end > start && BLANK.test(text.charAt(end - 1))) end -= 1;
  while (start < end && BLANK.test(text.charAt(start))) start += 1;
  return text.slice(start, end);
}
