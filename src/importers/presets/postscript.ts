import { exportPreset } from './export-layout.js';

const PHONE = ['phone_number'];
const CREATED = 'subscriber_created_at_utc';
const OUT = ['opt_out_time', 'opt_out_reason'];

/**
 * Postscript's export of active subscribers to texts. The date is UTC by its name, and is written
 * without a zone. Exports of orders have some of these columns too.
 */
export const postscriptActive = exportPreset({
  name: 'postscript-active',
  label: 'Postscript, active subscribers',
  fingerprint: [
    {
      allOf: [...PHONE, CREATED],
      oneOf: ['last_keyword_subscribed_to'],
      noneOf: [...OUT, 'order_*'],
    },
  ],
  phone: PHONE,
  channels: {
    sms: {
      everyRow: 'subscribe',
      says: [],
      date: { columns: [CREATED], timezone: 'UTC' },
    },
  },
});

/** Postscript's export of people who left. When they did is not said to be UTC. */
export const postscriptUnsubscribed = exportPreset({
  name: 'postscript-unsubscribed',
  label: 'Postscript, unsubscribed people',
  fingerprint: [{ allOf: [...PHONE, CREATED], oneOf: OUT, noneOf: ['order_*'] }],
  phone: PHONE,
  channels: {
    sms: { everyRow: 'unsubscribe', says: [], left: { columns: ['opt_out_time'] } },
  },
});
