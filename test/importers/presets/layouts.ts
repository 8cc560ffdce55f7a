import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ImportOptions } from '../../../src/importers/options.js';
import { inShort, intentOf } from '../../support/sources.js';

export const SHOPIFY =
  'Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,Default Address City,Default Address Province Code,Default Address Country Code,Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags,Accepts WhatsApp Marketing'.split(
    ',',
  );
export const SHOPIFY_OLD =
  'First Name,Last Name,Email,Company,Address1,Address2,City,Province,Province Code,Country,Country Code,Zip,Phone,Accepts Marketing,Total Spent,Total Orders,Tags,Note,Tax Exempt'.split(
    ',',
  );
export const KLAVIYO_EXPORT =
  'Email,Klaviyo ID,First Name,Last Name,Organization,Title,Phone Number,Address,City,Country,Zip Code,Source,IP Address,Email Marketing Consent,Email Marketing Consent Timestamp,SMS Marketing Consent,SMS Marketing Consent Timestamp,Date Added,Email Suppressions'.split(
    ',',
  );
export const KLAVIYO_IMPORT =
  'Email Address,Phone Number,Email Marketing Consent,Email Consent Timestamp,SMS Marketing Consent,SMS Consent Timestamp,SMS Transactional consent,SMS Transactional Consent Timestamp'.split(
    ',',
  );
export const OMNISEND =
  'Email,Phone,First name,Email opt-in date,Email opt-out date,SMS opt-in date,SMS opt-out date'.split(
    ',',
  );
export const MAILCHIMP =
  'Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,CC'.split(
    ',',
  );
export const CLEANED = [...MAILCHIMP, 'CLEAN_TIME', 'CLEAN_CAMPAIGN_TITLE', 'CLEAN_CAMPAIGN_ID'];

export type Row = Readonly<Record<string, string>>;
export type Options = Partial<ImportOptions>;

/** As exports are: with a byte order mark, CRLF and everything in quotes. */
export function file(columns: readonly string[], ...rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string =>
    `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\r\n`;
  const lines = rows.map((row) => line(columns.map((column) => row[column] ?? '')));
  return `\uFEFF${line(columns)}${lines.join('')}`;
}

interface Case {
  readonly name: string;
  readonly columns: readonly string[];
  readonly row: Row;
  readonly options?: Options;
  readonly parts: readonly string[];
}

/** One test a case: what a row of these columns asks for. */
export function testCases(cases: readonly Case[]): void {
  for (const { name, columns, row, options, parts } of cases) {
    it(name, async () => {
      assert.deepEqual(inShort(await intentOf(file(columns, row), options)), parts);
    });
  }
}

/** A consent date of most cases, as it is sent. */
export const AT = '2021-03-04T12:00:00Z';
