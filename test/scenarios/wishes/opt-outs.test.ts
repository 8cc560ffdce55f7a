import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { DEFAULT_SWITCHES } from 'klaviyo-sandbox';
import { DOUBLE } from '../../support/harness.js';
import { people } from '../../support/people.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

describe('what people ask for: opt-outs', () => {
  let world: World;
  before(async () => {
    world = await startWorld({ clicks: { share: 0, delayMs: [0, 0] } });
  });
  afterEach(() => {
    world.turn(DEFAULT_SWITCHES);
    world.sandbox.account.clearFaults();
  });
  after(() => world.close());

  const emailOf = (who: string) => world.profile(who).subscriptions.email.marketing;
  const reasonsOf = (who: string) => emailOf(who).suppression.map(({ reason }) => reason);

  scenario('wish-8', 'one file opts people in, opts them out and suppresses them', async () => {
    const [joins = '', leaves = '', blank = '', bounced = ''] = people(4);
    for (const email of [leaves, blank, bounced]) {
      world.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
    }
    const { outcomes } = await world.migrate([
      'email,email_consent,suppressed',
      `${joins},yes,`,
      `${leaves},unsubscribed,`,
      `${blank},,`,
      `${bounced},yes,yes`,
    ]);
    assert.deepEqual(outcomes, {
      [`${joins} email`]: 'confirmed',
      [`${leaves} email`]: 'confirmed',
      [`${blank} email`]: 'nothing_asked',
      [`${bounced} suppression`]: 'confirmed',
    });
    assert.equal(emailOf(joins).consent, 'SUBSCRIBED');
    assert.equal(emailOf(leaves).consent, 'UNSUBSCRIBED');
    assert.equal(emailOf(blank).consent, 'SUBSCRIBED');
    assert.deepEqual(reasonsOf(blank), []);
    assert.deepEqual(reasonsOf(bounced), ['USER_SUPPRESSED']);
    assert.equal(emailOf(bounced).can_receive_email_marketing, false);
  });

  scenario(
    'wish-8',
    'a suppression counts when it was read, not when its job says so',
    async () => {
      for (const suppressionJobStatus of ['lies', 'honest'] as const) {
        world.turn({ suppressionJobStatus });
        const [known = '', unknown = ''] = people(2);
        world.sandbox.account.seed({ email: known, email_consent: 'SUBSCRIBED' });
        const { parts } = await world.migrate([
          'email,suppressed',
          ...[known, unknown].map((email) => `${email},yes`),
        ]);
        for (const [n, email] of [known, unknown].entries()) {
          assert.equal(parts[n]?.outcome, 'confirmed');
          assert.equal(parts[n].settledBy, 'profile_lookup');
          assert.deepEqual(reasonsOf(email), ['USER_SUPPRESSED']);
        }
      }
    },
  );

  scenario('wish-9', 'suppressed people are not added to a list, and stay suppressed', async () => {
    for (const reason of ['USER_SUPPRESSED', 'HARD_BOUNCE', 'SPAM_COMPLAINT'] as const) {
      const [email = ''] = people(1);
      world.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', suppressions: [reason] });
      const said = {
        USER_SUPPRESSED: 'suppressed',
        HARD_BOUNCE: 'hard_bounce',
        SPAM_COMPLAINT: 'spam_complaint',
      }[reason];
      const rows = ['email,email_consent', `${email},yes`];
      const put = await world.migrate(rows, { implicit: true });
      assert.deepEqual(put.outcomes, { [`${email} list`]: said });
      const subscribed = await world.migrate(rows);
      assert.deepEqual(subscribed.outcomes, { [`${email} email`]: said });
      assert.deepEqual(reasonsOf(email), [reason]);
      assert.deepEqual(world.profile(email).lists, []);
    }
    assert.equal(world.calls('bulk_unsuppress_profiles'), 0);
  });

  scenario(
    'wish-17',
    'people who opted out are never resubscribed, however they opted out',
    async () => {
      const { account } = world.sandbox;
      for (const personOptOutMovesUpdated of [false, true]) {
        for (const historical of [false, true]) {
          world.turn({ personOptOutMovesUpdated });
          const [link = '', api = '', spam = '', stop = '', list = '', yes = ''] = people(6);
          const phone = `+1202555${personOptOutMovesUpdated ? 1 : 2}10${historical ? 1 : 2}`;
          const seeded = { email_consent: 'SUBSCRIBED', consent_timestamp: '2019-01-02T03:04:05Z' };
          account.seed({ ...seeded, email: link, email_consent: 'SUBSCRIBED' });
          account.unsubscribe({ email: link });
          account.seed({ email: api, email_consent: 'UNSUBSCRIBED' });
          account.seed({
            email: spam,
            email_consent: 'SUBSCRIBED',
            suppressions: ['SPAM_COMPLAINT'],
          });
          account.seed({ email: stop, phone_number: phone, sms_consent: 'SUBSCRIBED' });
          account.stopSms({ phone_number: phone });
          account.seed({ email: list, list_suppressions: [DOUBLE] });
          const row = (email: string, number = '') =>
            `${email},${number},yes,2020-02-03T04:05:06Z,${number && 'yes'},${number && '2020-02-03T04:05:06Z'}`;
          const { outcomes } = await world.migrate(
            [
              'email,phone_number,email_consent,email_consented_at,sms_consent,sms_consented_at',
              ...[link, api, spam, list, yes].map((email) => row(email)),
              row(stop, phone),
            ],
            {
              channels: ['email', 'sms'],
              listId: DOUBLE,
              historical,
              ...(historical ? {} : { optIn: 'double' as const, timing: { confirmWithinMs: 800 } }),
            },
          );
          const agreed = historical ? 'confirmed' : 'no_click_yet';
          assert.deepEqual(outcomes, {
            [`${link} email`]: 'opted_out_before_run',
            [`${api} email`]: 'opted_out_before_run',
            [`${spam} email`]: 'spam_complaint',
            [`${list} email`]: 'opted_out_before_run',
            [`${yes} email`]: agreed,
            [`${stop} email`]: agreed,
            [`${stop} sms`]: 'opted_out_before_run',
          });
          assert.equal(emailOf(link).consent, 'UNSUBSCRIBED');
          assert.deepEqual(reasonsOf(spam), ['SPAM_COMPLAINT']);
          assert.equal(world.profile(phone).subscriptions.sms.marketing.consent, 'UNSUBSCRIBED');
        }
      }
    },
  );

  scenario('wish-17', 'an opt-out in the middle of a run wins', async () => {
    const [out = '', stays = ''] = people(2);
    world.sandbox.account.seed({ email: out });
    world.sandbox.account.addFault({
      endpoint: 'get_profiles',
      kind: 'unsubscribe_person',
      email: out,
      after: 1,
      moment: 'before',
    });
    const { outcomes } = await world.migrate(['email,email_consent', `${out},yes`, `${stays},yes`]);
    assert.deepEqual(outcomes, {
      [`${out} email`]: 'opted_out_before_run',
      [`${stays} email`]: 'confirmed',
    });
    assert.equal(emailOf(out).consent, 'UNSUBSCRIBED');
  });
});
