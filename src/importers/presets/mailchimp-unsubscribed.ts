import { cell, needEmailAsked, type Preset } from './preset.js';

/**
 * Mailchimp's export of unsubscribed contacts: e-mail opt-outs, dated UNSUB_TIME. They are
 * unsubscribed but not suppressed, since the people may subscribe again by themselves.
 */
export const mailchimpUnsubscribed: Preset = {
  name: 'mailchimp-unsubscribed',
  label: 'Mailchimp, unsubscribed contacts',
  fingerprint: { allOf: ['Email Address', 'UNSUB_TIME'] },
  operation: 'unsubscribe',
  bind(header, options) {
    needEmailAsked(header, options, 'e-mail opt-outs');
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
