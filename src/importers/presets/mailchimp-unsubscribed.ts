import { asksFor, cell, type Preset } from '../preset.js';
import { SourceError } from '../source-error.js';

/**
 * Mailchimp's export of unsubscribed contacts: e-mail opt-outs of UNSUB_TIME. They are unsubscribed
 * and never suppressed, since the people may come back by themselves.
 */
export const mailchimpUnsubscribed: Preset = {
  name: 'mailchimp-unsubscribed',
  label: 'Mailchimp, unsubscribed contacts',
  fingerprint: { allOf: ['Email Address', 'UNSUB_TIME'], noneOf: ['CLEAN_*'] },
  action: 'unsubscribe',
  bind(header, options) {
    if (!asksFor(options, 'email')) {
      throw new SourceError(
        'channel_not_in_source',
        { file: header.file, line: header.line },
        'The file holds e-mail opt-outs only, and the run does not ask for e-mail.',
        'Add email to --channels.',
      );
    }
    const email = header.find('Email Address');
    const country = header.find('CC');
    const left = header.find('UNSUB_TIME');
    return (fields) => ({
      email: cell(fields, email),
      phone: '',
      country: cell(fields, country),
      channels: [
        {
          channel: 'email',
          ask: 'unsubscribe',
          date: cell(fields, left),
          dateColumn: 'UNSUB_TIME',
        },
      ],
    });
  },
};
