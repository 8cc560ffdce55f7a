/**
 * An e-mail address for comparison: A to Z in lower case, and every other character as it is. Full
 * lower-casing would make another address of it, as U+212A (a Kelvin sign) becomes a `k`.
 */
export function foldEmail(email: string): string {
  return email.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
