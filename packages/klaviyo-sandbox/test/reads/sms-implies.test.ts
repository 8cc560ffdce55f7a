import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, sandboxFor } from '../support.js';

const MARKETED = '+12015550171';
const LEFT = '+12015550172';
const SHIPPED = '+12015550173';

for (const [smsMarketingImplies, marketed] of [
  [undefined, ['NEVER_SUBSCRIBED', true]],
  ['receiving', ['NEVER_SUBSCRIBED', true]],
  ['consent', ['SUBSCRIBED', true]],
  ['nothing', ['NEVER_SUBSCRIBED', false]],
] as const) {
  test(`consent to marketing texts implies, for others: ${smsMarketingImplies ?? 'by default, receiving'}`, async (t) => {
    const switches = smsMarketingImplies === undefined ? {} : { smsMarketingImplies };
    const sandbox = await sandboxFor(t, { switches });
    const consentedAt = '2024-05-01T00:00:00+00:00';
    sandbox.account.seed({
      phone_number: MARKETED,
      sms_consent: 'SUBSCRIBED',
      consent_timestamp: consentedAt,
    });
    sandbox.account.seed({
      phone_number: LEFT,
      sms_consent: 'SUBSCRIBED',
      sms_transactional_consent: 'UNSUBSCRIBED',
    });
    sandbox.account.seed({ phone_number: SHIPPED, sms_transactional_consent: 'SUBSCRIBED' });
    const { data } = await get(sandbox, '/api/profiles?additional-fields[profile]=subscriptions');
    const shown = (phone: string) => {
      const found = data.find(({ attributes }) => attributes['phone_number'] === phone);
      return found!.attributes.subscriptions!.sms.transactional;
    };
    const of = (phone: string) => {
      const { consent, can_receive_sms_transactional: receives } = shown(phone);
      return [consent, receives];
    };
    assert.deepEqual(of(MARKETED), marketed);
    assert.equal(of(LEFT)[0], 'UNSUBSCRIBED', 'an opt-out of its own stays one');
    assert.deepEqual(of(SHIPPED), ['SUBSCRIBED', true]);
    assert.equal(
      shown(MARKETED)['consent_timestamp'],
      smsMarketingImplies === 'consent' ? consentedAt : null,
    );
    const [line] = sandbox.account.truth();
    assert.equal(line?.subscriptions.sms.transactional.consent, 'NEVER_SUBSCRIBED', 'the truth');
  });
}
