import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { joinedAfter, whyNotOurs } from '../../src/consent/given.js';
import type { EmailMarketing, ProfileConsent, SmsConsent } from '../../src/klaviyo/index.js';
import type { GivenConsent } from '../../src/ledger/index.js';
import { email, profile, sms } from '../support/profiles.js';

const at = (time: string) => new Date(`2026-05-04T${time}Z`);

/** A live subscribe that an event proved. */
const LIVE: GivenConsent = {
  source: 'form: terms',
  consentedAt: null,
  shownAt: null,
  sentAt: at('10:00:00'),
  readBackAt: at('10:00:40'),
  isAskedElsewhere: false,
};
/** One that a profile proved, which shows its date. */
const SHOWN: GivenConsent = { ...LIVE, shownAt: at('10:00:20') };
const HISTORICAL: GivenConsent = { ...LIVE, consentedAt: new Date('2020-01-02T03:04:05Z') };

function mailed(fields: Partial<EmailMarketing> = {}): ProfileConsent {
  const consentedAt = '2026-05-04T10:00:20.123456+00:00';
  const method = 'API';
  const customMethodDetail = 'form: terms';
  const shown = { consentedAt, method, customMethodDetail, lastUpdated: consentedAt, ...fields };
  return profile({ emailMarketing: { ...email(fields.consent ?? 'SUBSCRIBED'), ...shown } });
}

function texted(
  marketing: Partial<SmsConsent>,
  transactional: Partial<SmsConsent> | null = null,
): ProfileConsent {
  const shown = { consentedAt: '2026-05-04T10:00:20+00:00', method: 'API' };
  return profile({
    phoneNumber: '+12015550123',
    smsMarketing: { ...sms('SUBSCRIBED'), ...shown, ...marketing },
    smsTransactional: transactional && { ...sms('SUBSCRIBED'), ...shown, ...transactional },
  });
}

const mail = (time: string): Partial<EmailMarketing> => ({ consentedAt: `2026-05-04T${time}Z` });

describe('whether a consent is the one that a program gave', () => {
  for (const [what, profiles, given, reason] of [
    ['it is', [mailed()], LIVE, null],
    ['its date is the one that was read back', [mailed()], SHOWN, null],
    ['the ledger does not know', [mailed()], undefined, 'consent_origin_unknown'],
    [
      'another program asks',
      [mailed()],
      { ...LIVE, isAskedElsewhere: true },
      'asked_for_elsewhere',
    ],
    ['nobody has it any more', [], LIVE, 'not_subscribed'],
    ['the profile never had it', [profile()], LIVE, 'not_subscribed'],
    ['it ended otherwise', [mailed({ consent: 'NEVER_SUBSCRIBED' })], LIVE, 'not_subscribed'],
    ['Klaviyo does not say', [mailed({ consent: 'unknown' })], LIVE, 'consent_origin_unknown'],
    ['it has no date', [mailed({ consentedAt: null })], LIVE, 'consent_origin_unknown'],
    ['it has no method', [mailed({ method: null })], LIVE, 'consent_origin_unknown'],
    ['its method is blank', [mailed({ method: '' })], LIVE, 'consent_origin_unknown'],
    ['its date cannot be read', [mailed({ consentedAt: 'soon' })], LIVE, 'given_by_another'],
    ['it is from before the call', [mailed(mail('09:59:59'))], LIVE, 'given_by_another'],
    ['it is from the second of the call', [mailed(mail('10:00:00'))], LIVE, null],
    ['it is from after the reading', [mailed(mail('10:00:46'))], LIVE, 'renewed_elsewhere'],
    ['it is later than what was read', [mailed(mail('10:00:22'))], SHOWN, 'renewed_elsewhere'],
    ['it is earlier than what was read', [mailed(mail('10:00:18'))], SHOWN, 'given_by_another'],
    ['a form gave it meanwhile', [mailed({ method: 'FORM' })], LIVE, 'renewed_elsewhere'],
    [
      'another call gave it meanwhile',
      [mailed({ customMethodDetail: 'shop' })],
      LIVE,
      'renewed_elsewhere',
    ],
    ['no source is shown', [mailed({ customMethodDetail: null })], LIVE, 'renewed_elsewhere'],
    [
      'something of it was changed afterwards',
      [mailed({ lastUpdated: '2026-05-04T10:02:00Z' })],
      LIVE,
      'renewed_elsewhere',
    ],
    [
      'its date is the one that was sent',
      [mailed({ consentedAt: '2020-01-02T03:04:05+00:00' })],
      HISTORICAL,
      null,
    ],
    ['its date is not the one that was sent', [mailed()], HISTORICAL, 'renewed_elsewhere'],
    [
      'it is older than the date that was sent',
      [mailed({ consentedAt: '2019-01-02T03:04:05+00:00' })],
      HISTORICAL,
      'given_by_another',
    ],
    [
      'its date is the one that was sent, and its source another',
      [mailed({ consentedAt: '2020-01-02T03:04:05+00:00', customMethodDetail: 'shop' })],
      HISTORICAL,
      'given_by_another',
    ],
    [
      'another profile of the address is out',
      [mailed(), mailed({ consent: 'UNSUBSCRIBED' })],
      LIVE,
      null,
    ],
    [
      'another profile of the address has it from elsewhere',
      [mailed(), mailed({ method: 'FORM' })],
      LIVE,
      'renewed_elsewhere',
    ],
  ] as const) {
    it(`e-mail: ${what}`, () => {
      assert.equal(whyNotOurs('email', profiles, given), reason);
    });
  }

  const other = { consentedAt: '2026-05-01T10:00:20+00:00' };
  for (const [what, shown, reason] of [
    ['it is', texted({}), null],
    ['a text gave it', texted({ method: 'TEXT' }), 'renewed_elsewhere'],
    [
      'it is from after the reading',
      texted({ consentedAt: '2026-05-04T11:00:00Z' }),
      'renewed_elsewhere',
    ],
    ['the other texts came with the same call', texted({}, {}), null],
    ['the other texts are older', texted({}, other), 'ends_other_texts'],
    ['the other texts have ended', texted({}, { ...other, consent: 'UNSUBSCRIBED' }), null],
    [
      'Klaviyo does not say of the other texts',
      texted({}, { ...other, consent: 'unknown' }),
      'ends_other_texts',
    ],
  ] as const) {
    it(`texts: ${what}`, () => {
      assert.equal(whyNotOurs('sms', [shown], LIVE), reason);
    });
  }

  it('WhatsApp and push show nobody whose consent it is', () => {
    const consent = { consent: 'SUBSCRIBED', consentedAt: '2026-05-04T10:00:20+00:00' } as const;
    const shown = profile({ whatsappMarketing: consent, pushMarketing: consent });
    for (const channel of ['whatsapp', 'push'] as const) {
      assert.equal(whyNotOurs(channel, [shown], LIVE), 'consent_origin_unknown');
    }
  });

  it('the list that the call adds people to is not joined by themselves', () => {
    assert.deepEqual(joinedAfter(LIVE), at('10:01:40'));
  });
});
