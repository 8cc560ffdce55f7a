/**
 * Cuts what must not be in a log out of a text: e-mail addresses, phone numbers, Klaviyo keys and
 * passwords in addresses.
 *
 * Works on plain text and on a line of JSON: an escape such as `\n` is stepped over as a whole, so
 * that none of its characters is taken for the beginning of an address and the JSON stays valid.
 */
export function redact(text: string): string {
  return text.replace(SENSITIVE, (found, ...groups) => {
    const { password, email, phone } = groups.at(-1) as Record<string, string | undefined>;
    if (password) return '[secret]@';
    if (email) return '[e-mail]';
    if (phone) return '[phone]';
    // An escape stays as it is.
    return found.startsWith('pk_') ? '[key]' : found;
  });
}

const SENSITIVE = new RegExp(
  [
    String.raw`\\(?:u[0-9a-fA-F]{4}|.)`,
    // The password of postgres://user:password@host; before the e-mail, which it would look like.
    String.raw`(?<password>(?<=:\/\/[^\s:/@"\\]*:)[^\s/@"\\]+@)`,
    String.raw`(?<email>[^\s"'<>()\[\],;:\\/=@]+@[^\s"'<>()\[\],;:\\/=@]+\.[^\s"'<>()\[\],;:\\/=@.]+)`,
    String.raw`\bpk_\w+`,
    // International, with any usual separators; or the North American way of writing one.
    String.raw`(?<phone>\+\d(?:[ ().\-]{0,2}\d){6,14}|(?:\(\d{3}\) ?|\b\d{3}[ .\-])\d{3}[ .\-]\d{4}\b)`,
  ].join('|'),
  'gu',
);
