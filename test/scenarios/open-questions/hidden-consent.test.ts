import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { DEFAULT_SWITCHES, type Switches } from 'klaviyo-sandbox';
import { TEST_TIMING } from '../../support/settings.js';
import { people } from '../../support/people.js';
import { HIDING_SWITCHES } from './hiding-switches.js';
import { scenario } from '../scenario.js';
import { startWorld, type World } from '../world.js';

/** What is not shown or was lost is waited for in vain. */
const SHORT = { timing: { ...TEST_TIMING, confirmWithinMs: 1_500 } };

/** A Klaviyo that hides an opt-out, or loses what it took: nobody is subscribed on what is not known. */
describe('every open question about what Klaviyo shows and keeps', () => {
  let world: World;
  const answered = new Set<string>();
  const turn = (switches: Partial<Switches>) => {
    for (const name of Object.keys(switches)) answered.add(name);
    world.turn({ ...DEFAULT_SWITCHES, ...switches });
  };
  before(async () => {
    world = await startWorld();
  });
  afterEach(() => world.turn(DEFAULT_SWITCHES));
  after(() => world.close());

  const carried = (address: string): boolean =>
    [...world.sandbox.account.subscribed()].some(
      ({ email }) => email?.toLowerCase() === address.toLowerCase(),
    );
  const left = (email: string, more = {}) =>
    world.sandbox.account.seed({ email, email_consent: 'UNSUBSCRIBED', ...more });
  /** Forty people who opted out, of whom nobody may be asked for, and one whom Klaviyo does not know. */
  const askAmongOptedOut = async () => {
    const addresses = people(40);
    for (const email of addresses) left(email);
    const [stranger = ''] = people(1);
    const { parts } = await world.migrate(
      ['email,email_consent', ...[...addresses, stranger].map((email) => `${email},yes`)],
      SHORT,
    );
    assert.deepEqual(addresses.filter(carried), [], 'who opted out was asked for');
    return { stranger, reasons: new Set(parts.map(({ reason }) => reason)) };
  };

  scenario('switch-20', 'a filter that is case-sensitive', async () => {
    turn({ filterCase: 'sensitive', storedEmails: 'as_written' });
    const [written = '', lower = ''] = people(2);
    const capitals = written.toUpperCase();
    left(capitals);
    left(lower);
    const { outcomes } = await world.migrate([
      'email,email_consent',
      `${capitals},yes`,
      `${lower.toUpperCase()},yes`,
    ]);
    assert.deepEqual(outcomes, {
      [`${written} email`]: 'opted_out_before_run',
      [`${lower} email`]: 'opted_out_before_run',
    });
  });

  scenario('switch-21', 'addresses that are kept as they were written', async () => {
    turn({ storedEmails: 'as_written' });
    const [optedOut = '', consents = '', joins = ''] = people(3);
    left(optedOut.toUpperCase());
    world.sandbox.account.seed({ email: consents.toUpperCase() });
    const { outcomes } = await world.migrate([
      'email,email_consent',
      ...[optedOut, consents, joins.toUpperCase()].map((email) => `${email},yes`),
    ]);
    assert.deepEqual(outcomes, {
      [`${optedOut} email`]: 'opted_out_before_run',
      [`${consents} email`]: 'confirmed',
      [`${joins} email`]: 'confirmed',
    });
  });

  scenario('switch-22', 'an address that two profiles have', async () => {
    for (const sameIdentifier of ['newest', 'all', 'oldest'] as const) {
      turn({ sameIdentifier });
      const [first = '', second = '', neither = ''] = people(3);
      left(first);
      world.sandbox.account.seed({ email: first, separate_profile: true });
      world.sandbox.account.seed({ email: second, email_consent: 'SUBSCRIBED' });
      left(second, { separate_profile: true });
      world.sandbox.account.seed({ email: neither });
      world.sandbox.account.seed({ email: neither, separate_profile: true });
      const { outcomes } = await world.migrate([
        'email,email_consent',
        ...[first, second, neither].map((email) => `${email},yes`),
      ]);
      assert.deepEqual(outcomes, {
        [`${first} email`]: 'opted_out_before_run',
        [`${second} email`]: 'opted_out_before_run',
        [`${neither} email`]: 'confirmed',
      });
    }
  });

  scenario('switch-23', 'a suppression that is not shown although mail is off', async () => {
    for (const suppressionField of ['null', 'absent'] as const) {
      turn({ suppressionField });
      const [complained = '', free = ''] = people(2);
      const suppressions = ['SPAM_COMPLAINT'] as const;
      world.sandbox.account.seed({ email: complained, suppressions: [...suppressions] });
      world.sandbox.account.seed({ email: free });
      const { outcomes } = await world.migrate([
        'email,email_consent',
        `${complained},yes`,
        `${free},yes`,
      ]);
      assert.deepEqual(outcomes, {
        [`${complained} email`]: 'consent_state_unknown',
        // Nor does Klaviyo say which lists they left.
        [`${free} email`]: 'consent_state_unknown',
      });
    }
  });

  scenario('switch-24', 'profiles without their subscriptions', async () => {
    for (const subscriptionsField of ['null', 'null_at_times'] as const) {
      turn({ subscriptionsField });
      const { stranger, reasons } = await askAmongOptedOut();
      assert.ok(carried(stranger), 'whom Klaviyo does not know was not asked for');
      assert.ok(reasons.has('consent_state_unknown'), 'nobody’s state was unknown');
    }
  });

  scenario('switch-25', 'rows that are accepted and never applied', async () => {
    const addresses = people(30);
    const [listed = ''] = people(1);
    const source = [
      'email,email_consent',
      ...addresses.map((email) => `${email},yes`),
      `${listed},list_only`,
    ];
    turn({ acceptedRows: 'lost' });
    const lost = await world.migrate(source, {
      timing: { ...SHORT.timing, membershipWithinMs: 1_500 },
    });
    assert.deepEqual(lost.report.outcomes, { unconfirmed: 31 });
    turn({ acceptedRows: 'applied' });
    const { consentry } = world.harness;
    const { id } = await consentry.migrations.retryFailed(lost.id, { timing: TEST_TIMING });
    const { outcomes } = await consentry.migrations.waitForEnd(id);
    assert.deepEqual(outcomes, { confirmed: 30, list_only: 1 });

    turn({ acceptedRows: 'lost_at_times' });
    const { report, parts } = await world.migrate(
      ['email,email_consent', ...people(60).map((email) => `${email},yes`)],
      SHORT,
    );
    const { confirmed = 0, unconfirmed = 0 } = report.outcomes;
    assert.equal(confirmed + unconfirmed, 60);
    assert.ok(unconfirmed > 0, 'nothing was lost');
    for (const { email, outcome } of parts) {
      const isIn = world.hasProfile(email ?? '');
      assert.equal(outcome, isIn ? 'confirmed' : 'unconfirmed', `${email} in the account: ${isIn}`);
    }
  });

  scenario('switch-26', 'consent to texts that is lost beside consent to mail', async () => {
    turn({ smsBesideEmail: 'lost' });
    const [both = ''] = people(1);
    const { outcomes } = await world.migrate(
      ['email,phone_number,email_consent,sms_consent', `${both},+12015550181,yes,yes`],
      { ...SHORT, channels: ['email', 'sms'] },
    );
    assert.deepEqual(outcomes, { [`${both} email`]: 'confirmed', [`${both} sms`]: 'unconfirmed' });
  });

  scenario(
    'switch-32',
    'consent to marketing texts that is, or is not, consent to transactional ones',
    async () => {
      const { account } = world.sandbox;
      for (const [n, smsMarketingImplies] of (
        ['receiving', 'consent', 'nothing'] as const
      ).entries()) {
        turn({ smsMarketingImplies });
        const [marketed, left, stranger] = [1, 2, 3].map((i) => `+1201555019${3 * n + i - 1}`) as [
          string,
          string,
          string,
        ];
        account.seed({ phone_number: marketed, sms_consent: 'SUBSCRIBED' });
        account.seed({
          phone_number: left,
          sms_consent: 'SUBSCRIBED',
          sms_transactional_consent: 'UNSUBSCRIBED',
        });
        const { outcomes } = await world.migrate(
          [
            'phone_number,sms_transactional_consent',
            ...[marketed, left, stranger].map((phone) => `${phone},yes`),
          ],
          { channels: ['sms_transactional'] },
        );
        assert.deepEqual(outcomes, {
          ...(smsMarketingImplies === 'consent'
            ? // Put on the list without a subscribe, as whoever consented before.
              {
                [`${marketed} sms_transactional`]: 'already_consented',
                [`${marketed} list`]: 'list_only',
              }
            : { [`${marketed} sms_transactional`]: 'confirmed' }),
          [`${left} sms_transactional`]: 'opted_out_before_run',
          [`${stranger} sms_transactional`]: 'confirmed',
        });
      }
    },
  );

  scenario('switch-27', 'profiles without their address', async () => {
    for (const emailField of ['padded', 'null', 'null_at_times'] as const) {
      turn({ emailField });
      const { stranger, reasons } = await askAmongOptedOut();
      // Where profiles come and go in answers, the stranger may be one of them as well.
      if (emailField !== 'null_at_times') {
        assert.ok(carried(stranger), 'whom Klaviyo does not know was not asked for');
      }
      assert.equal(reasons.has('opted_out_before_run'), emailField !== 'null', 'opt-outs');
      if (emailField !== 'null_at_times') {
        assert.equal(reasons.has('consent_state_unknown'), emailField === 'null', 'unknown states');
      }
    }
  });

  test('all of them are played here', () => {
    assert.deepEqual([...answered].sort(), [...HIDING_SWITCHES].sort());
  });
});
