import { bindColumns, type ColumnLayout } from './column-layout.js';
import type { Preset } from './preset.js';
import { SourceError } from '../../connectors/source-error.js';

/**
 * The current columns and those of older exports. The phone number of an address has no consent of
 * its own.
 */
const LAYOUT: ColumnLayout = {
  email: ['Email'],
  phone: ['Phone'],
  country: ['Default Address Country Code', 'Country Code'],
  channels: {
    email: { consent: ['Accepts Email Marketing', 'Accepts Marketing'], date: [] },
    sms: { consent: ['Accepts SMS Marketing'], date: [] },
    whatsapp: { consent: ['Accepts WhatsApp Marketing'], date: [] },
  },
  remedy: (channel) =>
    `Export the customers again with all columns, or leave ${channel} out of --channels.`,
};

/**
 * Shopify's export of customers. `yes` is consent; `no` stands for everybody who never gave it, and
 * is not an opt-out. There are no dates, so the operator attests one, or the run is live.
 */
export const shopifyCustomers: Preset = {
  name: 'shopify-customers',
  label: 'Shopify, customers',
  fingerprint: {
    allOf: ['Email', 'First Name'],
    oneOf: ['Accepts Email Marketing', 'Accepts Marketing', 'Accepts SMS Marketing'],
  },
  operation: 'subscribe',
  bind(header, options) {
    const readRow = bindColumns(header, options, LAYOUT);
    const dated = (options.consentedAt ?? null) !== null || options.consent === 'implicit';
    if (options.undated === 'reject' && !dated) {
      throw new SourceError(
        'consent_dates_missing',
        { file: header.file, line: header.line },
        'Shopify exports no consent dates, so every row would be refused.',
        'Attest a date with --consented-at 2024-05-01, subscribe live (leave --historical and --undated out), or add people to the list without consent with --undated list_only.',
      );
    }
    return readRow;
  },
};
