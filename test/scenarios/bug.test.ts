import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { scenario } from './scenario.js';
import { startWorld, type World } from './world.js';

describe('faults known of other tools', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());

  scenario('bug-2', 'a bad phone does not cost a person their e-mail consent', async () => {
    for (const invalidPhoneWithEmail of ['partial_failure', 'reject'] as const) {
      world.turn({ invalidPhoneWithEmail });
      const email = `${invalidPhoneWithEmail}@example.com`;
      const { outcomes } = await world.migrate(
        ['email,phone_number,email_consent,sms_consent', `${email},+1201555,yes,yes`],
        { channels: ['email', 'sms'] },
      );
      assert.equal(outcomes[`${email} email`], 'confirmed');
      assert.equal(outcomes[`${email} sms`], 'phone_invalid');
      assert.equal(world.profile(email).subscriptions.email.marketing.consent, 'SUBSCRIBED');
    }
  });
});
