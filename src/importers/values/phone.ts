import {
  isSupportedCountry,
  parsePhoneNumberFromString,
  type CountryCode,
  type PhoneNumberType,
} from 'libphonenumber-js/max';
import type { Reason } from '../../contracts/outcomes.js';
import { cellText } from './cell-text.js';

export type PhoneReading =
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly reason: Reason }
  /** A fixed line: it gets no texts, but may have WhatsApp. */
  | {
      readonly kind: 'landline';
      readonly phoneNumber: string;
      readonly country: string | null;
    }
  | { readonly kind: 'valid'; readonly phoneNumber: string; readonly country: string | null };

/** How spreadsheets write a long number; its last digits are lost. */
const SCIENTIFIC = /^\+?\d+(?:[.,]\d*)?e[+-]?\d+$/i;

/**
 * Number types that cannot get messages. In the US and Canada mobile and fixed lines share their
 * ranges (`FIXED_LINE_OR_MOBILE`), so a landline cannot be recognised there.
 */
const REFUSED_TYPES: Partial<Record<Exclude<PhoneNumberType, undefined>, Reason>> = {
  TOLL_FREE: 'phone_type_not_textable',
  PREMIUM_RATE: 'phone_type_not_textable',
  SHARED_COST: 'phone_type_not_textable',
  UAN: 'phone_type_not_textable',
  VOICEMAIL: 'phone_type_not_textable',
  PAGER: 'phone_type_not_textable',
  PERSONAL_NUMBER: 'phone_type_not_textable',
};

/** As links (RFC 3966) and lead ads write a number. */
const PREFIX = /^(?:tel|p):/i;

/** The forms of ASCII that East Asian keyboards type, such as `＋` and `１`. */
const FULL_WIDTH = /[\uFF01-\uFF5E]/g;
const FULL_WIDTH_DISTANCE = 0xfee0;

/** A number as it would be typed: without `tel:` and `p:`, and in ASCII. */
function typed(raw: string): string {
  const text = cellText(raw).replace(FULL_WIDTH, (character) =>
    String.fromCharCode(character.charCodeAt(0) - FULL_WIDTH_DISTANCE),
  );
  return text.replace(PREFIX, '').trimStart();
}

/**
 * Reads a phone number into E.164. `tel:` and `p:` before it are dropped. `country` is what the row says; `defaultCountry` counts only if
 * the row names no country. If the row's country is not understood, the default could turn the
 * number into somebody else's.
 */
export function readPhone(
  raw: string,
  country: string,
  defaultCountry: string | null,
): PhoneReading {
  if (cellText(raw) === '') return { kind: 'missing' };
  const text = typed(raw);
  // Parameters of a link can put another number before this one.
  if (text.includes(';')) return { kind: 'refused', reason: 'phone_invalid' };
  if (SCIENTIFIC.test(text)) return { kind: 'refused', reason: 'phone_scientific_notation' };
  const region = countryCode(country.trim() === '' ? (defaultCountry ?? '') : country);
  const number = parsePhoneNumberFromString(text, {
    extract: false,
    ...(region === null ? {} : { defaultCountry: region }),
  });
  if (number === undefined) {
    const national = region === null && isNational(text);
    return { kind: 'refused', reason: national ? 'phone_country_unknown' : 'phone_invalid' };
  }
  // A number with a type is valid, so the ranges need not be searched again.
  const type = number.getType();
  if (number.ext !== undefined || (type === undefined && !number.isValid())) {
    return { kind: 'refused', reason: 'phone_invalid' };
  }
  const refused = type === undefined ? undefined : REFUSED_TYPES[type];
  if (refused !== undefined) return { kind: 'refused', reason: refused };
  const kind = type === 'FIXED_LINE' ? 'landline' : 'valid';
  return { kind, phoneNumber: number.number, country: number.country ?? null };
}

/** Whether it may be a number in national format: at least four digits, with separators. */
function isNational(text: string): boolean {
  return /^\(?\d[\d\s().\-/]*\d$/.test(text) && text.replace(/\D/g, '').length >= 4;
}

/** ISO 3166-1 alpha-2 code in capitals, also for `UK`; null for anything else. */
export function countryCode(raw: string): CountryCode | null {
  const code = raw.trim().toUpperCase();
  if (isSupportedCountry(code)) return code;
  return code === 'UK' ? 'GB' : null;
}
