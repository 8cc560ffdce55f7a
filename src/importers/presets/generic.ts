import type { ConsentChannel } from '../../contracts/channels.js';
import { consentAsk } from '../consent-value.js';
import type { Header } from '../header.js';
import { asksFor, cell, type ChannelClaim, type Preset } from '../preset.js';
import { SourceError } from '../source-error.js';

interface ChannelColumns {
  readonly channel: ConsentChannel;
  readonly consent: number;
  readonly date: number | null;
  readonly dateColumn: string;
}

/**
 * Our own layout: `email, phone_number, country, email_consent, sms_consent, email_consented_at,
 * sms_consented_at`. The columns of a channel count only where the run asks for the channel, and
 * its consent column is then needed: an address alone is no consent.
 */
export const generic: Preset = {
  name: 'generic',
  label: 'generic',
  fingerprint: { oneOf: ['email', 'phone_number'] },
  action: 'subscribe',
  bind(header, options) {
    const channels = options.channels.map((channel) => channelColumns(header, channel));
    const phoneColumn = options.smsColumn ?? 'phone_number';
    const remedy = (channel: string): string => `Add it, or leave ${channel} out of --channels.`;
    const email = asksFor(options, 'email')
      ? header.need('email', 'The run asks for e-mail consent.', remedy('email'))
      : header.find('email');
    const phone = asksFor(options, 'sms')
      ? header.need(phoneColumn, 'The run asks for SMS consent.', remedy('sms'))
      : null;
    const country = header.find('country');
    return (fields) => ({
      email: cell(fields, email),
      phone: cell(fields, phone),
      country: cell(fields, country),
      channels: channels.map((columns) => claim(fields, columns)),
    });
  },
};

function channelColumns(header: Header, channel: ConsentChannel): ChannelColumns {
  const column = `${channel}_consent`;
  const consent = header.find(column);
  if (consent === null) {
    throw new SourceError(
      'consent_column_missing',
      { file: header.file, line: header.line, column },
      `The run asks for ${channel} consent, and no column says who gave it. The file has: ${header.list()}.`,
      `Add a column "${column}" (yes, unsubscribed, list_only or blank in each row), or leave ${channel} out of --channels.`,
    );
  }
  const dateColumn = `${channel}_consented_at`;
  return { channel, consent, date: header.find(dateColumn), dateColumn };
}

function claim(fields: readonly string[], columns: ChannelColumns): ChannelClaim {
  return {
    channel: columns.channel,
    ask: consentAsk(cell(fields, columns.consent)),
    date: cell(fields, columns.date),
    dateColumn: columns.dateColumn,
  };
}
