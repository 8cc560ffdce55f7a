import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSource } from '../../../src/importers/open-source.js';
import type { ImportOptions } from '../../../src/importers/options.js';
import type { PresetName } from '../../../src/importers/presets/names.js';
import { SourceError } from '../../../src/connectors/source-error.js';
import { OPTIONS, inShort, intentOf, withFile } from '../../support/sources.js';

const SHOPIFY =
  'Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,Default Address City,Default Address Province Code,Default Address Country Code,Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags,Accepts WhatsApp Marketing'.split(
    ',',
  );
const SHOPIFY_OLD =
  'First Name,Last Name,Email,Company,Address1,Address2,City,Province,Province Code,Country,Country Code,Zip,Phone,Accepts Marketing,Total Spent,Total Orders,Tags,Note,Tax Exempt'.split(
    ',',
  );
const KLAVIYO_EXPORT =
  'Email,Klaviyo ID,First Name,Last Name,Organization,Title,Phone Number,Address,City,Country,Zip Code,Source,IP Address,Email Marketing Consent,Email Marketing Consent Timestamp,SMS Marketing Consent,SMS Marketing Consent Timestamp,Date Added,Email Suppressions'.split(
    ',',
  );
const KLAVIYO_IMPORT =
  'Email Address,Phone Number,Email Marketing Consent,Email Consent Timestamp,SMS Marketing Consent,SMS Consent Timestamp,SMS Transactional consent,SMS Transactional Consent Timestamp'.split(
    ',',
  );
const OMNISEND =
  'Email,Phone,First name,Email opt-in date,Email opt-out date,SMS opt-in date,SMS opt-out date'.split(
    ',',
  );
const MAILCHIMP =
  'Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,CC'.split(
    ',',
  );
const CLEANED = [...MAILCHIMP, 'CLEAN_TIME', 'CLEAN_CAMPAIGN_TITLE', 'CLEAN_CAMPAIGN_ID'];

type Row = Readonly<Record<string, string>>;
type Options = Partial<ImportOptions>;

/** As exports are: with a byte order mark, CRLF and everything in quotes. */
function file(columns: readonly string[], ...rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string =>
    `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\r\n`;
  const lines = rows.map((row) => line(columns.map((column) => row[column] ?? '')));
  return `\uFEFF${line(columns)}${lines.join('')}`;
}

async function recognised(columns: readonly string[], options: Options = {}): Promise<string> {
  return withFile(file(columns, {}), async (path) => {
    const source = await openSource(path, { ...OPTIONS, undated: 'subscribe', ...options });
    await source.close();
    return source.preset;
  });
}

describe('the layout of a source', () => {
  const layouts: [string, readonly string[], PresetName][] = [
    ['Mailchimp, subscribed', MAILCHIMP, 'mailchimp-subscribed'],
    [
      'Mailchimp, unsubscribed',
      [...MAILCHIMP, 'UNSUB_TIME', 'UNSUB_REASON'],
      'mailchimp-unsubscribed',
    ],
    ['Mailchimp, cleaned', CLEANED, 'mailchimp-cleaned'],
    ['Shopify', SHOPIFY, 'shopify-customers'],
    ['Shopify, of old', SHOPIFY_OLD, 'shopify-customers'],
    ['Klaviyo, export', KLAVIYO_EXPORT, 'klaviyo-export'],
    ['Klaviyo, import', KLAVIYO_IMPORT, 'klaviyo-import'],
    ['Omnisend', OMNISEND, 'omnisend'],
    ['our own', ['email', 'email_consent'], 'generic'],
  ];
  for (const [name, columns, preset] of layouts) {
    it(`is recognised: ${name}`, async () => {
      assert.equal(await recognised(columns), preset);
      assert.equal(await recognised(columns.map((c) => c.toUpperCase()).reverse()), preset);
      assert.equal(await recognised(columns, { preset }), preset);
    });
  }

  const ambiguous: [readonly string[], string, string][] = [
    [[...MAILCHIMP, 'UNSUB_TIME', 'CLEAN_TIME'], 'mailchimp-unsubscribed', 'mailchimp-cleaned'],
    [[...SHOPIFY, 'email_consent'], 'shopify-customers', 'generic'],
    [[...KLAVIYO_IMPORT, ...OMNISEND], 'klaviyo-import', 'omnisend'],
  ];
  for (const [columns, one, other] of ambiguous) {
    it(`is asked for where it may be ${one} or ${other}`, async () => {
      await assert.rejects(recognised(columns), (error) => {
        assert.ok(error instanceof SourceError);
        assert.equal(error.code, 'layout_ambiguous');
        assert.ok(error.message.includes(`${one} (`) && error.message.includes(`${other} (`));
        assert.match(error.remedy, /--preset/);
        return true;
      });
    });
  }

  it('is the one that the operator names, where more than one fits', async () => {
    const columns = [...SHOPIFY, 'email_consent'];
    assert.equal(await recognised(columns, { preset: 'shopify-customers' }), 'shopify-customers');
    assert.equal(await recognised(columns, { preset: 'generic' }), 'generic');
  });
});

interface Case {
  readonly name: string;
  readonly columns: readonly string[];
  readonly row: Row;
  readonly options?: Options;
  readonly parts: readonly string[];
}

function testCases(cases: readonly Case[]): void {
  for (const { name, columns, row, options, parts } of cases) {
    it(name, async () => {
      assert.deepEqual(inShort(await intentOf(file(columns, row), options)), parts);
    });
  }
}

const AT = '2021-03-04T12:00:00Z';

describe("Mailchimp's cleaned contacts", () => {
  const bounced = {
    'Email Address': 'A@example.com',
    CONFIRM_TIME: '2020-01-01 00:00:00',
    CLEAN_TIME: '2021-03-04 05:06:07',
  };
  testCases([
    {
      name: 'are suppressed, whatever their consent was',
      columns: CLEANED,
      row: bounced,
      parts: ['email suppress suppressed_hard_bounce'],
    },
    {
      name: 'need no zone for dates that are not used',
      columns: CLEANED,
      row: bounced,
      options: { timezone: null },
      parts: ['email suppress suppressed_hard_bounce'],
    },
    {
      name: 'are refused where the address is none',
      columns: CLEANED,
      row: { ...bounced, 'Email Address': 'a' },
      parts: ['email email_invalid'],
    },
  ]);

  it('are refused as suppressions', async () => {
    const intent = await intentOf(file(CLEANED, {}));
    assert.deepEqual(
      intent.parts.map(({ operation, rejected }) => [operation, rejected]),
      [['suppress', 'identifier_missing']],
    );
  });

  it('are of no use to a run without e-mail', async () => {
    await assert.rejects(intentOf(file(CLEANED, bounced), { channels: ['sms'] }), {
      code: 'channel_not_in_source',
    });
  });
});

describe("Shopify's customers", () => {
  const customer: Row = {
    'Customer ID': "'6543210987654",
    Email: 'A@example.com',
    'Accepts Email Marketing': 'yes',
    'Accepts SMS Marketing': 'yes',
    'Accepts WhatsApp Marketing': 'yes',
    'Default Address Country Code': 'US',
    'Default Address Phone': '(201) 555-0199',
    Phone: "'+12015550123",
  };
  const old: Row = {
    Email: 'a@example.com',
    'Accepts Marketing': 'yes',
    Phone: '0491 570 006',
    'Country Code': 'AU',
  };
  const live: Options = { undated: 'subscribe' };
  const dated: Options = { consentedAt: '2021-03-04' };
  const all: Options = { ...live, channels: ['email', 'sms', 'whatsapp'] };
  testCases([
    {
      name: 'are subscribed live',
      columns: SHOPIFY,
      row: customer,
      options: live,
      parts: ['email subscribe'],
    },
    {
      name: 'are subscribed with the date that the operator attests',
      columns: SHOPIFY,
      row: customer,
      options: dated,
      parts: [`email subscribe ${AT} date_attested`],
    },
    {
      name: 'are subscribed to each channel that says yes',
      columns: SHOPIFY,
      row: customer,
      options: all,
      parts: ['email subscribe', 'sms subscribe', 'whatsapp subscribe'],
    },
    {
      name: 'did not opt out by "no"',
      columns: SHOPIFY,
      row: { ...customer, 'Accepts Email Marketing': 'no', 'Accepts SMS Marketing': 'no' },
      options: all,
      parts: ['whatsapp subscribe'],
    },
    {
      name: 'asked nothing by "no" everywhere',
      columns: SHOPIFY,
      row: { ...customer, 'Accepts Email Marketing': 'no' },
      options: live,
      parts: ['email nothing_asked'],
    },
    {
      name: 'gave no consent for the phone of their address',
      columns: SHOPIFY,
      row: { ...customer, Phone: '' },
      options: { ...live, channels: ['sms'] },
      parts: ['sms phone_missing'],
    },
    {
      name: 'are read from exports of old, without a column for SMS',
      columns: SHOPIFY_OLD,
      row: old,
      options: live,
      parts: ['email subscribe'],
    },
  ]);

  it('have the number behind the mark, of the country of their address', async () => {
    const intent = await intentOf(file(SHOPIFY, { ...customer, Phone: "'2015550123" }), all);
    assert.deepEqual([intent.phoneNumber, intent.country], ['+12015550123', 'US']);
  });

  const refused: [string, readonly string[], Options, string][] = [
    ['without dates in a run that needs them', SHOPIFY, {}, 'consent_dates_missing'],
    [
      'for SMS in an export without it',
      SHOPIFY_OLD,
      { ...live, channels: ['sms'] },
      'consent_column_missing',
    ],
    [
      'for push, which Shopify does not have',
      SHOPIFY,
      { ...live, channels: ['push'] },
      'channel_not_in_source',
    ],
  ];
  for (const [name, columns, options, code] of refused) {
    it(`are refused ${name}`, async () => {
      await assert.rejects(intentOf(file(columns, customer), options), { code });
    });
  }
});

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
        ['USER_SUPPRESSED', ['email suppress suppressed_user_suppressed']],
        ["['HARD_BOUNCE']", ['email suppress suppressed_hard_bounce']],
        ['Spam complaint, Unsubscribe', ['email suppress suppressed_spam_complaint']],
        ['2021-03-04 05:06:07', ['email suppress']],
        ['true', ['email suppress']],
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
      parts: ['email suppress suppressed_hard_bounce', `sms subscribe ${AT}`],
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

describe("Omnisend's contacts", () => {
  const dates = (optIn: string, optOut: string, sms: Row = {}): Row => ({
    Email: 'a@example.com',
    Phone: "'+12015550123",
    'Email opt-in date': optIn,
    'Email opt-out date': optOut,
    ...sms,
  });
  const cases: [string, Row, Options, string[]][] = [
    ['joined', dates('2021-03-04', ''), {}, [`email subscribe ${AT}`]],
    ['left', dates('', '2021-03-04'), {}, [`email unsubscribe ${AT}`]],
    ['left after they joined', dates('2020-03-04', '2021-03-04'), {}, [`email unsubscribe ${AT}`]],
    ['came back', dates('2021-03-04', '2020-03-04'), {}, [`email subscribe ${AT}`]],
    [
      'left and joined at once, which is an opt-out',
      dates('2021-03-04', '2021-03-04T12:00:00Z'),
      {},
      [`email unsubscribe ${AT}`],
    ],
    ['never subscribed', dates('', ''), {}, ['email nothing_asked']],
    [
      'left at no date that can be read',
      dates('2021-03-04', 'yes'),
      {},
      ['email unsubscribe date_not_used'],
    ],
    ['joined at no date that can be read', dates('yes', ''), {}, ['email consent_date_invalid']],
    [
      'joined in the future after they left',
      dates('2999-01-01', '2021-03-04'),
      {},
      [`email unsubscribe ${AT}`],
    ],
    [
      'joined and left by channel',
      dates('2021-03-04', '', {
        'SMS opt-in date': '2020-01-01',
        'SMS opt-out date': '2021-03-04',
      }),
      { channels: ['email', 'sms'] },
      [`email subscribe ${AT}`, `sms unsubscribe ${AT}`],
    ],
    [
      'are compared in the zone of the source',
      dates('2021-03-04T18:30:00+01:00', '2021-03-04'),
      { timezone: 'America/New_York' },
      ['email subscribe 2021-03-04T17:30:00Z'],
    ],
  ];
  for (const [name, row, options, parts] of cases) {
    it(name, async () => {
      assert.deepEqual(inShort(await intentOf(file(OMNISEND, row), options)), parts);
    });
  }

  for (const [optIn, optOut, column] of [
    ['2021-03-04', '', 'Email opt-in date'],
    ['2021-03-04', '2020-01-01T00:00:00Z', 'Email opt-in date'],
    ['2021-03-04T00:00:00Z', '2020-01-01', 'Email opt-out date'],
  ] as const) {
    it(`needs a zone for "${optIn}" and "${optOut}"`, async () => {
      await assert.rejects(intentOf(file(OMNISEND, dates(optIn, optOut)), { timezone: null }), {
        code: 'timezone_needed',
        line: 2,
        column,
      });
    });
  }

  it('need both dates of a channel', async () => {
    const columns = OMNISEND.filter((column) => column !== 'Email opt-out date');
    await assert.rejects(intentOf(file(columns, dates('2021-03-04', ''))), {
      code: 'consent_column_missing',
      column: 'Email opt-out date',
    });
  });
});

describe('a preset', () => {
  const sources: [string, readonly string[], Row][] = [
    [
      'mailchimp-subscribed',
      [...MAILCHIMP, 'Phone Number'],
      {
        'Email Address': 'a@example.com',
        CONFIRM_TIME: '2021-03-04',
        'Phone Number': '+12015550123',
      },
    ],
    ['shopify-customers', SHOPIFY, { Email: 'a@example.com', Phone: '+12015550123' }],
    ['klaviyo-export', KLAVIYO_EXPORT, { Email: 'a@example.com', 'Phone Number': '+12015550123' }],
    [
      'klaviyo-import',
      KLAVIYO_IMPORT,
      { 'Email Address': 'a@example.com', 'Phone Number': '+12015550123' },
    ],
    ['omnisend', OMNISEND, { Email: 'a@example.com', Phone: '+12015550123' }],
  ];
  for (const [name, columns, row] of sources) {
    it(`asks ${name} for e-mail only unless the run asks for more`, async () => {
      const intent = await intentOf(file(columns, row), { undated: 'subscribe' });
      assert.ok(intent.parts.every(({ channel }) => channel === 'email'));
      assert.equal(intent.phoneNumber, null);
    });

    if (name === 'mailchimp-subscribed') continue;
    it(`asks nothing of ${name} because a number is there`, async () => {
      const options: Options = { undated: 'subscribe', channels: ['email', 'sms'] };
      assert.deepEqual(inShort(await intentOf(file(columns, row), options)), [
        'email nothing_asked',
      ]);
    });
  }
});
