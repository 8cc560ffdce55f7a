import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeRepair, nextStep } from '../../src/consent/repair-verdict.js';
import type { ProfileConsent } from '../../src/klaviyo/index.js';
import { email, profile, sms } from '../support/profiles.js';

const SAID_NO = '2026-01-01T12:00:00Z';
const BEFORE = '2026-01-01T11:59:59Z';
const AFTER = '2026-01-01T12:00:01Z';

const mails = (
  consent: 'SUBSCRIBED' | 'UNSUBSCRIBED' | 'unknown',
  fields: Partial<NonNullable<ProfileConsent['emailMarketing']>> = {},
) => profile({ emailMarketing: { ...email(consent), consentedAt: AFTER, ...fields } });
const texts = (consent: 'SUBSCRIBED' | 'UNSUBSCRIBED', method: string | null) =>
  profile({ smsMarketing: { ...sms(consent), consentedAt: AFTER, method } });

describe('somebody who said no after a run had asked for their consent', () => {
  const cases: [string, 'email' | 'sms', ProfileConsent[], string][] = [
    ['has no profile', 'email', [], 'out'],
    ['is still unsubscribed', 'email', [mails('UNSUBSCRIBED')], 'out'],
    [
      'is subscribed, and gets no mail as they complained',
      'email',
      [mails('SUBSCRIBED', { suppressions: [{ reason: 'SPAM_COMPLAINT', timestamp: SAID_NO }] })],
      'out',
    ],
    ['was subscribed by a call', 'email', [mails('SUBSCRIBED', { method: 'API' })], 'subscribed'],
    ['was subscribed nobody knows how', 'email', [mails('SUBSCRIBED')], 'subscribed'],
    [
      'was subscribed with a date of the past',
      'email',
      [mails('SUBSCRIBED', { method: 'FORM', consentedAt: BEFORE })],
      'subscribed',
    ],
    [
      'clicked on a double opt-in message since',
      'email',
      [mails('SUBSCRIBED', { method: 'API', doubleOptIn: true })],
      'came_back',
    ],
    ['filled in a form since', 'email', [mails('SUBSCRIBED', { method: 'FORM' })], 'came_back'],
    ['is read in a state that nobody knows', 'email', [mails('unknown')], 'unknown'],
    [
      'is kept from mail for a reason that Klaviyo does not tell',
      'email',
      [
        mails('SUBSCRIBED', {
          canReceive: false,
          suppressions: [{ reason: 'unstated', timestamp: null }],
        }),
      ],
      'out',
    ],
    [
      'has no consent, and a suppression that Klaviyo does not tell',
      'email',
      [mails('UNSUBSCRIBED', { suppressions: [{ reason: 'unstated', timestamp: null }] })],
      'out',
    ],
    [
      'is subscribed, and Klaviyo does not tell which lists they left',
      'email',
      [mails('SUBSCRIBED', { listSuppressions: null })],
      'subscribed',
    ],
    [
      'is held twice, and subscribed once',
      'email',
      [mails('UNSUBSCRIBED'), mails('SUBSCRIBED')],
      'subscribed',
    ],
    ['texts: is subscribed by a call', 'sms', [texts('SUBSCRIBED', 'API')], 'subscribed'],
    ['texts: is subscribed nobody knows how', 'sms', [texts('SUBSCRIBED', null)], 'subscribed'],
    ['texts: texted to join since', 'sms', [texts('SUBSCRIBED', 'TEXT')], 'came_back'],
    ['texts: is still out', 'sms', [texts('UNSUBSCRIBED', 'TEXT')], 'out'],
  ];
  for (const [says, channel, profiles, verdict] of cases) {
    test(`${says}: ${verdict}`, () => {
      assert.equal(judgeRepair({ channel, optedOutAt: SAID_NO }, profiles, null), verdict);
    });
  }
});

describe('somebody who is read as subscribed against their no, in a call that is given 15 minutes', () => {
  const minutes = (of: number | null) => (of === null ? null : of * 60_000);
  for (const [what, sent, seen, unsubscribed, step] of [
    ['is taken out when it is seen', 3, 0, null, 'take_out'],
    ['is not taken out again at once', 3, 0.01, 0.01, 'wait'],
    ['is taken out again after a moment', 3, 0.1, 0.1, 'take_out'],
    ['of two minutes waits for two more', 6, 3, 1, 'wait'],
    ['of two minutes is taken out after two more', 7, 4, 2, 'take_out'],
    ['who was out for long is taken out at once', 14, 10, 9, 'take_out'],
    ['of 16 minutes is only waited for', 40, 30, 14, 'wait'],
    ['of 16 minutes is given up after 15 more', 41, 31, 15, 'give_up'],
    ['is not given up before the call is too old', 29, 31, 15, 'wait'],
  ] as const) {
    test(what, () => {
      const repair = {
        sentMsAgo: minutes(sent) ?? 0,
        subscribedMsAgo: minutes(seen),
        unsubscribedMsAgo: minutes(unsubscribed),
      };
      assert.equal(nextStep(repair, 15 * 60_000), step);
    });
  }
});
