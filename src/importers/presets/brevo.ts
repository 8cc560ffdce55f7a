import { fits, type Header } from '../../connectors/header.js';
import { OPT_OUT, type Words } from '../values/said.js';
import { exportPreset } from './export-layout.js';

/** A column of opt-ins, of which only a yes says something. `2` is Brevo's no. */
const OPT_IN: Words = {
  yes: 'subscribe',
  true: 'subscribe',
  '1': 'subscribe',
  no: 'silent',
  false: 'silent',
  '0': 'silent',
  '2': 'silent',
  '': 'silent',
};

/** Whoever is not on the blocklist is "subscribed" there, also without having been asked. */
const STATUS: Words = {
  subscribed: 'silent',
  unsubscribed: 'unsubscribe',
  blocklisted: 'unsubscribe',
  blacklisted: 'unsubscribe',
  never_subscribed: 'no',
  '': 'silent',
};

const BLOCKED = {
  email: ['EMAIL_BLACKLISTED', 'SIB_EMAIL_BLACKLISTED', 'EMAIL_BLOCKLISTED'],
  sms: ['SMS_BLACKLISTED', 'SIB_SMS_BLACKLISTED', 'SMS_BLOCKLISTED'],
};
const CONFIRMED = ['DOUBLE_OPT-IN', 'SIB_DOUBLE_OPT-IN'];

/**
 * Brevo's export of contacts. Only an opt-in is consent; the blocklist has people who left and
 * addresses that bounced alike, and counts as an opt-out. Its dates are of the contact, not of consent.
 */
export const brevo = exportPreset({
  name: 'brevo',
  label: 'Brevo, contacts',
  fingerprint: [{ allOf: ['EMAIL'], oneOf: [...CONFIRMED, 'OPT_IN', ...BLOCKED.email] }],
  isOwn,
  email: ['EMAIL'],
  phone: ['SMS'],
  isPhoneWithoutPlus: true,
  channels: {
    email: {
      says: [
        { column: BLOCKED.email, ...OPT_OUT },
        { column: ['EMAIL_MARKETING'], words: STATUS, isOptional: true },
        { column: CONFIRMED, words: OPT_IN, isOptional: true },
        { column: ['OPT_IN'], words: OPT_IN, isOptional: true },
      ],
    },
    sms: {
      says: [
        { column: BLOCKED.sms, ...OPT_OUT },
        { column: ['SMS_MARKETING'], words: STATUS, isOptional: true },
      ],
    },
  },
});

/** Lists of other tools have an `opt_in` too. */
function isOwn(header: Header): boolean {
  return (
    fits(header, { oneOf: [...CONFIRMED, ...BLOCKED.email] }) &&
    fits(header, { oneOf: ['EXT_ID', 'ADDED_TIME', 'MODIFIED_TIME'] })
  );
}
