import type { Header } from '../../connectors/header.js';
import type { ImportOptions } from '../options.js';
import { asksFor, cell, type ChannelClaim, type Preset } from './preset.js';
import { SourceError } from '../../connectors/source-error.js';

/**
 * Mailchimp's export of subscribed contacts. Every row has e-mail consent, dated CONFIRM_TIME, else
 * OPTIN_TIME. The file says nothing about SMS: by asking for the channel, the operator attests
 * consent for the rows with a phone number.
 */
export const mailchimpSubscribed: Preset = {
  name: 'mailchimp-subscribed',
  label: 'Mailchimp, subscribed contacts',
  fingerprint: {
    allOf: ['Email Address'],
    oneOf: ['CONFIRM_TIME', 'OPTIN_TIME'],
    noneOf: ['UNSUB_*', 'CLEAN_*'],
  },
  operation: 'subscribe',
  bind(header, options) {
    refuseOtherChannels(header, options);
    const email = header.find('Email Address');
    const confirmed = header.find('CONFIRM_TIME');
    const optedIn = header.find('OPTIN_TIME');
    const country = header.find('CC');
    const phone = asksFor(options, 'sms')
      ? header.need(
          options.smsColumn ?? 'Phone Number',
          'The run asks for SMS consent, but this column with the phone numbers is missing.',
          'Name the column with --sms-column, or leave sms out of --channels.',
        )
      : null;
    return (fields) => {
      const confirmTime = cell(fields, confirmed);
      const dated =
        confirmTime.trim() === ''
          ? { date: cell(fields, optedIn), dateColumn: 'OPTIN_TIME' }
          : { date: confirmTime, dateColumn: 'CONFIRM_TIME' };
      const number = cell(fields, phone);
      const channels: ChannelClaim[] = [];
      if (asksFor(options, 'email')) {
        channels.push({ channel: 'email', ask: 'subscribe', ...dated });
      }
      if (number.trim() !== '') channels.push({ channel: 'sms', ask: 'subscribe', ...dated });
      return {
        email: cell(fields, email),
        phone: number,
        country: cell(fields, country),
        channels,
      };
    };
  },
};

function refuseOtherChannels(header: Header, options: ImportOptions): void {
  const other = options.channels.find((channel) => channel !== 'email' && channel !== 'sms');
  if (other === undefined) return;
  throw new SourceError(
    'channel_not_in_source',
    { file: header.file, line: header.line },
    `The run asks for ${other} consent, but Mailchimp's export says nothing about it.`,
    `Leave ${other} out of --channels, or say with --map which columns mean what.`,
  );
}
