import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONSENT_CHANNELS } from '../../../src/contracts/channels.js';
import { consentOf, isSuppressed } from '../../../src/klaviyo/index.js';
import { profileSchema } from '../../../src/klaviyo/profiles/profile-schema.js';
import { profile } from '../../support/klaviyo/klaviyo-server.js';

type Attributes = Readonly<Record<string, unknown>>;

const ADDRESS = { email: 'ada@example.com' };
const NUMBER = { phone_number: '+12015550123' };
const EMAIL = {
  email: { marketing: { consent: 'SUBSCRIBED', can_receive_email_marketing: true } },
};
const SMS = { sms: { marketing: { consent: 'SUBSCRIBED' } } };

const read = (attributes: Attributes) => profileSchema.parse(profile('01', attributes));

/** Consent of e-mail, SMS, transactional SMS, WhatsApp and push. */
function consentsOf(attributes: Attributes): (string | null)[] {
  const held = read(attributes);
  return CONSENT_CHANNELS.map((channel) => consentOf(held, channel)?.consent ?? null);
}

const emailOf = (identifier: Attributes, marketing: object) =>
  read({
    ...identifier,
    subscriptions: { email: { marketing: { consent: 'SUBSCRIBED', ...marketing } } },
  }).emailMarketing;

describe('what Klaviyo leaves out of a profile’s consent', () => {
  const NOTHING_KNOWN = Array(CONSENT_CHANNELS.length).fill('unknown') as string[];

  it('is every channel where subscriptions are null', () => {
    assert.deepEqual(consentsOf({ ...ADDRESS, ...NUMBER, subscriptions: null }), NOTHING_KNOWN);
    assert.deepEqual(consentsOf({ subscriptions: null }), NOTHING_KNOWN);
  });

  for (const email of [{}, { email: null }, { email: {} }, { email: { marketing: null } }]) {
    it(`is e-mail consent of an address with ${JSON.stringify(email)}`, () => {
      const subscriptions = { ...SMS, ...email };
      assert.deepEqual(consentsOf({ ...ADDRESS, subscriptions })[0], 'unknown');
      assert.deepEqual(consentsOf({ ...NUMBER, subscriptions })[0], null);
    });
  }

  for (const sms of [{}, { sms: null }, { sms: {} }, { sms: { marketing: null } }]) {
    it(`is SMS consent of a number with ${JSON.stringify(sms)}`, () => {
      const subscriptions = { ...EMAIL, ...sms };
      assert.deepEqual(consentsOf({ ...NUMBER, subscriptions })[1], 'unknown');
      assert.deepEqual(consentsOf({ ...ADDRESS, subscriptions })[1], null);
    });
  }

  it('is not what was never met: WhatsApp, push and transactional texts', () => {
    const never = { whatsapp: null, mobile_push: null };
    const subscriptions = { ...EMAIL, sms: { ...SMS.sms, transactional: null }, ...never };
    assert.deepEqual(consentsOf({ ...ADDRESS, ...NUMBER, subscriptions }), [
      'SUBSCRIBED',
      'SUBSCRIBED',
      null,
      null,
      null,
    ]);
  });
});

describe('suppressions that Klaviyo does not list', () => {
  const UNKNOWN = { reason: 'unknown', timestamp: null };
  const UNSTATED = { reason: 'unstated', timestamp: null };
  const LISTED = { reason: 'UNSUBSCRIBE', timestamp: '2026-01-01T00:00:00+00:00' };

  for (const list of [{}, { suppression: null }, { suppression: [] }]) {
    it(`are there, for a reason unknown, where mail is off with ${JSON.stringify(list)}`, () => {
      const email = emailOf(ADDRESS, { can_receive_email_marketing: false, ...list });
      assert.deepEqual(email?.suppressions, [UNKNOWN]);
      assert.equal(isSuppressed(email), true);
    });
  }

  for (const said of [
    {},
    { suppression: null },
    { can_receive_email_marketing: null },
    { can_receive_email_marketing: null, suppression: null },
  ]) {
    it(`may be there where all that is said is ${JSON.stringify(said)}`, () => {
      for (const identifier of [ADDRESS, NUMBER]) {
        const email = emailOf(identifier, said);
        assert.deepEqual(email?.suppressions, [UNSTATED]);
        assert.equal(isSuppressed(email), false);
      }
    });
  }

  it('may be there where nothing is said of the e-mail of an address', () => {
    assert.deepEqual(read({ ...ADDRESS, subscriptions: {} }).emailMarketing?.suppressions, [
      UNSTATED,
    ]);
  });

  for (const said of [
    { can_receive_email_marketing: true },
    { can_receive_email_marketing: true, suppression: null },
    { suppression: [] },
  ]) {
    it(`are not there with ${JSON.stringify(said)}`, () => {
      assert.deepEqual(emailOf(ADDRESS, said)?.suppressions, []);
    });
  }

  it('are not there where mail is off for want of an address', () => {
    const email = emailOf(NUMBER, { can_receive_email_marketing: false, suppression: [] });
    assert.deepEqual(email?.suppressions, []);
  });

  it('do not hide the one that is listed', () => {
    const said = { can_receive_email_marketing: true, suppression: [LISTED] };
    assert.deepEqual(emailOf(ADDRESS, said)?.suppressions, [LISTED]);
    assert.equal(isSuppressed(emailOf(ADDRESS, said)), true);
  });

  it('are none of somebody without e-mail', () => {
    assert.equal(isSuppressed(null), false);
  });
});
