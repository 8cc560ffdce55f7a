/**
 * Removes from a text what must not be in a log: e-mail addresses, phone numbers, Klaviyo keys and
 * passwords in addresses.
 *
 * Works on plain text and on a line of JSON: an escape such as `\n` is skipped as a whole, so that
 * none of its characters is read as part of an address and the JSON stays valid.
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
    // The password of postgres://user:password@host; matched before e-mails, since it looks like one.
    String.raw`(?<password>(?<=:\/\/[^\s:/@"\\]*:)[^\s/@"\\]+@)`,
    String.raw`(?<email>[^\s"'<>()\[\],;:\\/=@]+@[^\s"'<>()\[\],;:\\/=@]+\.[^\s"'<>()\[\],;:\\/=@.]+)`,
    String.raw`\bpk_\w+`,
    // International, with any usual separators; or the North American format.
    String.raw`(?<phone>\+\d(?:[ ().\-]{0,2}\d){6,14}|(?:\(\d{3}\) ?|\b\d{3}[ .\-])\d{3}[ .\-]\d{4}\b)`,
  ].join('|'),
  'gu',
);
