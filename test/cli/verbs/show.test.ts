import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toPersonConsent } from '../../../src/activities/person/read-person.js';
import { UsageError } from '../../../src/cli/ended.js';
import { personOf } from '../../../src/cli/person-argument.js';
import { renderPerson } from '../../../src/cli/render/person.js';
import type { PersonPart } from '../../../src/ledger/index.js';
import { email, profile } from '../../support/profiles.js';

describe('the person of show', () => {
  for (const [argument, country, by, value] of [
    ['Ada@Example.com', null, 'email', 'ada@example.com'],
    ['  ada@example.com ', 'US', 'email', 'ada@example.com'],
    ['+12015550123', null, 'phone_number', '+12015550123'],
    ['(201) 555-0123', 'US', 'phone_number', '+12015550123'],
    ['+1 201 555 0123', null, 'phone_number', '+12015550123'],
  ] as const) {
    it(`is ${value} for "${argument}"${country === null ? '' : ` of ${country}`}`, async () => {
      assert.deepEqual(await personOf(argument, country), { by, value });
    });
  }

  for (const [argument, country, message] of [
    ['ada@', null, /"ada@" is not an e-mail address/],
    ['201 555 0123', null, /add --country US/],
    ['12', 'US', /not a number of US/],
    ['ada', null, /neither an e-mail address nor a valid phone number/],
  ] as const) {
    it(`cannot be "${argument}"${country === null ? '' : ` of ${country}`}`, async () => {
      await assert.rejects(
        personOf(argument, country),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
  }
});

const PART: PersonPart = {
  migrationId: '20260102-1a2b3c4d',
  startedAt: new Date('2026-01-02T03:00:00Z'),
  sourceName: 'people.csv',
  preset: 'generic',
  line: 3,
  email: 'ada@example.com',
  phoneNumber: null,
  channel: 'email',
  operation: 'subscribe',
  consentedAt: new Date('2021-03-04T05:06:07Z'),
  note: 'clamped_to_1990',
  listId: 'XyZ987',
  customSource: 'the old shop',
  historicalImport: true,
  outcome: 'confirmed',
  reason: null,
  settledBy: 'list_members',
  settledAt: new Date('2026-01-02T03:10:00Z'),
  consentBefore: 'NEVER_SUBSCRIBED',
  consentBeforeAt: null,
  consentAfter: 'SUBSCRIBED',
  consentAfterAt: new Date('2021-03-04T05:06:07Z'),
  readAt: new Date('2026-01-02T03:09:59Z'),
  askedAt: null,
  sentAt: new Date('2026-01-02T03:05:00Z'),
  requestId: 'request-1',
};
const ADA = { by: 'email', value: 'ada@example.com' } as const;
const READ_AT = new Date('2026-01-04T00:00:00Z');

describe('a person', () => {
  it('is shown with the consent now, suppressions included', () => {
    const klaviyo = toPersonConsent(
      [
        profile({
          email: 'ada@example.com',
          emailMarketing: email('UNSUBSCRIBED', ['UNSUBSCRIBE']),
        }),
      ],
      READ_AT,
    );
    const text = renderPerson({ person: ADA, klaviyo, failure: null, history: [] });
    assert.match(text, /^Klaviyo, read 2026-01-04T00:00:00\.000Z:$/m);
    assert.match(text, /^email +UNSUBSCRIBED/m);
    assert.match(text, /^Suppressed for e-mail: UNSUBSCRIBE/m);
    assert.match(text, /no migration has a row/);
  });

  it('is not shown as suppressed, nor as free, where Klaviyo does not say', () => {
    const emailMarketing = email('SUBSCRIBED', ['unstated']);
    const klaviyo = toPersonConsent([profile({ emailMarketing })], READ_AT);
    const text = renderPerson({ person: ADA, klaviyo, failure: null, history: [] });
    assert.match(text, /^Klaviyo does not say whether the profile is suppressed for e-mail\.$/m);
    assert.doesNotMatch(text, /^Suppressed/m);
  });

  it('is shown with the consent to be watched while reading mail, and until when', () => {
    const clicks = {
      consent: 'SUBSCRIBED',
      consentedAt: '2026-01-01T00:00:00+00:00',
      validUntil: '2027-01-01T00:00:00+00:00',
    } as const;
    const held = profile({ emailTracking: { opens: null, clicks } });
    const klaviyo = toPersonConsent([held], READ_AT);
    const text = renderPerson({ person: ADA, klaviyo, failure: null, history: [] });
    const line =
      'Tracking of clicks in e-mail: SUBSCRIBED since 2026-01-01T00:00:00+00:00 until 2027-01-01T00:00:00+00:00';
    assert.ok(text.split('\n').includes(line), text);
    assert.doesNotMatch(text, /opens/);
  });

  it('that Klaviyo does not know is said to be none', () => {
    const klaviyo = toPersonConsent([], READ_AT);
    assert.match(
      renderPerson({ person: ADA, klaviyo, failure: null, history: [] }),
      /: no such profile/,
    );
  });

  it('is shown with the proof of every run, the newest first, though Klaviyo does not answer', () => {
    const later = { ...PART, migrationId: '20260105-00000000', line: 8, requestId: null };
    const text = renderPerson({
      person: ADA,
      klaviyo: null,
      failure: 'no',
      history: [PART, later],
    });
    assert.match(text, /^Klaviyo was not read\.$/m);
    assert.ok(text.indexOf('20260105-00000000') < text.indexOf('20260102-1a2b3c4d'), text);
    for (const line of [
      'Migration 20260102-1a2b3c4d, 2026-01-02T03:00:00.000Z: people.csv (generic), list XyZ987, custom source "the old shop"',
      '  line 3, email: subscribe -> confirmed',
      '    asked    with consent of 2021-03-04T05:06:07.000Z, clamped_to_1990',
      '    before   NEVER_SUBSCRIBED',
      "    sent     2026-01-02T03:05:00.000Z, Klaviyo's request request-1",
      '    read     SUBSCRIBED since 2021-03-04T05:06:07.000Z, read 2026-01-02T03:09:59.000Z',
      '    settled  2026-01-02T03:10:00.000Z by list_members',
    ]) {
      assert.ok(text.split('\n').includes(line), `${line} is not in:\n${text}`);
    }
  });

  const dated: [string, Partial<PersonPart>, string][] = [
    ['an opt-out', { operation: 'unsubscribe' }, 'dated 2021-03-04T05:06:07.000Z'],
    [
      'an opt-out without a date',
      { operation: 'unsubscribe', consentedAt: null },
      'without a date',
    ],
    [
      'a word that nobody knows',
      { reason: 'consent_value_unknown' },
      'dated 2021-03-04T05:06:07.000Z',
    ],
    ['consent without a date', { consentedAt: null }, 'without a consent date'],
  ];
  for (const [what, part, says] of dated) {
    it(`is shown ${what} in its own words`, () => {
      const history = [{ ...PART, note: null, ...part }];
      const text = renderPerson({ person: ADA, klaviyo: null, failure: null, history });
      assert.ok(text.split('\n').includes(`    asked    ${says}`), text);
    });
  }
});
