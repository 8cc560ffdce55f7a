import { foldEmail } from '../../contracts/addresses.js';
import { cellText } from './cell-text.js';

export type EmailReading =
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'valid'; readonly email: string };

/** RFC 5321, 4.5.3.1: 64 octets of local part, 254 of the whole address. */
const LOCAL_MAX = 64;
const ADDRESS_MAX = 254;

/** RFC 5322 dot-atom, and host names with at least one dot and a top-level domain of letters. */
const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/;

/**
 * Trims and lower-cases an address and checks its form. `mailto:` and a name as in
 * `Ada <ada@example.com>` are dropped, as is a leading `'`, which exports use to mark text for
 * spreadsheets. ASCII only: quoted local parts, several addresses and letters beyond ASCII are
 * refused rather than guessed.
 */
export function readEmail(raw: string): EmailReading {
  const text = foldEmail(cellText(raw));
  if (text === '') return { kind: 'missing' };
  const email = addressIn(text);
  const at = email.lastIndexOf('@');
  if (
    at < 1 ||
    at > LOCAL_MAX ||
    email.length > ADDRESS_MAX ||
    !LOCAL.test(email.slice(0, at)) ||
    !DOMAIN.test(email.slice(at + 1))
  ) {
    return { kind: 'invalid' };
  }
  return { kind: 'valid', email };
}

const MAILTO = 'mailto:';

/** The address of `Ada <ada@example.com>` or of a link; other text as it is. */
function addressIn(text: string): string {
  const open = text.indexOf('<');
  if (open === -1 || !text.endsWith('>')) return withoutMailto(text);
  const address = withoutMailto(cellText(text.slice(open + 1, -1)));
  const name = withoutMailto(cellText(text.slice(0, open)));
  // A name that is another address leaves open whose row it is.
  return name.includes('@') && name !== address ? text : address;
}

/** A link may write characters as `%2B`; which address that is is left to whoever wrote it. */
function withoutMailto(text: string): string {
  return text.startsWith(MAILTO) && !text.includes('%') ? text.slice(MAILTO.length) : text;
}
