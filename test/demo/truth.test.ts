import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  OTHER_LIST,
  CLICKED,
  LATER,
  EARLIER,
  part,
  PHONE,
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
  leftList,
  optedOutDuringRun,
  unsubscribedAgain,
  notReadBack,
  doubted,
  doubt,
  type Case,
} from './truth-cases.js';

describe('the ledger is the truth', () => {
  const agreeing: readonly (readonly [string, Case])[] = [
    [
      'when a confirmed e-mail is subscribed by this run',
      { parts: [part({})], after: [subscribed(CLICKED)], carried: [carried('email')] },
    ],
    [
      'when a confirmed number is subscribed since the start',
      { parts: [part({ channel: 'sms' })], after: [textable(CLICKED)], carried: [carried('sms')] },
    ],
    [
      'when a confirmed opt-out is unsubscribed',
      { parts: [part({ operation: 'unsubscribe' })], before: [known], after: [optedOut] },
    ],
    [
      'when a confirmed suppression is in the account',
      { parts: [part({ operation: 'suppress' })], before: [known], after: [bounced] },
    ],
    [
      'when a message waits for the click of a pending row',
      { parts: [pending], carried: [carried('email')], messages: [message('email')] },
    ],
    [
      'when the click of a pending row came after it was read back',
      {
        parts: [pending],
        after: [subscribed(LATER)],
        carried: [carried('email')],
        messages: [message('email')],
      },
    ],
    ['when somebody who was asked before was not sent', { parts: [asked] }],
    [
      'when the account drops a pending address without a word',
      {
        parts: [part({ ...pending, email: 'x@dropped.example' })],
        carried: [carried('email', 'x@dropped.example')],
      },
    ],
    [
      'when an unconfirmed row is nowhere',
      { parts: [part({ outcome: 'unconfirmed' })], carried: [carried('email')] },
    ],
    [
      'when an unconfirmed membership is none',
      { parts: [part({ ...listOnly, outcome: 'unconfirmed' })] },
    ],
    [
      'when consent is from before the run',
      { parts: [consented], before: [subscribed(EARLIER, 'shop')] },
    ],
    ['when an opt-out was left alone', { parts: [skipped], before: [optedOut] }],
    ['when a suppression was left alone', { parts: [skipped], before: [bounced] }],
    ['when an opt-out of the list was left alone', { parts: [skipped], before: [leftList] }],
    [
      'when somebody opted out during the run',
      { parts: [optedOutDuringRun], after: [optedOut], carried: [carried('email')] },
    ],
    [
      'when somebody was suppressed during the run',
      { parts: [optedOutDuringRun], after: [bounced], carried: [carried('email')] },
    ],
    [
      'when somebody left the list during the run',
      { parts: [optedOutDuringRun], after: [leftList], carried: [carried('email')] },
    ],
    [
      'when somebody was left out of a call for an opt-out that the ledger knew',
      { parts: [part({ ...optedOutDuringRun, settledBy: 'opt_outs' })], after: [optedOut] },
    ],
    [
      'when the run took somebody out again',
      { parts: [unsubscribedAgain], after: [optedOut], carried: [carried('email')] },
    ],
    [
      'when the run could not read that somebody is out again',
      { parts: [notReadBack], after: [subscribed(CLICKED)], carried: [carried('email')] },
    ],
    [
      'when consent was left unsent for a statement that was refused',
      { parts: [doubted, doubt], before: [known] },
    ],
    [
      'when the refused statement names the person by the other identifier',
      {
        parts: [
          part({ ...doubted, channel: 'sms' }),
          part({ ...doubt, channel: 'sms', phoneNumber: '12' }),
        ],
      },
    ],
    ['when a member has no consent', { parts: [listOnly], after: [member] }],
    [
      'when a consented person was put on the list',
      {
        parts: [listOnly, consented],
        before: [{ ...subscribed(EARLIER, 'shop'), lists: [] }],
        after: [subscribed(EARLIER, 'shop')],
      },
    ],
    ['when nothing happened to a rejected row', { parts: [rejected] }],
    ['when nothing happened to a cancelled row', { parts: [cancelled], before: [known] }],
    [
      'when a duplicate was sent with its other row',
      {
        parts: [
          part({}),
          part({ rowNumber: 2, line: 3, outcome: 'rejected', reason: 'duplicate_email' }),
        ],
        after: [subscribed(CLICKED)],
        carried: [carried('email')],
      },
    ],
    [
      'when a row without an e-mail has a number that another row texts',
      {
        parts: [
          part({ email: null, outcome: 'rejected', reason: 'email_missing' }),
          part({ rowNumber: 2, line: 3, channel: 'sms' }),
        ],
        before: [{ phone_number: PHONE }],
        after: [{ ...subscribed(CLICKED), ...textable(CLICKED) }],
        carried: [carried('sms')],
      },
    ],
    [
      'when somebody without a row clicked for another list',
      {
        parts: [],
        before: [known],
        after: [{ ...subscribed(CLICKED, 'an earlier run'), lists: [OTHER_LIST] }],
        messages: [message('email', OTHER_LIST)],
      },
    ],
  ];
  for (const [name, given] of agreeing) {
    it(name, async () => assert.deepEqual(await differences(given), []));
  }
});
