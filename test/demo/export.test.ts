import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'csv-parse/sync';
import type { Intent } from '../../src/contracts/intents.js';
import type { Reason } from '../../src/contracts/outcomes.js';
import { generateExport, type RowKind, type SeedProfile } from '../../src/demo/export.js';
import { PHONES_WITH_SENDER, phoneWithSender } from '../../src/demo/phones.js';
import { openSource } from '../../src/importers/index.js';
import { readPhone } from '../../src/importers/values/phone.js';

const text = (options: Parameters<typeof generateExport>[0]): string =>
  [...generateExport(options).csv].join('');
const sha = (value: string): string => createHash('sha256').update(value).digest('hex');
const RESERVED = /@([a-z]+\.)?(example\.(com|net|org)|[a-z]+\.test|filtered\.example)$/;

describe('generateExport', () => {
  const demo = generateExport({ listId: 'LIST01' });
  const csv = [...demo.csv].join('');
  const { rows: kinds, account } = demo.expected();
  const folder = mkdtempSync(join(tmpdir(), 'consentry-demo-'));
  const intents: Intent[] = [];

  before(async () => {
    const file = join(folder, 'export.csv');
    writeFileSync(file, csv);
    const source = await openSource(file, {
      channels: ['email', 'sms'],
      country: null,
      timezone: demo.timezone,
      undated: 'list_only',
      preset: null,
      now: new Date('2026-01-01T00:00:00Z'),
    });
    assert.equal(source.preset, 'mailchimp-subscribed');
    for await (const batch of source.intents) intents.push(...batch);
    await source.close();
  });
  after(() => rmSync(folder, { recursive: true }));

  function rejected(channel: 'email' | 'sms', reason: Reason): number {
    return intents.filter(({ parts }) =>
      parts.some((part) => part.channel === channel && part.rejected === reason),
    ).length;
  }

  it('writes the same bytes for the same seed, and others for another', () => {
    const rows = 2_500;
    assert.equal(sha(text({ seed: 7, rows })), sha(text({ seed: 7, rows })));
    assert.notEqual(sha(text({ seed: 7, rows })), sha(text({ seed: 8, rows })));
    const seeds = (seed: number): string =>
      JSON.stringify([...generateExport({ seed, rows }).accountBefore]);
    assert.equal(sha(seeds(7)), sha(seeds(7)));
    assert.notEqual(sha(seeds(7)), sha(seeds(8)));
  });

  it('begins a longer file with the rows of a shorter one', () => {
    assert.ok(text({ rows: 1_700 }).startsWith(text({ rows: 300 })));
  });

  it('has 20,000 rows by default, a byte order mark, CRLF and quoted line ends', () => {
    assert.equal(intents.length, 20_000);
    assert.ok(csv.startsWith('\uFEFFEmail Address,First Name,'));
    const records = parse(csv, { bom: true, record_delimiter: '\r\n', relax_column_count: true });
    assert.equal(records.length, 20_001);
    assert.ok(csv.split('\r\n').length > 20_100);
    const widths = records.filter((record) => record.length !== 21).length;
    assert.equal(widths, kinds.row_malformed);
  });

  const refusals: [RowKind, 'email' | 'sms', Reason][] = [
    ['phone_landline', 'sms', 'phone_landline'],
    ['phone_malformed', 'sms', 'phone_invalid'],
    ['phone_scientific_notation', 'sms', 'phone_scientific_notation'],
    ['phone_toll_free', 'sms', 'phone_type_not_textable'],
    ['email_malformed', 'email', 'email_invalid'],
    ['identifier_missing', 'email', 'identifier_missing'],
    ['email_missing', 'email', 'email_missing'],
    ['date_in_future', 'email', 'consent_date_in_future'],
    ['date_malformed', 'email', 'consent_date_invalid'],
    ['row_malformed', 'email', 'row_malformed'],
  ];
  for (const [kind, channel, reason] of refusals) {
    it(`has as many rows of kind ${kind} as the importer refuses with ${reason}`, () => {
      assert.ok((kinds[kind] ?? 0) >= 20, `${kind}: ${kinds[kind]}`);
      assert.equal(rejected(channel, reason), kinds[kind]);
    });
  }

  it('has as many undated rows and rows before 1990 as it says', () => {
    const noted = (note: string): number =>
      intents.filter(({ parts }) => parts.some((part) => part.note === note)).length;
    assert.equal(noted('clamped_to_1990'), kinds.date_before_1990);
    assert.equal(noted('undated'), (kinds.undated ?? 0) + (kinds.undated_filtered ?? 0));
    const filtered = intents.filter(({ email }) => email?.endsWith('@filtered.example'));
    assert.equal(filtered.length, (kinds.filtered ?? 0) + (kinds.undated_filtered ?? 0));
  });

  it('repeats addresses and numbers exactly as often as it says', () => {
    const repeated = (values: (string | null)[]): number => {
      const known = values.filter((value) => value !== null);
      return known.length - new Set(known).size;
    };
    assert.equal(repeated(intents.map(({ email }) => email)), kinds.duplicate_email);
    assert.equal(repeated(intents.map(({ phoneNumber }) => phoneNumber)), kinds.duplicate_phone);
  });

  it('sends texts to countries with a sender but for the rows that it says', () => {
    const senders = new Set(demo.smsSenders.map(({ country }) => country));
    const numbers = intents.filter(({ phoneNumber }) => phoneNumber !== null);
    const without = numbers.filter(({ country }) => !senders.has(country ?? ''));
    assert.equal(without.length, kinds.phone_country_without_sender);
    assert.deepEqual(new Set(without.map(({ country }) => country)), new Set(['PR', 'SE']));
    assert.deepEqual(
      new Set(numbers.map(({ country }) => country)),
      new Set(['US', 'CA', 'AU', 'PR', 'SE']),
    );
  });

  it('knows only addresses of reserved domains', () => {
    const foreign = intents.filter(({ email }) => email !== null && !RESERVED.test(email));
    assert.deepEqual(foreign, []);
    for (const { email } of demo.accountBefore) assert.match(email, RESERVED);
  });

  it('has valid numbers in the whole pool, each of the country it says', () => {
    const pool = Array.from({ length: PHONES_WITH_SENDER }, (_, n) => phoneWithSender(n));
    assert.equal(new Set(pool.map(({ e164 }) => e164)).size, pool.length);
    for (const { e164, country } of pool) {
      assert.deepEqual(readPhone(e164, '', null), { kind: 'valid', phoneNumber: e164, country });
    }
  });

  describe('the account before the run', () => {
    const profiles = [...demo.accountBefore];
    const inFile = (profile: SeedProfile): boolean => !profile.email.startsWith('bystander.');

    it('knows each person and number once', () => {
      const emails = profiles.map(({ email }) => email);
      assert.equal(new Set(emails).size, emails.length);
      const phones = profiles.flatMap(({ phone_number }) => phone_number ?? []);
      assert.equal(new Set(phones).size, phones.length);
    });

    it('knows people of the file in each state, as often as it says, and 3,000 others', () => {
      const { absent = 0, ...known } = account;
      for (const [state, people] of Object.entries(known)) assert.ok(people > 10, state);
      assert.equal(Object.keys(known).length, 10);
      const people = profiles.filter(inFile);
      assert.equal(people.length, 20_000 - absent);
      assert.equal(profiles.length - people.length, 3_000);
      const suppressed = (reason: string): number =>
        people.filter(({ suppressions }) => suppressions?.some((s) => s.reason === reason)).length;
      assert.equal(suppressed('UNSUBSCRIBE'), account.unsubscribed);
      assert.equal(suppressed('USER_SUPPRESSED'), account.user_suppressed);
      assert.equal(suppressed('SPAM_COMPLAINT'), account.spam_complaint);
      assert.equal(suppressed('HARD_BOUNCE'), account.hard_bounce);
      assert.equal(suppressed('INVALID_EMAIL'), account.invalid_email);
    });

    it('names people of the file as the file does, and no others', () => {
      const phones = new Map(intents.map(({ email, phoneNumber }) => [email, phoneNumber]));
      for (const { email, phone_number } of profiles.filter(inFile)) {
        assert.ok(phones.has(email), email);
        if (phone_number !== undefined) assert.equal(phones.get(email), phone_number);
      }
      const numbers = new Set(phones.values());
      for (const { email, phone_number } of profiles.filter((profile) => !inFile(profile))) {
        assert.ok(!phones.has(email) && !numbers.has(phone_number ?? ''), email);
      }
    });

    it('names a list only where one is given', () => {
      const onLists = (of: Iterable<SeedProfile>): number =>
        [...of].filter(({ lists }) => lists !== undefined).length;
      assert.ok(onLists(profiles) > 1_000);
      assert.equal(onLists(generateExport({ rows: 1_000 }).accountBefore), 0);
    });
  });
});
