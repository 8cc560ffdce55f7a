/**
 * Which parts of Klaviyo's texts an error message may have. Messages end up in Temporal histories
 * and logs, so they have codes, titles and pointers, but no address, number or key.
 */

const LONGEST = 200;
const LONGEST_READ = 2_000;

/** Free text from Klaviyo without e-mails, numbers of six or more digits, keys and quoted values. */
export function scrubText(text: string): string {
  return whole(text)
    .replace(/\bpk_\w+/g, '[key]')
    .replace(/"[^"]*"|'[^']*'/g, keepNames)
    .replace(/[^\s<>"'[\](),;]*@[^\s<>"'[\](),;]*/g, '[e-mail]')
    .replace(/\+?\p{Nd}(?:[\s().:/-]*\p{Nd}){5,}/gu, '[number]')
    .slice(0, LONGEST);
}

/** The text, or its beginning up to a space, since half an address would not be recognised as one. */
function whole(text: string): string {
  return text.length <= LONGEST_READ ? text : text.slice(0, LONGEST_READ).replace(/\S*$/, '');
}

/** A quoted word such as 'phone_number' names a field; anything else in quotes may be a value. */
function keepNames(quoted: string): string {
  return /^['"][a-z][a-z_]{0,60}['"]$/.test(quoted) ? quoted : '[value]';
}

/** A JSON pointer or query parameter, if it looks like one; `[pointer]` otherwise. */
export function scrubPointer(pointer: string): string {
  const looksRight =
    /^[A-Za-z0-9_/.[\]-]{1,200}$/.test(pointer) && !/(?:\d[-_.]*){6,}/.test(pointer);
  return looksRight ? pointer : '[pointer]';
}

/** An error code, if it looks like one; `unknown` otherwise. */
export function scrubCode(code: string): string {
  return /^[A-Za-z_.-]{1,60}$/.test(code) ? code : 'unknown';
}
