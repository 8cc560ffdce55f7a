import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareWithTruth } from '../../src/demo/truth.js';
import {
  LIST,
  OTHER_LIST,
  SOURCE,
  STARTED,
  CLICKED,
  EARLIER,
  ADA,
  part,
  carried,
  message,
  differences,
  subscribed,
  textable,
  optedOut,
  bounced,
  known,
  asked,
  pending,
  consented,
  skipped,
  listOnly,
  rejected,
  cancelled,
  member,
  optedOutDuringRun,
  unsubscribedAgain,
  notReadBack,
  doubted,
  doubt,
  type Case,
} from './truth-cases.js';

describe('the ledger is not the truth', () => {
  const differing: readonly (readonly [string, Case, RegExp])[] = [
    ['when a row has no outcome', { parts: [part({ outcome: null })] }, /no outcome/],
    [
      'when a confirmed person is not subscribed',
      { parts: [part({})], after: [known], carried: [carried('email')] },
      /NEVER_SUBSCRIBED/,
    ],
    [
      'when a confirmed person is unknown',
      { parts: [part({})], carried: [carried('email')] },
      /NEVER_SUBSCRIBED/,
    ],
    [
      'when confirmed consent is somebody else’s',
      { parts: [part({})], after: [subscribed(CLICKED, 'a form')], carried: [carried('email')] },
      /not from this run/,
    ],
    [
      'when confirmed consent was never asked for',
      { parts: [part({})], after: [subscribed(CLICKED)] },
      /no accepted subscribe call/,
    ],
    [
      'when confirmed SMS consent is older than the run',
      { parts: [part({ channel: 'sms' })], before: [textable(EARLIER)], carried: [carried('sms')] },
      /not from this run/,
    ],
    [
      'when a confirmed opt-out did not happen',
      { parts: [part({ operation: 'unsubscribe' })], before: [known] },
      /NEVER_SUBSCRIBED/,
    ],
    [
      'when a confirmed suppression did not happen',
      { parts: [part({ operation: 'suppress' })], before: [known] },
      /does not suppress/,
    ],
    [
      'when a pending row had its click before it was read',
      {
        parts: [pending],
        after: [subscribed(CLICKED)],
        carried: [carried('email')],
        messages: [message('email')],
      },
      /before it was read back/,
    ],
    [
      'when nobody wrote to a pending row',
      { parts: [pending], carried: [carried('email')] },
      /no double opt-in message/,
    ],
    [
      'when the message was for another list',
      { parts: [pending], carried: [carried('email')], messages: [message('email', OTHER_LIST)] },
      /no double opt-in message/,
    ],
    [
      'when somebody was asked again against the word of the run',
      { parts: [asked], carried: [carried('email')], messages: [message('email')] },
      /a subscribe call carried it/,
    ],
    [
      'when a pending row was never sent',
      { parts: [pending], messages: [message('email')] },
      /no accepted subscribe call/,
    ],
    [
      'when an unconfirmed row was there to see',
      {
        parts: [part({ outcome: 'unconfirmed' })],
        after: [subscribed(CLICKED)],
        carried: [carried('email')],
      },
      /before it was read back/,
    ],
    [
      'when an unconfirmed membership is one',
      { parts: [part({ ...listOnly, outcome: 'unconfirmed' })], after: [member] },
      /it is on the list/,
    ],
    [
      'when consent from before is from the run',
      { parts: [consented], before: [known], after: [subscribed(CLICKED)] },
      /after the start/,
    ],
    [
      'when consent from before was to mails that a suppression keeps back',
      { parts: [consented], before: [{ ...bounced, email_consent: 'SUBSCRIBED' }] },
      /held an opt-out/,
    ],
    [
      'when somebody who had opted out is on the list',
      { parts: [listOnly], before: [optedOut], after: [{ ...optedOut, lists: [LIST] }] },
      /held an opt-out/,
    ],
    [
      'when consent from before is none',
      { parts: [consented], before: [known] },
      /NEVER_SUBSCRIBED/,
    ],
    [
      'when consent from before was asked for again',
      { parts: [consented], before: [subscribed(EARLIER)], carried: [carried('email')] },
      /subscribe call carried it/,
    ],
    [
      'when consent from before was changed',
      {
        parts: [consented],
        before: [subscribed(EARLIER)],
        after: [subscribed('2025-06-06T06:06:06Z')],
      },
      /its consent changed/,
    ],
    ['when there was no opt-out to skip', { parts: [skipped], before: [known] }, /held no opt-out/],
    [
      'when a skipped opt-out was lifted',
      { parts: [skipped], before: [optedOut], after: [subscribed(CLICKED)] },
      /its consent changed/,
    ],
    [
      'when a skipped suppression was lifted',
      { parts: [skipped], before: [bounced], after: [known] },
      /its consent changed/,
    ],
    [
      'when a skipped person was asked',
      { parts: [skipped], before: [optedOut], carried: [carried('email')] },
      /subscribe call carried it$/,
    ],
    [
      'when a skipped person was put on the list',
      {
        parts: [part({ ...skipped, channel: 'list' })],
        before: [optedOut],
        after: [{ ...optedOut, lists: [LIST] }],
      },
      /added to the list/,
    ],
    [
      'when an opt-out during the run is none',
      {
        parts: [optedOutDuringRun],
        after: [known],
        carried: [carried('email')],
      },
      /NEVER_SUBSCRIBED/,
    ],
    [
      'when somebody who left another list is said to have opted out',
      {
        parts: [optedOutDuringRun],
        after: [{ email: ADA, list_suppressions: [{ list_id: OTHER_LIST, timestamp: EARLIER }] }],
        carried: [carried('email')],
      },
      /NEVER_SUBSCRIBED/,
    ],
    [
      'when somebody who is said to be left out was in a call',
      {
        parts: [part({ ...optedOutDuringRun, settledBy: 'opt_outs' })],
        after: [optedOut],
        carried: [carried('email')],
      },
      /subscribe call carried it/,
    ],
    [
      'when somebody who was taken out again is subscribed',
      { parts: [unsubscribedAgain], after: [subscribed(CLICKED)], carried: [carried('email')] },
      /SUBSCRIBED/,
    ],
    [
      'when nobody had subscribed who was taken out again',
      { parts: [unsubscribedAgain], after: [optedOut] },
      /no accepted subscribe call/,
    ],
    [
      'when an opt-out that could not be read back is of somebody who was never asked',
      { parts: [notReadBack], after: [subscribed(CLICKED, 'shop')] },
      /no accepted subscribe call/,
    ],
    [
      'when consent was stopped by a statement that no row makes',
      { parts: [doubted, part({ ...doubt, email: 'ben@example.com', phoneNumber: null })] },
      /no other row/,
    ],
    [
      'when consent that was stopped was sent all the same',
      { parts: [doubted, doubt], after: [subscribed(CLICKED)], carried: [carried('email')] },
      /subscribe call carried it/,
    ],
    [
      'when a list-only person is not on the list',
      { parts: [listOnly], after: [known] },
      /not on the list/,
    ],
    [
      'when a list-only person was subscribed',
      { parts: [listOnly], after: [subscribed(CLICKED)] },
      /its consent changed/,
    ],
    [
      'when a list-only person was asked',
      { parts: [listOnly], after: [member], carried: [carried('email')] },
      /subscribe call carried it/,
    ],
    [
      'when a rejected row was sent',
      { parts: [rejected], carried: [carried('email')] },
      /subscribe call carried it/,
    ],
    [
      'when a rejected row was subscribed',
      { parts: [rejected], before: [known], after: [subscribed(CLICKED)] },
      /its consent changed/,
    ],
    [
      'when a duplicate has no other row',
      { parts: [part({ ...rejected, reason: 'duplicate_email' })] },
      /no other row/,
    ],
    [
      'when a cancelled row was sent',
      { parts: [cancelled], carried: [carried('email')] },
      /subscribe call carried it/,
    ],
    [
      'when a cancelled membership was made',
      { parts: [part({ ...cancelled, channel: 'list' })], after: [member] },
      /added to the list/,
    ],
  ];
  for (const [name, given, what] of differing) {
    it(name, async () => {
      const found = await differences(given);
      assert.ok(
        found.some((difference) => what.test(difference)),
        `expected ${what.source}, found ${JSON.stringify(found)}`,
      );
    });
  }
});

describe('beyond the rows, the ledger is not the truth', () => {
  const confirmedByRun: Case = {
    parts: [part({})],
    after: [subscribed(CLICKED)],
    carried: [carried('email')],
  };

  it('when somebody was asked twice', async () => {
    const twice = { ...confirmedByRun, carried: [carried('email'), carried('email')] };
    assert.deepEqual(await differences(twice), ['subscribe calls carried it 2 times']);
  });

  it('when somebody was asked of whom no row is', async () => {
    const stranger = {
      ...confirmedByRun,
      carried: [carried('email'), carried('email', 'x@y.test')],
    };
    assert.deepEqual(await differences(stranger), [
      'a subscribe call carried it, but no row asks for it',
    ]);
  });

  it('when somebody was asked against an opt-out, even if a row claims it', async () => {
    const against = { ...confirmedByRun, before: [optedOut] };
    assert.deepEqual(await differences(against), [
      'a subscribe call carried it against its opt-out',
    ]);
  });

  it('when the consent of a bystander changed', async () => {
    const bystander = { parts: [], before: [known], after: [subscribed(CLICKED)] };
    assert.deepEqual(await differences(bystander), ['no row is about it, but its consent changed']);
  });

  it('names the line, the channel and the person', async () => {
    const [difference] = compareWithTruth({
      listId: LIST,
      customSource: SOURCE,
      startedAt: STARTED,
      readBackWithinMs: 0,
      parts: [part({ line: 77 })],
      before: [],
      after: [],
      carried: [carried('email')],
      messages: [],
      droppedDomains: [],
    });
    assert.deepEqual(difference, {
      line: 77,
      channel: 'email',
      outcome: 'confirmed',
      who: ADA,
      what: 'the account says NEVER_SUBSCRIBED',
    });
  });
});
