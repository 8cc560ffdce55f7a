import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { profileSchema } from '../../../src/klaviyo/profiles/profile-schema.js';
import { profile } from '../../support/klaviyo/klaviyo-server.js';

describe('reading a profile', () => {
  it('reads every consent field, and keeps microseconds as they are', () => {
    const read = profileSchema.parse(
      profile('01ABC', {
        email: 'Ada@example.com',
        phone_number: '+12015550123',
        joined_group_at: '2026-07-01T10:00:00.852051+00:00',
        subscriptions: {
          email: {
            marketing: {
              can_receive_email_marketing: false,
              consent: 'SUBSCRIBED',
              consent_timestamp: '2021-03-04T05:06:07.000001+00:00',
              last_updated: '2026-07-01T10:00:00.000002+00:00',
              method: 'API',
              method_detail: null,
              custom_method_detail: 'run 1',
              double_optin: true,
              suppression: [
                { reason: 'USER_SUPPRESSED', timestamp: '2026-01-01T00:00:00.000003+00:00' },
                { reason: 'SPAM_REPORT', timestamp: '2026-01-02T00:00:00+00:00' },
                { reason: 'SOMETHING_NEW', timestamp: '2026-01-03T00:00:00+00:00' },
              ],
              list_suppressions: [
                {
                  list_id: 'LIST01',
                  reason: 'UNSUBSCRIBE',
                  timestamp: '2026-01-04T00:00:00+00:00',
                },
              ],
            },
            open_tracking: null,
            click_tracking: {
              consent: 'UNSUBSCRIBED',
              consent_timestamp: '2026-07-02T00:00:00.000004+00:00',
              last_updated: null,
              created_timestamp: null,
              metadata: null,
              can_receive: false,
              valid_until: '2027-07-02T00:00:00+00:00',
            },
          },
          sms: {
            marketing: {
              can_receive_sms_marketing: true,
              consent: 'SUBSCRIBED',
              consent_timestamp: '2022-01-01T00:00:00+00:00',
              method: 'API',
              last_updated: null,
            },
            transactional: { can_receive_sms_transactional: false, consent: 'NEVER_SUBSCRIBED' },
          },
          mobile_push: {
            marketing: {
              can_receive_push_marketing: true,
              consent: 'SUBSCRIBED',
              consent_timestamp: '2023-01-01T00:00:00+00:00',
            },
          },
          whatsapp: { marketing: { consent: 'UNSUBSCRIBED' }, transactional: null },
        },
      }),
    );
    assert.deepEqual(read, {
      id: '01ABC',
      email: 'Ada@example.com',
      phoneNumber: '+12015550123',
      emailMarketing: {
        consent: 'SUBSCRIBED',
        consentedAt: '2021-03-04T05:06:07.000001+00:00',
        canReceive: false,
        suppressions: [
          { reason: 'USER_SUPPRESSED', timestamp: '2026-01-01T00:00:00.000003+00:00' },
          { reason: 'SPAM_COMPLAINT', timestamp: '2026-01-02T00:00:00+00:00' },
          { reason: 'unknown', timestamp: '2026-01-03T00:00:00+00:00' },
        ],
        listSuppressions: [
          { listId: 'LIST01', reason: 'UNSUBSCRIBE', timestamp: '2026-01-04T00:00:00+00:00' },
        ],
        doubleOptIn: true,
        method: 'API',
        customMethodDetail: 'run 1',
        lastUpdated: '2026-07-01T10:00:00.000002+00:00',
      },
      smsMarketing: {
        consent: 'SUBSCRIBED',
        consentedAt: '2022-01-01T00:00:00+00:00',
        canReceive: true,
        method: 'API',
        lastUpdated: null,
      },
      smsTransactional: {
        consent: 'NEVER_SUBSCRIBED',
        consentedAt: null,
        canReceive: false,
        method: null,
        lastUpdated: null,
      },
      whatsappMarketing: { consent: 'UNSUBSCRIBED', consentedAt: null },
      pushMarketing: { consent: 'SUBSCRIBED', consentedAt: '2023-01-01T00:00:00+00:00' },
      emailTracking: {
        opens: null,
        clicks: {
          consent: 'UNSUBSCRIBED',
          consentedAt: '2026-07-02T00:00:00.000004+00:00',
          validUntil: '2027-07-02T00:00:00+00:00',
        },
      },
      joinedAt: '2026-07-01T10:00:00.852051+00:00',
    });
  });

  for (const consent of ['subscribed', 'PENDING', '', null, 1, undefined]) {
    it(`counts the consent ${JSON.stringify(consent)} as unknown, never as consent`, () => {
      const marketing = { consent, can_receive_email_marketing: true };
      const read = profileSchema.parse(
        profile('01', { subscriptions: { email: { marketing }, sms: { marketing } } }),
      );
      assert.equal(read.emailMarketing?.consent, 'unknown');
      assert.equal(read.smsMarketing?.consent, 'unknown');
    });
  }

  for (const subscriptions of [
    {},
    { email: null, sms: null },
    { email: {}, sms: {} },
    { email: { marketing: null }, sms: { marketing: null, transactional: null } },
  ]) {
    it(`reads ${JSON.stringify(subscriptions)} as no channel`, () => {
      const read = profileSchema.parse(profile('01', { subscriptions }));
      assert.equal(read.emailMarketing, null);
      assert.equal(read.smsMarketing, null);
      assert.equal(read.smsTransactional, null);
    });
  }

  it('refuses a profile whose subscriptions were not sent: it would look as if never opted out', () => {
    assert.throws(() =>
      profileSchema.parse({ type: 'profile', id: '01', attributes: { email: 'ada@example.com' } }),
    );
  });

  it('takes consent to tracking for none to mail, whatever it looks like', () => {
    const tracked = { consent: 'SUBSCRIBED', can_receive: true };
    const read = profileSchema.parse(
      profile('01', {
        email: 'ada@example.com',
        subscriptions: { email: { click_tracking: tracked, open_tracking: 'SUBSCRIBED' } },
      }),
    );
    assert.equal(read.emailMarketing?.consent, 'unknown');
    assert.deepEqual(read.emailTracking, {
      opens: null,
      clicks: { consent: 'SUBSCRIBED', consentedAt: null, validUntil: null },
    });
  });

  it('refuses suppressions that it cannot read, rather than reading none', () => {
    const marketing = { consent: 'SUBSCRIBED', suppression: 'UNSUBSCRIBE' };
    assert.throws(() =>
      profileSchema.parse(profile('01', { subscriptions: { email: { marketing } } })),
    );
  });
});
