import { OPT_OUT, type Words } from '../values/said.js';
import { exportPreset } from './export-layout.js';

const PHONE = ['phone', 'phone_number', 'phone number', 'mobile_phone', 'subscriber_phone'];

/**
 * The file of subscribers to texts that Attentive's staff sends. It has opt-outs; who is not among them
 * is not said to have consented.
 */
export const attentive = exportPreset({
  name: 'attentive',
  label: 'Attentive, subscribers',
  fingerprint: [{ oneOf: PHONE }, { oneOf: ['opt_out', 'opt out'] }],
  phone: PHONE,
  channels: { sms: { says: [{ column: ['opt_out', 'opt out'], ...OPT_OUT }] } },
});

/** Only who joined has answered; a saved address is typed, not confirmed. */
const EVENTS: Words = {
  join: 'subscribe',
  opt_out: 'unsubscribe',
  click: 'nothing',
  impression: 'nothing',
  email_save: 'nothing',
  custom_attributes: 'nothing',
};

const TIME = ['timestamp', 'event_time', 'event time', 'event_timestamp', 'created_at'];

/**
 * Attentive's nightly feed of events. Of several about one number the newest counts. Its names are too
 * common for it to be recognised.
 */
export const attentiveEvents = exportPreset({
  name: 'attentive-events',
  label: 'Attentive, feed of events',
  fingerprint: [{ oneOf: PHONE }, { oneOf: ['type', 'event_type', 'event type'] }],
  isOwn: () => false,
  phone: PHONE,
  channels: {
    sms: {
      says: [{ column: ['type', 'event_type', 'event type'], words: EVENTS }],
      date: { columns: TIME },
      left: { columns: TIME },
    },
  },
});
