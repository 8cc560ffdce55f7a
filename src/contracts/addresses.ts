/**
 * An e-mail address for comparison: A to Z in lower case, every other character unchanged. Full
 * lower-casing could turn it into another address: U+212A (the Kelvin sign) becomes `k`. Null is
 * nobody's address.
 */
export function foldEmail(email: string): string;
export function foldEmail(email: string | null): string | null;
export function foldEmail(email: string | null): string | null {
  return email?.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) ?? null;
}

const BLANK = /[\s\u200B-\u200F\u2060\uFEFF]/u;

/** A text without surrounding white space and without the zero-width marks that copying leaves. */
export function bareText(text: string): string {
  // A pattern that ends in `$` would start again at each of many blanks within a text.
  let [start, end] = [0, text.length];
  while (end > start && BLANK.test(text.charAt(end - 1))) end -= 1;
  while (start < end && BLANK.test(text.charAt(start))) start += 1;
  return text.slice(start, end);
}
