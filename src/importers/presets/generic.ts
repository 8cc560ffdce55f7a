import { CONSENT_CHANNELS } from '../../contracts/channels.js';
import { bindColumns, type ColumnLayout } from './column-layout.js';
import { fits, type Fingerprint, type Header } from '../../connectors/header.js';
import { cell, type Preset } from './preset.js';
import { suppressionOf, type Suppression } from '../values/suppression.js';

const COLUMNS = Object.fromEntries(
  CONSENT_CHANNELS.map((channel) => [
    channel,
    { consent: [`${channel}_consent`], date: [`${channel}_consented_at`] },
  ]),
);

const LAYOUT: ColumnLayout = {
  email: ['email'],
  phone: ['phone_number'],
  country: ['country'],
  channels: COLUMNS,
  dateOfBirth: ['date_of_birth'],
  pushToken: ['push_token'],
  pushPlatform: ['push_platform'],
  suppression: suppressionColumns,
  list: ['list'],
  remedy: (channel, column) =>
    `Add a column "${column}" (yes, unsubscribed, list_only or blank in each row), say with --map which of the columns it is, or leave ${channel} out of --channels.`,
};

/** A source with one of these may be meant for this preset, if no other preset matches. */
const IDENTIFIERS: Fingerprint = { oneOf: ['email', 'phone_number'] };

/**
 * Our own preset: `email, phone_number, country, date_of_birth`, for each channel `email_consent`
 * and `email_consented_at`, `push_token, push_platform, suppressed, suppression_reason, list`.
 */
export const generic: Preset = {
  name: 'generic',
  label: 'generic',
  fingerprint: {
    ...IDENTIFIERS,
    andOneOf: [...CONSENT_CHANNELS.map((channel) => `${channel}_consent`), 'suppressed', 'list'],
  },
  operation: 'subscribe',
  bind: (header, options) => bindColumns(header, options, LAYOUT),
};

/**
 * Whether a source that matches no preset is read with this one, so that the error says what is
 * missing.
 */
export function isNearlyGeneric(header: Header): boolean {
  return fits(header, IDENTIFIERS);
}

function suppressionColumns(
  header: Header,
): ((fields: readonly string[]) => Suppression | null) | null {
  const suppressed = header.find('suppressed');
  const reason = header.find('suppression_reason');
  if (suppressed === null && reason === null) return null;
  return (fields) => suppressionOf(cell(fields, suppressed), cell(fields, reason));
}
