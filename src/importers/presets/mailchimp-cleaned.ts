import { cell, needEmailAsked, type Preset } from './preset.js';

/**
 * Mailchimp's export of cleaned contacts: addresses that bounced permanently or too often. They are
 * suppressed, as Klaviyo does with hard bounces; CLEAN_TIME is not a consent date.
 */
export const mailchimpCleaned: Preset = {
  name: 'mailchimp-cleaned',
  label: 'Mailchimp, cleaned contacts',
  fingerprint: {
    allOf: ['Email Address'],
    oneOf: ['CLEAN_TIME', 'CLEAN_CAMPAIGN_TITLE', 'CLEAN_CAMPAIGN_ID'],
  },
  operation: 'suppress',
  bind(header, options) {
    needEmailAsked(header, options, 'addresses that bounced');
    const email = header.find('Email Address');
    const country = header.find('CC');
    return (fields) => ({
      email: cell(fields, email),
      phone: '',
      country: cell(fields, country),
      channels: [],
      suppression: { ask: 'suppress', note: 'suppressed_hard_bounce' },
    });
  },
};
