import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { proveAtDeadline, provePart, readBack, type Deadline } from '../../src/consent/proof.js';
import type { ProfileConsent } from '../../src/klaviyo/index.js';
import { email, profile, sms } from '../support/profiles.js';
import { openPart } from '../support/open-rows.js';

const EMAIL = openPart();
const SMS = openPart({ channel: 'sms' });
const OPT_OUT = openPart({ operation: 'unsubscribe' });
const SUPPRESSION = openPart({ channel: 'suppression', operation: 'suppress' });
const LIFT = openPart({ channel: 'suppression', operation: 'unsuppress' });
const REMOVAL = openPart({ channel: 'list', operation: 'remove_from_list' });
const LIST = openPart({ channel: 'list', operation: 'add_to_list' });

/** What was read of one person, or nothing. */
const read = (state: ProfileConsent | null, isMember: boolean) => ({
  profiles: state === null ? [] : [state],
  isMember,
  listId: 'LIST01',
  unsubscribeFrom: 'everything' as const,
});

describe('an opt-out that was asked for', () => {
  for (const [says, asked, outcome, isShown] of [
    ['is shown where it was read back', OPT_OUT, 'confirmed', true],
    ['is not where it was given up', OPT_OUT, 'unconfirmed', false],
    ['is not where a suppression was given up', SUPPRESSION, 'unconfirmed', false],
    ['was never asked for by a subscribe', EMAIL, 'confirmed', false],
  ] as const) {
    test(says, () => {
      const read = readBack(asked, [profile()], { outcome, reason: null });
      assert.equal(read.isOptOut, isShown);
    });
  }
});

describe('what a profile proves', () => {
  const cases: [string, typeof EMAIL, ProfileConsent | null, boolean, string | null][] = [
    [
      'a subscribed e-mail',
      EMAIL,
      profile({ emailMarketing: email('SUBSCRIBED') }),
      false,
      'confirmed',
    ],
    [
      'membership alone is no consent',
      EMAIL,
      profile({ emailMarketing: email('NEVER_SUBSCRIBED') }),
      true,
      null,
    ],
    ['no profile', EMAIL, null, false, null],
    [
      'an opt-out since the submit: what was sent may be applied over it yet',
      EMAIL,
      profile({ emailMarketing: email('UNSUBSCRIBED') }),
      true,
      null,
    ],
    [
      'a subscribed address that is suppressed',
      EMAIL,
      profile({ emailMarketing: email('SUBSCRIBED', ['SPAM_COMPLAINT']) }),
      true,
      null,
    ],
    [
      'e-mail consent does not prove SMS',
      SMS,
      profile({ emailMarketing: email('SUBSCRIBED') }),
      true,
      null,
    ],
    ['a subscribed phone', SMS, profile({ smsMarketing: sms('SUBSCRIBED') }), false, 'confirmed'],
    [
      'an opt-out that is there',
      OPT_OUT,
      profile({ emailMarketing: email('UNSUBSCRIBED') }),
      false,
      'confirmed',
    ],
    [
      'an opt-out that is not there',
      OPT_OUT,
      profile({ emailMarketing: email('SUBSCRIBED') }),
      false,
      null,
    ],
    [
      'a suppression, whatever its reason',
      SUPPRESSION,
      profile({ emailMarketing: email('SUBSCRIBED', ['unknown']) }),
      false,
      'confirmed',
    ],
    [
      'that Klaviyo says nothing of suppressions',
      SUPPRESSION,
      profile({ emailMarketing: email('SUBSCRIBED', ['unstated']) }),
      false,
      null,
    ],
    ['a member', LIST, profile(), true, 'list_only'],
    ['not a member', LIST, profile(), false, null],
    ['who is off the list', REMOVAL, profile(), false, 'confirmed'],
    ['who is still on the list', REMOVAL, profile(), true, null],
    [
      'a lifted suppression, though others stay',
      LIFT,
      profile({ emailMarketing: email('UNSUBSCRIBED', ['UNSUBSCRIBE', 'HARD_BOUNCE']) }),
      false,
      'confirmed',
    ],
    [
      'a suppression by hand that is not lifted yet',
      LIFT,
      profile({ emailMarketing: email('SUBSCRIBED', ['HARD_BOUNCE', 'USER_SUPPRESSED']) }),
      false,
      null,
    ],
    [
      'nothing lifted where Klaviyo does not say',
      LIFT,
      profile({ emailMarketing: email('SUBSCRIBED', ['unstated']) }),
      false,
      null,
    ],
    ['nothing lifted where there is no profile', LIFT, null, false, null],
  ];
  for (const [name, part, state, member, expected] of cases) {
    test(name, () => {
      const verdict = provePart(part, read(state, member));
      assert.equal(verdict === null ? null : (verdict.reason ?? verdict.outcome), expected);
    });
  }
});

describe('at the deadline', () => {
  const single: Deadline = {
    optInProcess: 'single_opt_in',
    historicalImport: false,
    partialFailure: null,
  };
  const double: Deadline = { ...single, optInProcess: 'double_opt_in' };
  const cases: [string, typeof EMAIL, ProfileConsent | null, Deadline, string][] = [
    ['double opt-in waits for a click', EMAIL, null, double, 'pending_double_opt_in'],
    ['single opt-in is never pending', EMAIL, null, single, 'unconfirmed'],
    [
      'a historical import has no clicks',
      EMAIL,
      null,
      { ...double, historicalImport: true },
      'unconfirmed',
    ],
    [
      'an unknown process has no clicks',
      EMAIL,
      null,
      { ...single, optInProcess: null },
      'unconfirmed',
    ],
    ['an opt-out is never pending', OPT_OUT, null, double, 'unconfirmed'],
    ['a membership is never pending', LIST, null, double, 'unconfirmed'],
    [
      'a click in the last moment counts',
      EMAIL,
      profile({ emailMarketing: email('SUBSCRIBED') }),
      double,
      'confirmed',
    ],
    [
      'an opt-out that is still there is the end',
      EMAIL,
      profile({ emailMarketing: email('UNSUBSCRIBED') }),
      single,
      'skipped_opted_out',
    ],
    [
      'a state that nobody knows proves nothing',
      EMAIL,
      profile({ emailMarketing: email('unknown') }),
      single,
      'unconfirmed',
    ],
    [
      'a dropped phone is rejected',
      SMS,
      null,
      { ...single, partialFailure: 'phone_number' },
      'rejected',
    ],
    [
      'a phone is not dropped where a profile has it',
      SMS,
      profile(),
      { ...single, partialFailure: 'phone_number' },
      'unconfirmed',
    ],
    [
      'an e-mail is not dropped with a phone',
      EMAIL,
      null,
      { ...single, partialFailure: 'phone_number' },
      'unconfirmed',
    ],
  ];
  for (const [name, part, state, deadline, expected] of cases) {
    test(name, () => {
      assert.equal(proveAtDeadline(part, read(state, false), deadline).outcome, expected);
    });
  }
});

test('that nobody has read the list proves nothing about it', () => {
  const unread = { ...read(profile(), false), isMember: null };
  assert.equal(provePart(REMOVAL, unread), null);
  assert.equal(provePart(OPT_OUT, { ...unread, unsubscribeFrom: 'list' }), null);
  assert.equal(provePart(LIST, unread), null);
});
