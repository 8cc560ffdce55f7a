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
 * Trims and lower-cases an address and checks its form. ASCII only: quoted local parts, addresses
 * in brackets and letters beyond ASCII are refused rather than guessed. A leading `'`, which
 * exports use to mark text for spreadsheets, is dropped.
 */
export function readEmail(raw: string): EmailReading {
  const email = foldEmail(cellText(raw));
  if (email === '') return { kind: 'missing' };
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
