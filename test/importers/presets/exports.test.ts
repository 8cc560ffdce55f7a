import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Header } from '../../../src/connectors/header.js';
import { SourceError, type SourceErrorCode } from '../../../src/connectors/source-error.js';
import type { Intent } from '../../../src/contracts/intents.js';
import { openSource } from '../../../src/importers/open-source.js';
import type { ImportOptions } from '../../../src/importers/options.js';
import { fittingPresets } from '../../../src/importers/presets/index.js';
import { PRESET_NAMES, type PresetName } from '../../../src/importers/presets/names.js';
import { intentsOf, inShort, OPTIONS, withFile } from '../../support/sources.js';
import {
  CLEANED,
  KLAVIYO_EXPORT,
  KLAVIYO_IMPORT,
  MAILCHIMP,
  OMNISEND,
  SHOPIFY,
} from './layouts.js';

type Options = Partial<ImportOptions>;

const live: Options = { undated: 'subscribe' };
const texts: Options = { ...live, channels: ['sms'] };
const both: Options = { ...live, channels: ['email', 'sms'] };
const attested: Options = { ...live, attested: 'Order forms of May 2024, kept at the office' };

/** Address and number of a row's person, and what it asks. */
type Asked = readonly [who: string | null, ...parts: string[]];

function whoOf({ email, phoneNumber }: Intent): string | null {
  const named = [email, phoneNumber].filter((one) => one !== null);
  return named.length === 0 ? null : named.join(' ');
}

interface Case {
  readonly name: string;
  readonly preset: PresetName;
  /** The preset is not recognised: it has to be named. */
  readonly named?: true;
  readonly options: Options;
  /** Lines of a file. */
  readonly file: readonly string[];
  readonly asks: readonly Asked[];
}

const MAILCHIMP_ALL =
  'Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,UNSUB_CAMPAIGN_ID,UNSUB_REASON,TAGS';
const POSTSCRIPT = 'customer_id,phone_number,subscriber_created_at_utc,last_keyword_subscribed_to';
const POSTSCRIPT_OUT =
  'customer_id,phone_number,subscriber_created_at_utc,opt_out_time,opt_out_reason';
const MATRIXIFY =
  'ID,Email,Command,First Name,Phone,State,Email Marketing: Status,Email Marketing: Level,Email Marketing: Updated At,SMS Marketing: Status,SMS Marketing: Updated At,Created At,Address City,Top Row';
const CONSTANT_CONTACT =
  'Email address,First name,Email status,Email permission status,Email update source,Confirmed Opt-Out Date,Confirmed Opt-Out Reason,Phone - mobile,Tags,Created At';
const CONSTANT_CONTACT_WIDE =
  'Email address - home,Email status - home,Email permission status - home,Email address - work,Email status - work,Email permission status - work,Confirmed Opt-Out Date,Created At';
const WIX =
  'First Name,Email 1,Email 2,Phone 1,Address 1 - Country,Labels,Created At (UTC+0),Email subscriber status,SMS subscriber status,Source,Language';
const BREVO =
  'EMAIL;LASTNAME;SMS;EXT_ID;DOUBLE_OPT-IN;OPT_IN;EMAIL_BLACKLISTED;SMS_BLACKLISTED;ADDED_TIME;MODIFIED_TIME';
const HUBSPOT =
  "Record ID,First Name,Email,Phone Number,Create Date,Marketing contact status,Unsubscribed from all email,Opted out of email: News,Opted out of email: Offers,Email hard bounce reason,Legal basis for processing contact's data";
const DRIP = 'id,email,time_zone,status,created_at,confirmed_at,tags,lead_score,lifetime_value';
const ACTIVECAMPAIGN = 'Email,First Name,Last Name,Phone,Tags,Date Created,IP,Status';
const ATTENTIVE = 'phone,email,opt_out';
const ATTENTIVE_EVENTS = 'phone,type,timestamp';
const SUBSTACK = 'email,active_subscription,expiry,plan,email_disabled,digest_enabled,created_at';
const KIT = 'first_name,email_address,state,created_at,tags';
const GENERIC = 'email,phone_number,email_consent';

const CASES: readonly Case[] = [
  {
    name: 'Mailchimp, both kinds in one file: whoever shows any sign of leaving left',
    preset: 'mailchimp-all',
    options: {},
    file: [
      MAILCHIMP_ALL,
      'ada@example.com,Ada,2020-01-01 00:00:00,2021-03-04 05:06:07,,,,,,,,',
      'bob@example.com,Bob,2020-01-01 00:00:00,,2022-01-02 03:04:05,Winter,4f,NORMAL,,4f,NORMAL,"""VIP"""',
      'cat@example.com,Cat,2020-01-01 00:00:00,,,,,,,,NORMAL,',
    ],
    asks: [
      ['ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      ['bob@example.com', 'email unsubscribe 2022-01-02T03:04:05Z'],
      ['cat@example.com', 'email unsubscribe'],
    ],
  },
  {
    name: 'Postscript, active: every number consented, at a time in UTC whatever the zone of the run',
    preset: 'postscript-active',
    options: { channels: ['sms'], timezone: 'America/New_York' },
    file: [
      POSTSCRIPT,
      '1,+12015550123,2021-03-04 05:06:07,JOIN',
      '2,2015550124,2021-03-04 05:06:07.123,JOIN',
    ],
    asks: [
      ['+12015550123', 'sms subscribe 2021-03-04T05:06:07Z'],
      [null, 'sms phone_country_unknown'],
    ],
  },
  {
    name: 'Postscript, active: ten digits are a number of the country that the run names',
    preset: 'postscript-active',
    options: { channels: ['sms'], country: 'US' },
    file: [POSTSCRIPT, '2,2015550124,2021-03-04 05:06:07,JOIN'],
    asks: [['+12015550124', 'sms subscribe 2021-03-04T05:06:07Z']],
  },
  {
    name: 'Postscript, unsubscribed: every number left, with or without a time',
    preset: 'postscript-unsubscribed',
    options: { channels: ['email', 'sms'] },
    file: [
      POSTSCRIPT_OUT,
      '1,+12015550123,2020-03-04 05:06:07,2021-03-04 05:06:07,STOP',
      '2,+12015550124,2020-03-04 05:06:07,,',
    ],
    asks: [
      ['+12015550123', 'sms unsubscribe 2021-03-04T05:06:07Z'],
      ['+12015550124', 'sms unsubscribe'],
    ],
  },
  {
    name: 'Matrixify: dates of each channel; what is neither consent nor an opt-out is left alone',
    preset: 'matrixify-customers',
    options: both,
    file: [
      MATRIXIFY,
      "1,ada@example.com,UPDATE,Ada,'+12015550123,enabled,subscribed,single_opt_in,2021-03-04 05:06:07 -0400,unsubscribed,2022-01-02T03:04:05-05:00,2020-01-01,,TRUE",
      '2,bob@example.com,UPDATE,Bob,,enabled,unsubscribed,unknown,2022-01-02 03:04:05 +0000,not_subscribed,,,,TRUE',
      '3,cat@example.com,UPDATE,Cat,,enabled,pending,confirmed_opt_in,2022-01-02 03:04:05 +0000,,,,,TRUE',
      '4,dan@example.com,UPDATE,Dan,,enabled,redacted,,2022-01-02 03:04:05 +0000,,,,,TRUE',
      '5,eve@example.com,UPDATE,Eve,,enabled,invalid,,,,,,,TRUE',
      '6,fay@example.com,UPDATE,Fay,,enabled,gone,,,,,,,TRUE',
    ],
    asks: [
      [
        'ada@example.com +12015550123',
        'email subscribe 2021-03-04T09:06:07Z',
        'sms unsubscribe 2022-01-02T08:04:05Z',
      ],
      ['bob@example.com', 'email unsubscribe 2022-01-02T03:04:05Z'],
      ['cat@example.com', 'email nothing_asked consent_pending'],
      ['dan@example.com', 'email nothing_asked'],
      ['eve@example.com', 'email nothing_asked'],
      ['fay@example.com', 'email consent_value_unknown'],
    ],
  },
  {
    name: 'Matrixify: further lines of a customer are about the customer above',
    preset: 'matrixify-customers',
    options: live,
    file: [
      MATRIXIFY,
      '1,ada@example.com,UPDATE,Ada,,enabled,subscribed,,2021-03-04 05:06:07 +0000,,,,Rome,TRUE',
      '1,,UPDATE,,,,,,,,,,Oslo,',
      '1,,UPDATE,,,,unsubscribed,,2022-03-04 05:06:07 +0000,,,,Bonn,',
      ',,,,,,,,,,,,Cork,',
      // Another customer, who has no address: not the one above.
      '2,,UPDATE,Bob,,enabled,unsubscribed,,,,,,Lyon,TRUE',
      '2,,UPDATE,,,,,,,,,,Nice,',
      '3,,UPDATE,Cat,,enabled,subscribed,,,,,,Gent,',
      '4,dan@example.com,UPDATE,Dan,,enabled,pending,,,,,,Pisa,TRUE',
      '5,,UPDATE,Eve,,enabled,unsubscribed,,,,,,Brno,',
      '6,fay@example.com,UPDATE,Fay,,enabled,pending,,,,,,Pisa,TRUE',
      ',,UPDATE,Gus,,enabled,unsubscribed,,,,,,Brno,TRUE',
    ],
    asks: [
      ['ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      ['ada@example.com', 'email nothing_asked'],
      ['ada@example.com', 'email unsubscribe 2022-03-04T05:06:07Z'],
      ['ada@example.com', 'email nothing_asked'],
      [null, 'email identifier_missing'],
      [null, 'email identifier_missing'],
      [null, 'email identifier_missing'],
      ['dan@example.com', 'email nothing_asked consent_pending'],
      [null, 'email identifier_missing'],
      ['fay@example.com', 'email nothing_asked consent_pending'],
      [null, 'email identifier_missing'],
    ],
  },
  {
    name: 'Matrixify: nothing goes on about a person whose line could not be read',
    preset: 'matrixify-customers',
    options: live,
    file: [
      MATRIXIFY,
      '1,ada@example.com,UPDATE,Ada,,enabled,subscribed,,2021-03-04 05:06:07 +0000,,,,Rome,TRUE',
      '2,bob@example.com',
      ',,,,,,unsubscribed,,,,,,Oslo,',
    ],
    asks: [
      ['ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      [null, 'email row_malformed'],
      [null, 'email identifier_missing'],
    ],
  },
  {
    name: 'Constant Contact: only explicit permission of an active address is consent',
    preset: 'constant-contact',
    options: { ...live, timezone: null },
    file: [
      CONSTANT_CONTACT,
      'ada@example.com,Ada,Active,Explicit,,,,,,2020-01-01',
      'bob@example.com,Bob,Active,Implicit,,,,,,2020-01-01',
      'cat@example.com,Cat,Unsubscribed,Unsubscribed,,03/04/2021 05:06 PM EST,Too many,,,',
      'dan@example.com,Dan,Awaiting confirmation,Pending confirmation,,,,,,',
      'eve@example.com,Eve,Temp hold,Explicit,,,,,,',
      'fay@example.com,Fay,Active,Not set,,,,,,',
      'gus@example.com,Gus,Active,Granted,,,,,,',
      'hal@example.com,Hal,Unsubscribed,Explicit,,2021-03-04T05:06:07Z,,,,',
      'ida@example.com,Ida,,Explicit,,,,,,',
      'jon@example.com,Jon,Awaiting confirmation,Explicit,,,,,,',
      'kay@example.com,Kay,Active,Pending confirmation,,,,,,',
    ],
    asks: [
      ['ada@example.com', 'email subscribe'],
      ['bob@example.com', 'list add_to_list implicit_consent'],
      ['cat@example.com', 'email unsubscribe 2021-03-04T22:06:00Z'],
      ['dan@example.com', 'email nothing_asked consent_pending'],
      ['eve@example.com', 'email nothing_asked'],
      ['fay@example.com', 'email nothing_asked'],
      ['gus@example.com', 'email consent_value_unknown'],
      ['hal@example.com', 'email unsubscribe 2021-03-04T05:06:07Z'],
      ['ida@example.com', 'email nothing_asked'],
      ['jon@example.com', 'email nothing_asked consent_pending'],
      ['kay@example.com', 'email nothing_asked consent_pending'],
    ],
  },
  {
    name: 'Constant Contact, several addresses a contact: each has its own permission',
    preset: 'constant-contact',
    options: live,
    file: [
      CONSTANT_CONTACT_WIDE,
      'ada@example.com,Active,Explicit,ada@shop.test,Unsubscribed,Unsubscribed,2021-03-04,',
      ',,,bob@shop.test,Active,Implicit,,',
      ',,,,,,,',
    ],
    asks: [
      ['ada@example.com', 'email subscribe'],
      ['ada@shop.test', `email unsubscribe 2021-03-04T12:00:00Z`],
      ['bob@shop.test', 'list add_to_list implicit_consent'],
      [null, 'email identifier_missing'],
    ],
  },
  {
    name: 'Constant Contact, people who get texts, as the operator attests',
    preset: 'constant-contact',
    options: { ...attested, channels: ['sms'], country: 'US' },
    file: [CONSTANT_CONTACT, 'ada@example.com,Ada,Active,Explicit,,,,2015550123,,', ',Bob,,,,,,,,'],
    asks: [
      ['ada@example.com +12015550123', 'sms subscribe consent_attested'],
      [null, 'sms identifier_missing'],
    ],
  },
  {
    name: 'Wix: the state is of the first address, and the date of creation is not of consent',
    preset: 'wix-contacts',
    options: both,
    file: [
      WIX,
      'Ada,ada@example.com,other@example.com,+12015550123,US,a;b,2021-03-04 05:06:07,Subscribed,Unsubscribed,,en',
      'Bob,bob@example.com,,,,,2021-03-04 05:06:07,Unsubscribed,Never subscribed,,en',
      'Cat,cat@example.com,,,,,,Pending,,,en',
      'Dan,dan@example.com,,,,,,Never subscribed,,,en',
      'Eve,eve@example.com,,,,,,Confirmed,,,en',
    ],
    asks: [
      ['ada@example.com +12015550123', 'email subscribe', 'sms unsubscribe'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'email nothing_asked consent_pending'],
      ['dan@example.com', 'email nothing_asked'],
      ['eve@example.com', 'email consent_value_unknown'],
    ],
  },
  {
    name: 'Brevo: only an opt-in is consent, and the blocklist wins',
    preset: 'brevo',
    options: both,
    file: [
      BREVO,
      'ada@example.com;A;61491570006;;1;;No;No;04-03-2021 05:06:07;',
      'bob@example.com;B;;;Yes;;Yes;No;;',
      'cat@example.com;C;;;;Yes;No;;;',
      'dan@example.com;D;;;2;;No;;;',
      'eve@example.com;E;61491570156;;;;No;Yes;;',
      'fay@example.com;F;;;perhaps;;No;;;',
    ],
    asks: [
      ['ada@example.com', 'email subscribe'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'email subscribe'],
      ['dan@example.com', 'email nothing_asked consent_not_recorded'],
      ['eve@example.com +61491570156', 'sms unsubscribe'],
      ['fay@example.com', 'email consent_value_unknown'],
    ],
  },
  {
    name: 'Brevo: a number without its plus is no number of the run’s country',
    preset: 'brevo',
    options: { ...texts, ...attested, channels: ['sms'], country: 'US' },
    file: [
      BREVO,
      'ada@example.com;A;12015550123;;1;;No;No;;',
      'bob@example.com;B;61491570006;;;;No;Yes;;',
    ],
    asks: [
      ['ada@example.com +12015550123', 'sms subscribe consent_attested'],
      ['bob@example.com +61491570006', 'sms unsubscribe'],
    ],
  },
  {
    name: 'HubSpot: opt-outs and bounces; a blank and a marketing contact are no consent',
    preset: 'hubspot',
    options: live,
    file: [
      HUBSPOT,
      '1,Ada,ada@example.com,,2020-01-01,Marketing contact,,,,,',
      '2,Bob,bob@example.com,,2020-01-01,Marketing contact,true,,,,',
      '3,Cat,cat@example.com,,2020-01-01,Non-marketing contact,,,true,,',
      '4,Dan,dan@example.com,,2020-01-01,Marketing contact,false,false,,UNKNOWN_USER,',
      '5,Eve,eve@example.com,,2020-01-01,Marketing contact,true,,,UNKNOWN_USER,',
    ],
    asks: [
      ['ada@example.com', 'email nothing_asked consent_not_recorded'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'email unsubscribe'],
      ['dan@example.com', 'suppression suppress suppressed_hard_bounce'],
      ['eve@example.com', 'email unsubscribe', 'suppression suppress suppressed_hard_bounce'],
    ],
  },
  {
    name: 'HubSpot, as the operator attests: opt-outs and bounces still count',
    preset: 'hubspot',
    options: attested,
    file: [
      HUBSPOT,
      '1,Ada,ada@example.com,,2020-01-01,Non-marketing contact,,,,,',
      '2,Bob,bob@example.com,,2020-01-01,Marketing contact,,true,,,',
      '3,Cat,cat@example.com,,2020-01-01,Marketing contact,,,,UNKNOWN_USER,',
    ],
    asks: [
      ['ada@example.com', 'email subscribe consent_attested'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'suppression suppress suppressed_hard_bounce'],
    ],
  },
  {
    name: 'Drip: words that Drip has for consent; inactive is a matter of bills',
    preset: 'drip',
    options: live,
    file: [
      DRIP,
      '1,ada@example.com,,subscribed,2020-01-01T00:00:00Z,2021-03-04T05:06:07Z,,,',
      '2,bob@example.com,,unsubscribed,2020-01-01T00:00:00Z,2021-03-04T05:06:07Z,,,',
      '3,cat@example.com,,undeliverable,2020-01-01T00:00:00Z,,,,',
      '4,dan@example.com,,inactive,2020-01-01T00:00:00Z,2021-03-04T05:06:07Z,,,',
      '5,eve@example.com,,gone,2020-01-01T00:00:00Z,,,,',
    ],
    asks: [
      ['ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'suppression suppress suppressed_hard_bounce'],
      ['dan@example.com', 'email nothing_asked'],
      ['eve@example.com', 'email consent_value_unknown'],
    ],
  },
  {
    name: 'Drip: active is consent only as the operator attests, and inactive never is',
    preset: 'drip',
    options: attested,
    file: [
      DRIP.replaceAll('_', ' ').toUpperCase(),
      '1,ada@example.com,,active,2020-01-01T00:00:00Z,2021-03-04T05:06:07Z,,,',
      '2,bob@example.com,,inactive,2020-01-01T00:00:00Z,,,,',
      '3,cat@example.com,,unsubscribed,2020-01-01T00:00:00Z,,,,',
    ],
    asks: [
      ['ada@example.com', 'email subscribe 2021-03-04T05:06:07Z consent_attested'],
      ['bob@example.com', 'email nothing_asked'],
      ['cat@example.com', 'email unsubscribe'],
    ],
  },
  {
    name: 'ActiveCampaign: the state on the list; the date of creation is not of consent',
    preset: 'activecampaign',
    options: live,
    file: [
      ACTIVECAMPAIGN,
      'ada@example.com,Ada,,,a,2021-03-04 05:06:07,192.0.2.1,Active',
      'bob@example.com,Bob,,,,2021-03-04 05:06:07,,Unsubscribed',
      'cat@example.com,Cat,,,,,,Bounced',
      'dan@example.com,Dan,,,,,,Unconfirmed',
      'eve@example.com,Eve,,,,,,Any',
      'fay@example.com,Fay,,,,,,Inactive',
    ],
    asks: [
      ['ada@example.com', 'email subscribe'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'suppression suppress suppressed_hard_bounce'],
      ['dan@example.com', 'email nothing_asked consent_pending'],
      ['eve@example.com', 'email nothing_asked'],
      ['fay@example.com', 'email consent_value_unknown'],
    ],
  },
  {
    name: 'Attentive: opt-outs; who is not among them is not said to have consented',
    preset: 'attentive',
    options: texts,
    file: [
      ATTENTIVE,
      '+12015550123,ada@example.com,true',
      '+12015550124,bob@example.com,2021-03-04 05:06:07',
      '+12015550125,cat@example.com,false',
      '+12015550126,dan@example.com,',
    ],
    asks: [
      ['+12015550123', 'sms unsubscribe'],
      ['+12015550124', 'sms unsubscribe'],
      ['+12015550125', 'sms nothing_asked consent_not_recorded'],
      ['+12015550126', 'sms nothing_asked consent_not_recorded'],
    ],
  },
  {
    name: 'Attentive, feed: only who joined consented; a saved address is none',
    preset: 'attentive-events',
    named: true,
    options: { ...texts, undated: 'reject' },
    file: [
      ATTENTIVE_EVENTS,
      '+12015550123,JOIN,2021-03-04T05:06:07Z',
      '+12015550123,OPT_OUT,2022-03-04T05:06:07Z',
      '+12015550124,EMAIL_SAVE,2021-03-04T05:06:07Z',
      '+12015550125,CLICK,2021-03-04T05:06:07Z',
      '+12015550126,REJOIN,2021-03-04T05:06:07Z',
    ],
    asks: [
      ['+12015550123', 'sms subscribe 2021-03-04T05:06:07Z'],
      ['+12015550123', 'sms unsubscribe 2022-03-04T05:06:07Z'],
      ['+12015550124', 'sms nothing_asked'],
      ['+12015550125', 'sms nothing_asked'],
      ['+12015550126', 'sms consent_value_unknown 2021-03-04T05:06:07Z'],
    ],
  },
  {
    name: 'Substack: free readers have not left, and whoever turned mail off has',
    preset: 'substack',
    options: {},
    file: [
      SUBSTACK,
      'ada@example.com,false,,,false,true,2021-03-04T05:06:07.000Z',
      'bob@example.com,true,,yearly,true,true,2021-03-04T05:06:07.000Z',
      'cat@example.com,true,,,,,2021-03-04T05:06:07.000Z',
      'dan@example.com,true,,,maybe,,2021-03-04T05:06:07.000Z',
    ],
    asks: [
      ['ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'email nothing_asked'],
      ['dan@example.com', 'email consent_value_unknown'],
    ],
  },
  {
    name: 'Kit: cancelled left, complaints and bounces are suppressed, inactive is left alone',
    preset: 'kit',
    options: {},
    file: [
      KIT,
      'Ada,ada@example.com,active,2021-03-04T05:06:07Z,',
      'Bob,bob@example.com,cancelled,2021-03-04T05:06:07Z,',
      'Cat,cat@example.com,complained,2021-03-04T05:06:07Z,',
      'Dan,dan@example.com,bounced,2021-03-04T05:06:07Z,',
      'Eve,eve@example.com,inactive,2021-03-04T05:06:07Z,',
      'Fay,fay@example.com,confirmed,2021-03-04T05:06:07Z,',
    ],
    asks: [
      ['ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'suppression suppress suppressed_spam_complaint'],
      ['dan@example.com', 'suppression suppress suppressed_hard_bounce'],
      ['eve@example.com', 'email nothing_asked'],
      ['fay@example.com', 'email consent_value_unknown'],
    ],
  },
  {
    name: 'Kit, with names that other tools have too',
    preset: 'kit',
    named: true,
    options: {},
    file: [
      'email,status,created_at',
      'ada@example.com,active,2021-03-04T05:06:07Z',
      'bob@example.com,cancelled,2021-03-04T05:06:07Z',
    ],
    asks: [
      ['ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      ['bob@example.com', 'email unsubscribe'],
    ],
  },
  {
    name: 'Klaviyo, import, with the short names of its timestamps',
    preset: 'klaviyo-import',
    options: { channels: ['email', 'sms', 'sms_transactional'] },
    file: [
      'Email,Phone Number,Email Marketing Consent,Email Marketing Timestamp,SMS Marketing Consent,SMS Marketing Timestamp,SMS Transactional Consent,SMS Transactional Timestamp',
      'ada@example.com,+12015550123,Subscribed,2021-03-04,Subscribed,2021-03-05,Unsubscribed,2021-03-06',
    ],
    asks: [
      [
        'ada@example.com +12015550123',
        'email subscribe 2021-03-04T12:00:00Z',
        'sms subscribe 2021-03-05T12:00:00Z',
        'sms_transactional unsubscribe 2021-03-06T12:00:00Z',
      ],
    ],
  },
  {
    name: 'our own: addresses that Klaviyo never mails are noted, and asked for all the same',
    preset: 'generic',
    options: live,
    file: [
      GENERIC,
      'No-Reply@shop.test,,yes',
      'postmaster@shop.test,,unsubscribed',
      'rooted@shop.test,,yes',
    ],
    asks: [
      ['no-reply@shop.test', 'email subscribe address_never_mailed'],
      ['postmaster@shop.test', 'email unsubscribe'],
      ['rooted@shop.test', 'email subscribe'],
    ],
  },
];

describe('an export', () => {
  for (const { name, preset, named, options, file, asks } of CASES) {
    it(name, async () => {
      const text = `${file.join('\r\n')}\r\n`;
      const given = { ...options, preset: named === true ? preset : null };
      const intents = await intentsOf(text, given);
      const found = intents.map((intent) => [whoOf(intent), ...inShort(intent)]);
      assert.deepEqual(found, asks);
      const read = await withFile(text, async (path) => {
        const source = await openSource(path, { ...OPTIONS, ...given });
        await source.close();
        return source.preset;
      });
      assert.equal(read, preset);
    });
  }
});

describe('a segment', () => {
  it('takes what it gave from whom an export says that they are not subscribed', async () => {
    const text = [
      'key,Email 1,Email subscriber status',
      'k1,ada@example.com,Never subscribed',
      'k2,bob@example.com,',
      'k3,cat@example.com,Pending',
    ].join('\n');
    const segment = { key: 'key', consentHistory: null };
    const options: Options = { ...live, preset: 'wix-contacts', segment };
    const found = (await intentsOf(`${text}\n`, options)).map(inShort);
    assert.deepEqual(found.slice(1), [
      ['email nothing_asked'],
      ['email nothing_asked consent_pending'],
    ]);
    assert.notDeepEqual(found[0], ['email nothing_asked']);
  });
});

describe('every header', () => {
  const headers: readonly (readonly [PresetName, string])[] = [
    ['mailchimp-subscribed', MAILCHIMP.join()],
    ['mailchimp-unsubscribed', [...MAILCHIMP, 'UNSUB_TIME', 'UNSUB_REASON'].join()],
    ['mailchimp-cleaned', CLEANED.join()],
    ['mailchimp-all', MAILCHIMP_ALL],
    ['shopify-customers', SHOPIFY.join()],
    ['matrixify-customers', MATRIXIFY],
    ['klaviyo-export', KLAVIYO_EXPORT.join()],
    ['klaviyo-import', KLAVIYO_IMPORT.join()],
    ['omnisend', OMNISEND.join()],
    ['postscript-active', POSTSCRIPT],
    ['postscript-unsubscribed', POSTSCRIPT_OUT],
    ['attentive', ATTENTIVE],
    ['constant-contact', CONSTANT_CONTACT],
    ['constant-contact', CONSTANT_CONTACT_WIDE],
    ['wix-contacts', WIX],
    ['brevo', BREVO.replaceAll(';', ',')],
    ['hubspot', HUBSPOT],
    ['drip', DRIP],
    ['activecampaign', ACTIVECAMPAIGN],
    ['substack', SUBSTACK],
    ['kit', KIT],
    ['generic', GENERIC],
  ];
  for (const [preset, columns] of headers) {
    it(`is of one preset only, in any case: ${preset}`, () => {
      for (const text of [columns, columns.toUpperCase(), columns.toLowerCase()]) {
        const fitting = fittingPresets(new Header('export.csv', text.split(','), 1));
        assert.deepEqual(
          fitting.map(({ name }) => name),
          [preset],
        );
      }
    });
  }

  it('is there of every preset that is recognised', () => {
    const tried = new Set(headers.map(([preset]) => preset));
    const named = CASES.flatMap((each) => (each.named === true ? [each.preset] : []));
    assert.deepEqual(new Set([...tried, ...named]), new Set(PRESET_NAMES));
  });

  const foreign: readonly (readonly [string, string])[] = [
    ['Postscript, orders', `order_id,${POSTSCRIPT}`],
    ['any shop, with the states of accounts', 'email,first_name,status,created_at,tags'],
    ['any list with an opt-in', 'email,name,opt_in'],
    ['an event log', ATTENTIVE_EVENTS],
  ];
  for (const [name, columns] of foreign) {
    it(`is of no preset: ${name}`, () => {
      assert.deepEqual(fittingPresets(new Header('export.csv', columns.split(','), 1)), []);
    });
  }
});

describe('an export that leaves something open', () => {
  const subscribed = [MAILCHIMP.join(), 'ada@example.com,Ada,,2,,,2021-03-04 05:06:07,,us'];
  const drip = [DRIP, '1,ada@example.com,,active,2020-01-01T00:00:00Z,,,,'];
  const left = [
    [...MAILCHIMP, 'UNSUB_TIME', 'UNSUB_REASON'].join(),
    'ada@example.com,Ada,,2,,,2021-03-04 05:06:07,,us,2022-03-04 05:06:07,',
    'bob@example.com,Bob,,2,,,2021-03-04 05:06:07,,us,,',
  ];

  interface Open {
    readonly name: string;
    readonly fileName?: string;
    readonly lines: readonly string[];
    readonly options?: Options;
    readonly code: SourceErrorCode;
    readonly says: RegExp;
  }
  const open: readonly Open[] = [
    {
      name: 'cleaned people in a file without columns about it',
      fileName: 'cleaned_members_export_1a2b.csv',
      lines: subscribed,
      code: 'status_not_told',
      says: /says "cleaned".*--operation suppress.*rename the file/,
    },
    {
      name: 'unsubscribed people, even where the preset is named',
      fileName: 'Unsubscribed-2024.csv',
      lines: subscribed,
      options: { preset: 'mailchimp-subscribed' },
      code: 'status_not_told',
      says: /says "unsubscribed".*--operation unsubscribe/,
    },
    {
      name: 'numbers that opted out, in the layout of active ones',
      fileName: 'postscript opted-out.csv',
      lines: [POSTSCRIPT, '1,+12015550123,2021-03-04 05:06:07,JOIN'],
      options: texts,
      code: 'status_not_told',
      says: /says "opted out"/,
    },
    {
      name: 'a file of people who left, for whom consent is attested',
      fileName: 'SMS Unsubscribed.csv',
      lines: [CONSTANT_CONTACT, 'ada@example.com,Ada,,,,,,+12015550123,,'],
      options: { ...attested, channels: ['sms'] },
      code: 'status_not_told',
      says: /says "unsubscribed"/,
    },
    {
      name: 'texts of Constant Contact',
      lines: [CONSTANT_CONTACT, 'ada@example.com,Ada,,,,,,+12015550123,,'],
      options: texts,
      code: 'status_not_told',
      says: /line 2.*--operation unsubscribe.*--attested/,
    },
    {
      name: 'active people of Drip',
      lines: drip,
      options: live,
      code: 'status_not_told',
      says: /line 2.*--attested.*--operation unsubscribe/,
    },
    {
      name: 'people without a sign of leaving among those who left',
      lines: left,
      code: 'status_not_told',
      says: /line 3, column "UNSUB_TIME".*--preset mailchimp-all.*--preset mailchimp-unsubscribed/,
    },
    {
      name: 'opt-ins without the blocklist',
      lines: ['EMAIL;EXT_ID;DOUBLE_OPT-IN', 'ada@example.com;;1'],
      options: live,
      code: 'consent_column_missing',
      says: /column "EMAIL_BLACKLISTED"/,
    },
    {
      name: 'mail of a tool for texts',
      lines: [POSTSCRIPT, '1,+12015550123,2021-03-04 05:06:07,JOIN'],
      code: 'channel_not_in_source',
      says: /Postscript.*--channels sms/,
    },
    {
      name: 'an attestation where every row says who consented',
      lines: subscribed,
      options: attested,
      code: 'options_conflict',
      says: /--attested is of no use here/,
    },
  ];
  for (const { name, fileName = 'export.csv', lines, options, code, says } of open) {
    it(`is asked about: ${name}`, async () => {
      await assert.rejects(intentsOf(`${lines.join('\n')}\n`, options, fileName), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, says);
        return true;
      });
    });
  }

  const answers: readonly (readonly [
    string,
    string,
    readonly string[],
    Options,
    readonly Asked[],
  ])[] = [
    [
      'that all of them left',
      'export.csv',
      left,
      { preset: 'mailchimp-unsubscribed' },
      [
        ['ada@example.com', 'email unsubscribe 2022-03-04T05:06:07Z'],
        ['bob@example.com', 'email unsubscribe'],
      ],
    ],
    [
      'by the name that all of them left',
      'unsubscribed_members_export_1a2b.csv',
      left,
      {},
      [
        ['ada@example.com', 'email unsubscribe 2022-03-04T05:06:07Z'],
        ['bob@example.com', 'email unsubscribe'],
      ],
    ],
    [
      'that it is read row by row',
      'export.csv',
      left,
      { preset: 'mailchimp-all' },
      [
        ['ada@example.com', 'email unsubscribe 2022-03-04T05:06:07Z'],
        ['bob@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      ],
    ],
    [
      'that everybody in it bounced',
      'cleaned_members_export_1a2b.csv',
      subscribed,
      { operation: 'suppress' },
      [['ada@example.com', 'suppression suppress']],
    ],
    [
      'that everybody in the view left',
      'unsubscribed.csv',
      drip,
      { operation: 'unsubscribe' },
      [['ada@example.com', 'email unsubscribe']],
    ],
  ];
  for (const [name, fileName, lines, options, asks] of answers) {
    it(`is answered: ${name}`, async () => {
      const intents = await intentsOf(`${lines.join('\n')}\n`, options, fileName);
      assert.deepEqual(
        intents.map((intent) => [whoOf(intent), ...inShort(intent)]),
        asks,
      );
    });
  }
});
