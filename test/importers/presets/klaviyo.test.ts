import { describe } from 'node:test';
import {
  AT,
  KLAVIYO_EXPORT,
  KLAVIYO_IMPORT,
  testCases,
  type Options,
  type Row,
} from './layouts.js';

describe("Klaviyo's export", () => {
  const profile: Row = {
    Email: 'a@example.com',
    'Klaviyo ID': '01ABC',
    'Phone Number': '+12015550123',
    'Email Marketing Consent': 'SUBSCRIBED',
    'Email Marketing Consent Timestamp': '2021-03-04',
    'SMS Marketing Consent': 'NEVER_SUBSCRIBED',
  };
  const both: Options = { channels: ['email', 'sms'] };
  testCases([
    {
      name: 'subscribes',
      columns: KLAVIYO_EXPORT,
      row: profile,
      options: both,
      parts: [`email subscribe ${AT}`],
    },
    {
      name: 'unsubscribes, each channel for itself',
      columns: KLAVIYO_EXPORT,
      row: {
        ...profile,
        'SMS Marketing Consent': 'UNSUBSCRIBED',
        'SMS Marketing Consent Timestamp': '2021-03-04T12:00:00+00:00',
      },
      options: both,
      parts: [`email subscribe ${AT}`, `sms unsubscribe ${AT}`],
    },
    ...(
      [
        ['USER_SUPPRESSED', ['suppression suppress suppressed_user_suppressed']],
        ["['HARD_BOUNCE']", ['suppression suppress suppressed_hard_bounce']],
        ['Spam complaint, Unsubscribe', ['suppression suppress suppressed_spam_complaint']],
        ['2021-03-04 05:06:07', ['suppression suppress']],
        ['true', ['suppression suppress']],
        ['UNSUBSCRIBE', ['email unsubscribe']],
        ['UNSUBSCRIBED', ['email unsubscribe']],
        ['[]', [`email subscribe ${AT}`]],
        ['None', [`email subscribe ${AT}`]],
        ['FALSE', [`email subscribe ${AT}`]],
      ] as const
    ).map(([suppressions, parts]) => ({
      name: `takes SUBSCRIBED with the suppression "${suppressions}" for ${parts[0]}`,
      columns: KLAVIYO_EXPORT,
      row: { ...profile, 'Email Suppressions': suppressions },
      parts,
    })),
    {
      name: 'leaves the texts of somebody suppressed as they are',
      columns: KLAVIYO_EXPORT,
      row: {
        ...profile,
        'Email Suppressions': 'HARD_BOUNCE',
        'SMS Marketing Consent': 'SUBSCRIBED',
        'SMS Marketing Consent Timestamp': '2021-03-04',
      },
      options: both,
      parts: [`sms subscribe ${AT}`, 'suppression suppress suppressed_hard_bounce'],
    },
  ]);
});

describe("Klaviyo's import layout", () => {
  const row: Row = { 'Email Address': 'a@example.com', 'Phone Number': '+12015550123' };
  const channels: Options = { channels: ['email', 'sms', 'sms_transactional'] };
  testCases([
    {
      name: 'takes its words, and its short names of timestamps',
      columns: KLAVIYO_IMPORT,
      row: {
        ...row,
        'Email Marketing Consent': 'Subscribe',
        'Email Consent Timestamp': '2021-03-04',
        'SMS Marketing Consent': 'Unsubscribed',
        'SMS Transactional consent': 'Subscribed',
        'SMS Transactional Consent Timestamp': '2020-03-04',
      },
      options: channels,
      parts: [
        `email subscribe ${AT}`,
        'sms unsubscribe',
        'sms_transactional subscribe 2020-03-04T12:00:00Z',
      ],
    },
    {
      name: 'takes a blank and "Never subscribed" for never',
      columns: KLAVIYO_IMPORT,
      row: { ...row, 'Email Marketing Consent': 'Never subscribed' },
      options: channels,
      parts: ['email nothing_asked'],
    },
  ]);
});
