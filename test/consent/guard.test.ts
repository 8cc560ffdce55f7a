import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { guardPart } from '../../src/consent/guard.js';
import { type Held, type Known, mayBeOneProfile } from '../../src/consent/person.js';
import type { ProfileConsent, SuppressionReason } from '../../src/klaviyo/index.js';
import { email, profile, sms } from '../support/profiles.js';
import { openPart, openRow } from '../support/open-rows.js';

const held = (byEmail: ProfileConsent | null, byPhone: ProfileConsent | null = null): Held => ({
  byEmail: byEmail === null ? [] : [byEmail],
  byPhone: byPhone === null ? [] : [byPhone],
});
const known = (state: Held, optOuts: Known['optOuts'] = []): Known => ({ held: state, optOuts });
const RUN = {
  listId: 'LIST01',
  moveFrom: null,
  startedAt: new Date('2026-01-01T00:00:00Z'),
  unsubscribeFrom: 'everything' as const,
};
const withEmail = (...consent: Parameters<typeof email>) =>
  held(profile({ emailMarketing: email(...consent) }));

describe('the guard', () => {
  const cases: [string, Held, string][] = [
    ['sends to somebody Klaviyo does not know', held(null), 'send'],
    ['sends to a profile without any e-mail consent', held(profile()), 'send'],
    ['sends to the never subscribed', withEmail('NEVER_SUBSCRIBED'), 'send'],
    ['skips the unsubscribed', withEmail('UNSUBSCRIBED'), 'opted_out_before_run'],
    [
      'skips an UNSUBSCRIBE suppression whatever the consent says',
      withEmail('SUBSCRIBED', ['UNSUBSCRIBE']),
      'opted_out_before_run',
    ],
    ['skips a spam complaint', withEmail('UNSUBSCRIBED', ['SPAM_COMPLAINT']), 'spam_complaint'],
    [
      'skips the subscribed whom the account suppressed: subscribing would lift it',
      withEmail('SUBSCRIBED', ['USER_SUPPRESSED']),
      'suppressed',
    ],
    ['skips a hard bounce', withEmail('NEVER_SUBSCRIBED', ['HARD_BOUNCE']), 'hard_bounce'],
    ['skips an invalid e-mail', withEmail('NEVER_SUBSCRIBED', ['INVALID_EMAIL']), 'hard_bounce'],
    [
      'skips a suppression of a kind it does not know',
      withEmail('NEVER_SUBSCRIBED', ['unknown']),
      'consent_state_unknown',
    ],
    [
      'skips whom Klaviyo says nothing of suppressions',
      withEmail('SUBSCRIBED', ['unstated']),
      'consent_state_unknown',
    ],
    ['skips a consent it does not know', withEmail('unknown'), 'consent_state_unknown'],
    [
      'skips an opt-out of the run’s list',
      withEmail('SUBSCRIBED', [], ['LIST01']),
      'opted_out_before_run',
    ],
    [
      'skips whom Klaviyo says nothing of left lists',
      held(profile({ emailMarketing: { ...email('NEVER_SUBSCRIBED'), listSuppressions: null } })),
      'consent_state_unknown',
    ],
    [
      'sends despite an opt-out of another list',
      withEmail('NEVER_SUBSCRIBED', [], ['OTHER1']),
      'send',
    ],
    ['does not send to the subscribed', withEmail('SUBSCRIBED'), 'already_consented'],
  ];
  for (const [name, state, expected] of cases) {
    test(`e-mail: ${name}`, () => {
      const verdict = guardPart(openPart(), known(state), RUN);
      assert.equal(verdict.send ? 'send' : (verdict.reason ?? verdict.outcome), expected);
    });
  }

  const smsCases: [string, Held, string][] = [
    [
      'looks at the profile of the phone, not of the e-mail',
      held(profile({ smsMarketing: sms('UNSUBSCRIBED') }), null),
      'send',
    ],
    [
      'skips a phone that opted out under another e-mail',
      held(profile(), profile({ id: 'P2', smsMarketing: sms('UNSUBSCRIBED') })),
      'opted_out_before_run',
    ],
    [
      'skips an opt-out of transactional texts: it is one of both',
      held(null, profile({ smsTransactional: sms('UNSUBSCRIBED') })),
      'opted_out_before_run',
    ],
    [
      'skips an unknown state',
      held(null, profile({ smsMarketing: sms('unknown') })),
      'consent_state_unknown',
    ],
    [
      'does not send to the subscribed',
      held(null, profile({ smsMarketing: sms('SUBSCRIBED') })),
      'already_consented',
    ],
  ];
  for (const [name, state, expected] of smsCases) {
    test(`sms: ${name}`, () => {
      const verdict = guardPart(openPart({ channel: 'sms' }), known(state), RUN);
      assert.equal(verdict.send ? 'send' : (verdict.reason ?? verdict.outcome), expected);
    });
  }

  describe('a text onto a list', () => {
    const left = profile({
      phoneNumber: '+12015550100',
      emailMarketing: email('SUBSCRIBED', [], ['LIST01']),
    });
    const texts = openPart({ channel: 'sms' });
    const reasonOf = (state: Held, optOuts: Known['optOuts'] = []) => {
      const verdict = guardPart(texts, known(state, optOuts), RUN);
      return verdict.send ? 'send' : verdict.reason;
    };

    test('is kept from who left it: mail to it would reach them again', () => {
      assert.equal(reasonOf(held(null, left)), 'opted_out_before_run');
      assert.equal(reasonOf(held(left)), 'opted_out_before_run', 'who gets the number with it');
      const other = profile({ id: 'P2', email: null, phoneNumber: '+12015550100' });
      assert.equal(reasonOf(held(left, other)), 'send', 'somebody else has the number');
      const run = { ...RUN, listId: null };
      assert.deepEqual(guardPart(texts, known(held(null, left)), run), { send: true });
    });

    test('is kept from whom Klaviyo says nothing of left lists', () => {
      const marketing = { ...email('SUBSCRIBED'), listSuppressions: null };
      const silent = profile({ phoneNumber: '+12015550100', emailMarketing: marketing });
      assert.equal(reasonOf(held(null, silent)), 'consent_state_unknown');
    });

    test('is kept from who is only known to the ledger to have left it', () => {
      const back = profile({ phoneNumber: '+12015550100', emailMarketing: email('SUBSCRIBED') });
      const other = profile({ id: 'P2', email: null, phoneNumber: '+12015550100' });
      const optOut = {
        channel: 'email',
        identifier: 'a@example.com',
        listId: 'LIST01',
        at: '2026-02-03T00:00:00Z',
        source: 'event',
      } as const;
      assert.equal(reasonOf(held(back, back), [optOut]), 'opted_out_during_run');
      assert.equal(reasonOf(held(null), [optOut]), 'opted_out_during_run');
      assert.equal(reasonOf(held(back, other), [optOut]), 'send', 'somebody else has the number');
      assert.equal(reasonOf(held(back, back), [{ ...optOut, listId: 'OTHER1' }]), 'send');
    });
  });

  test('puts nobody who opted out on a list', () => {
    const part = openPart({ channel: 'list', operation: 'add_to_list' });
    assert.equal(guardPart(part, known(withEmail('UNSUBSCRIBED')), RUN).send, false);
    assert.equal(guardPart(part, known(withEmail('SUBSCRIBED')), RUN).send, true);
    assert.equal(guardPart(part, known(held(null)), RUN).send, true);
  });

  test('opts out whoever is not opted out yet, known or not', () => {
    const part = openPart({ operation: 'unsubscribe' });
    assert.equal(guardPart(part, known(held(null)), RUN).send, true);
    assert.equal(guardPart(part, known(withEmail('SUBSCRIBED')), RUN).send, true);
    assert.deepEqual(guardPart(part, known(withEmail('UNSUBSCRIBED')), RUN), {
      send: false,
      outcome: 'confirmed',
      reason: 'already_opted_out',
    });
  });
});

describe('a suppression that is asked for', () => {
  const part = openPart({ operation: 'suppress' });

  test('is not sent for the suppressed', () => {
    assert.deepEqual(guardPart(part, known(withEmail('SUBSCRIBED', ['unknown'])), RUN), {
      send: false,
      outcome: 'confirmed',
      reason: 'already_suppressed',
    });
  });

  test('is sent for whom Klaviyo says nothing of suppressions', () => {
    assert.equal(guardPart(part, known(withEmail('SUBSCRIBED', ['unstated'])), RUN).send, true);
  });
});

describe('one profile for e-mail and phone', () => {
  const phone = '+12015550123';
  const cases: [string, Held, boolean][] = [
    ['nobody known', held(null), true],
    ['both are the same profile', held(profile(), profile()), true],
    ['they are two people', held(profile(), profile({ id: 'P2' })), false],
    ['the e-mail’s profile has no phone', held(profile()), true],
    [
      'the e-mail’s profile has another phone',
      held(profile({ phoneNumber: '+12015550199' })),
      false,
    ],
    [
      'the phone’s profile has no e-mail',
      held(null, profile({ email: null, phoneNumber: phone })),
      true,
    ],
    [
      'the phone’s profile has another e-mail',
      held(null, profile({ email: 'b@example.com' })),
      false,
    ],
  ];
  for (const [name, state, expected] of cases) {
    test(`${expected ? 'yes' : 'no'}: ${name}`, () => {
      assert.equal(mayBeOneProfile(openRow(), state), expected);
    });
  }
});

describe('the guard of a lifted suppression', () => {
  const BY_HAND = '2025-12-31T00:00:00Z';
  const cases: [string, Held, string][] = [
    ['lifts one by hand', suppressed(['USER_SUPPRESSED', BY_HAND]), 'send'],
    [
      'lifts one by hand beside others, which stay',
      suppressed(['HARD_BOUNCE', BY_HAND], ['USER_SUPPRESSED', BY_HAND]),
      'send',
    ],
    [
      'leaves one that was made after the run was asked for',
      suppressed(['USER_SUPPRESSED', '2026-01-01T00:00:01Z']),
      'opted_out_during_run',
    ],
    [
      'leaves both of two profiles, if one was made after it',
      bothOf(
        suppressed(['USER_SUPPRESSED', BY_HAND]),
        suppressed(['USER_SUPPRESSED', '2026-01-01T00:00:01Z']),
      ),
      'opted_out_during_run',
    ],
    ['leaves one of no known date', suppressed(['USER_SUPPRESSED', null]), 'opted_out_during_run'],
    [
      'leaves what Klaviyo does not lift',
      suppressed(['SPAM_COMPLAINT', BY_HAND]),
      'suppression_not_by_hand',
    ],
    ['has nothing to lift', withEmail('SUBSCRIBED'), 'not_suppressed'],
    ['has nobody', held(null), 'not_suppressed'],
    [
      'does not guess where Klaviyo does not say',
      suppressed(['unstated', null]),
      'consent_state_unknown',
    ],
  ];
  const part = openPart({ channel: 'suppression', operation: 'unsuppress' });
  for (const [name, state, expected] of cases) {
    test(name, () => {
      const verdict = guardPart(part, known(state), RUN);
      assert.equal(verdict.send ? 'send' : verdict.reason, expected);
    });
  }
});

describe('the guard of a suppression', () => {
  const byHand = suppressed(['USER_SUPPRESSED', null]);
  const bounced = suppressed(['HARD_BOUNCE', null], ['USER_SUPPRESSED', null]);
  const cases: [string, Held, boolean, string][] = [
    ['has nothing to do where one shows', byHand, false, 'already_suppressed'],
    ['sends where it may be lifted', byHand, true, 'send'],
    ['sends where it may be lifted for one of two profiles', bothOf(bounced, byHand), true, 'send'],
    ['has nothing to do where another one stays', bounced, true, 'already_suppressed'],
    [
      'sends where one of two profiles has none',
      bothOf(byHand, withEmail('SUBSCRIBED')),
      false,
      'send',
    ],
  ];
  const part = openPart({ channel: 'suppression', operation: 'suppress' });
  for (const [name, state, mayBeLifted, expected] of cases) {
    test(name, () => {
      const verdict = guardPart(part, { ...known(state), mayBeLifted }, RUN);
      assert.equal(verdict.send ? 'send' : verdict.reason, expected);
    });
  }
});

test('the guard of an unsubscribe from the list sends for whoever is out of everything', () => {
  const part = openPart({ channel: 'email', operation: 'unsubscribe' });
  const out = known(withEmail('UNSUBSCRIBED'));
  assert.equal(guardPart(part, out, { ...RUN, unsubscribeFrom: 'list' }).send, true);
  assert.equal(guardPart(part, out, RUN).send, false);
});

function suppressed(...suppressions: [SuppressionReason, string | null][]): Held {
  const emailMarketing = {
    ...email('SUBSCRIBED'),
    suppressions: suppressions.map(([reason, timestamp]) => ({ reason, timestamp })),
  };
  return held(profile({ emailMarketing }));
}

function bothOf(one: Held, other: Held): Held {
  return { byEmail: [...one.byEmail, ...other.byEmail], byPhone: [] };
}
