import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSource } from '../../src/importers/open-source.js';
import type { ImportOptions } from '../../src/importers/options.js';
import { SourceError, type SourceErrorCode } from '../../src/connectors/source-error.js';
import { OPTIONS, intentsOf } from '../support/sources.js';

interface Case {
  readonly name: string;
  readonly content: string | Buffer;
  readonly options?: Partial<ImportOptions>;
  readonly code: SourceErrorCode;
  readonly line?: number;
  readonly column?: string;
  /** What the message has to say. */
  readonly says: RegExp;
}

const latin1 = Buffer.concat([
  Buffer.from('email,email_consent\na@example.com,é\nJos'),
  Buffer.from('\xe9@example.com,yes\n', 'latin1'),
]);
const cases: Case[] = [
  { name: 'an empty file', content: '', code: 'file_empty', says: /Export it again/ },
  { name: 'blank lines only', content: '\uFEFF\r\n\r\n', code: 'file_empty', says: /empty/ },
  {
    name: 'a header without rows',
    content: 'email,email_consent\r\n\r\n',
    code: 'file_without_rows',
    line: 1,
    says: /no rows/,
  },
  {
    name: 'an unknown layout',
    content: 'name,mail\nAda,a@example.com\n',
    code: 'layout_unknown',
    line: 1,
    says: /has: name, mail\. The presets are mailchimp-subscribed, .*, generic\. .*--map/,
  },
  {
    name: 'a layout other than the one named',
    content: 'email,email_consent\na@example.com,yes\n',
    options: { preset: 'mailchimp-subscribed' },
    code: 'layout_unknown',
    line: 1,
    says: /do not match the preset mailchimp-subscribed.*has: email, email_consent/,
  },
  {
    name: 'an export of unsubscribed contacts named as subscribed',
    content: 'Email Address,CONFIRM_TIME,UNSUB_TIME\na@example.com,,\n',
    options: { preset: 'mailchimp-subscribed' },
    code: 'layout_unknown',
    line: 1,
    says: /no UNSUB_\*/,
  },
  {
    name: 'the generic layout without a consent column',
    content: 'email,name\na@example.com,Ada\n',
    code: 'consent_column_missing',
    line: 1,
    column: 'email_consent',
    says: /has: email, name\. Add a column "email_consent"/,
  },
  {
    name: 'SMS asked of a file without SMS consent',
    content: 'email,phone_number,email_consent\na@example.com,,yes\n',
    options: { channels: ['email', 'sms'] },
    code: 'consent_column_missing',
    line: 1,
    column: 'sms_consent',
    says: /leave sms out of --channels/,
  },
  {
    name: 'SMS asked of a Mailchimp export without numbers',
    content: 'Email Address,CONFIRM_TIME\na@example.com,\n',
    options: { channels: ['email', 'sms'] },
    code: 'column_missing',
    line: 1,
    column: 'Phone Number',
    says: /--sms-column/,
  },
  {
    name: 'a column that stands twice',
    content: 'email,Email,email_consent\na@example.com,b@example.com,yes\n',
    code: 'column_twice',
    line: 1,
    column: 'email',
    says: /2 times/,
  },
  {
    name: 'opt-outs of e-mail in a run for SMS',
    content: 'Email Address,UNSUB_TIME\na@example.com,\n',
    options: { channels: ['sms'] },
    code: 'channel_not_in_source',
    line: 1,
    says: /Give --channels email/,
  },
  {
    name: 'the first date without a zone where none was given',
    content:
      'email,email_consent,email_consented_at\n' +
      'a@example.com,yes,2021-03-04T05:06:07Z\n' +
      'b@example.com,yes,2021-03-04 05:06:07\n',
    options: { timezone: null },
    code: 'timezone_needed',
    line: 3,
    column: 'email_consented_at',
    says: /--timezone UTC/,
  },
  {
    name: 'the column of the date that needs a zone',
    content: 'Email Address,OPTIN_TIME,CONFIRM_TIME\na@example.com,2021-03-04 05:06:07,\n',
    options: { timezone: null },
    code: 'timezone_needed',
    line: 2,
    column: 'OPTIN_TIME',
    says: /no time zone/,
  },
  {
    name: 'a time zone that does not exist',
    content: '',
    options: { timezone: 'Mars/Olympus' },
    code: 'timezone_unknown',
    says: /Mars\/Olympus/,
  },
  {
    name: 'a country that does not exist',
    content: '',
    options: { country: 'USA' },
    code: 'country_unknown',
    says: /two capital letters/,
  },
  {
    name: 'a quote that is never closed',
    content: 'email,email_consent\na@example.com,yes\n"b@example.com,yes\nc@example.com,yes\n',
    code: 'quote_not_closed',
    line: 3,
    says: /never closed/,
  },
  {
    name: 'Latin-1 beside UTF-8',
    content: latin1,
    code: 'encoding_not_utf8',
    line: 3,
    says: /--encoding \(utf-8, utf-16le, utf-16be, windows-1252\)/,
  },
  {
    name: 'a character cut off at the end of the file',
    content: Buffer.from('email,email_consent\na@example.com,é').subarray(0, -1),
    code: 'encoding_not_utf8',
    line: 2,
    says: /not UTF-8/,
  },
  {
    name: 'lines that end in carriage returns',
    content: 'email,email_consent\ra@example.com,yes\r',
    code: 'line_ends_unknown',
    line: 1,
    says: /tr '\\r' '\\n'/,
  },
];

describe('SourceError', () => {
  for (const { name, content, options, code, line, column, says } of cases) {
    it(`names ${name}`, async () => {
      const undated = { undated: 'subscribe', ...options } as const;
      await assert.rejects(intentsOf(content, undated), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.deepEqual([error.code, error.line, error.column], [code, line, column]);
        assert.match(error.message, says);
        assert.ok(error.message.startsWith(error.file) && error.message.endsWith(error.remedy));
        return true;
      });
    });
  }

  it('names a file that is not there, and a folder', async () => {
    const missing = join(tmpdir(), 'no-such-folder', 'export.csv');
    await assert.rejects(openSource(missing, OPTIONS), { code: 'file_unreadable', file: missing });
    await assert.rejects(openSource(tmpdir(), OPTIONS), /This is a folder/);
  });
});
