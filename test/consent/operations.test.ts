import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settleRefused } from '../../src/activities/migration/refused-rows.js';
import { importRequest } from '../../src/consent/operations/add-to-list.js';
import { entriesOf } from '../../src/consent/operations/entries.js';
import { ALL_OPERATIONS } from '../../src/consent/operations/index.js';
import { nextCall } from '../../src/consent/operations/next-call.js';
import { subscribeRequest } from '../../src/consent/operations/subscribe.js';
import { unsubscribeRequest } from '../../src/consent/operations/unsubscribe.js';
import { OPERATION_NAMES } from '../../src/contracts/channels.js';
import type { OpenRow } from '../../src/ledger/index.js';
import { LIST_SETTINGS } from '../support/settings.js';
import { openPart, openRow } from '../support/open-rows.js';

const both = openRow({ parts: [openPart(), openPart({ channel: 'sms' })] });

test('the table has every operation, in the order of the ledger, and who goes out goes first', () => {
  assert.deepEqual(
    ALL_OPERATIONS.map(({ name }) => name),
    OPERATION_NAMES,
  );
  const takenIn = ALL_OPERATIONS.findIndex(({ bringsIn }) => bringsIn);
  assert.ok(ALL_OPERATIONS.slice(takenIn).every(({ bringsIn }) => bringsIn));
  assert.ok(ALL_OPERATIONS.every(({ bringsIn, optsOut }) => !(bringsIn && optsOut)));
});

describe('the profiles of a request', () => {
  test('a row is one profile with both channels', () => {
    const request = subscribeRequest(entriesOf([both]), LIST_SETTINGS);
    assert.deepEqual(request.profiles, [
      {
        email: 'a@example.com',
        phoneNumber: '+12015550123',
        dateOfBirth: null,
        pushToken: null,
        channels: { email: { consentedAt: null }, sms: { consentedAt: null } },
      },
    ]);
  });

  test('a row whose e-mail and phone are two people is two profiles', () => {
    const entries = entriesOf([{ ...both, oneProfile: false }]);
    assert.deepEqual(
      entries.map(({ parts }) => parts.map(({ channel }) => channel)),
      [['email'], ['sms']],
    );
  });

  test('what went with an earlier call does not go again', () => {
    const sent = openRow({
      parts: [openPart({ submissionId: '7', unsent: false }), openPart({ channel: 'sms' })],
    });
    assert.deepEqual(
      entriesOf([sent]).map(({ parts }) => parts.map(({ channel }) => channel)),
      [['sms']],
    );
  });

  test('memberships that came up in a job go when all that it is for was sent', () => {
    const list = openPart({ channel: 'list', operation: 'add_to_list' });
    const rows = [openRow({ parts: [list] }), openRow({ rowNumber: 2 })];
    const [member, subscriber] = rows.map(({ rowNumber }) => rowNumber);
    const carried = (left: readonly OpenRow[]) => {
      const next = nextCall('subscribe', left);
      return next && [next.operation, ...next.entries.map(({ rowNumber }) => rowNumber)];
    };
    assert.deepEqual(carried(rows), ['subscribe', subscriber]);
    assert.deepEqual(carried(rows.slice(0, 1)), ['add_to_list', member]);
    assert.equal(carried([]), null);
  });

  test('a live subscribe carries no date, a historical one each channel’s own', () => {
    const row = openRow({
      parts: [
        openPart({ consentedAt: '2020-01-01T00:00:00Z' }),
        openPart({ channel: 'sms', consentedAt: '2021-01-01T00:00:00Z' }),
      ],
    });
    const dates = (historicalImport: boolean) =>
      subscribeRequest(entriesOf([row]), { ...LIST_SETTINGS, historicalImport }).profiles[0]
        ?.channels;
    assert.deepEqual(dates(false), { email: { consentedAt: null }, sms: { consentedAt: null } });
    assert.deepEqual(dates(true), {
      email: { consentedAt: '2020-01-01T00:00:00Z' },
      sms: { consentedAt: '2021-01-01T00:00:00Z' },
    });
  });

  test('an opt-out names the list only if it is from the list alone', () => {
    const listOf = (unsubscribeFrom: 'everything' | 'list') =>
      unsubscribeRequest(entriesOf([both]), { ...LIST_SETTINGS, unsubscribeFrom }).listId;
    assert.equal(listOf('everything'), null);
    assert.equal(listOf('list'), LIST_SETTINGS.listId);
  });

  test('a membership goes by e-mail alone where there is one', () => {
    const list = openPart({ channel: 'list', operation: 'add_to_list' });
    const request = importRequest(
      entriesOf([openRow({ parts: [list] }), openRow({ email: null, parts: [list] })]),
      { listId: 'LIST01' },
    );
    assert.deepEqual(request.profiles, [
      { email: 'a@example.com' },
      { phoneNumber: '+12015550123' },
    ]);
  });
});

describe('a refused request', () => {
  const entries = entriesOf([
    both,
    openRow({ rowNumber: 2, parts: [openPart({ channel: 'sms' })] }),
  ]);
  const settle = (
    ...refused: Parameters<typeof settleRefused>[1] extends ReadonlyMap<number, infer R>
      ? [number, R][]
      : never
  ) =>
    settleRefused(entries, new Map(refused)).map(
      ({ rowNumber, channel, outcome, reason }) =>
        `${rowNumber} ${channel} ${outcome} ${reason ?? ''}`,
    );

  test('a bad phone takes only the SMS part of its row', () => {
    assert.deepEqual(settle([0, [{ part: 'sms', reason: 'klaviyo_refused_phone' }]]), [
      '1 sms rejected klaviyo_refused_phone',
    ]);
  });

  test('a bad row takes all its parts', () => {
    assert.deepEqual(settle([0, [{ part: 'row', reason: 'klaviyo_refused' }]]), [
      '1 email rejected klaviyo_refused',
      '1 sms rejected klaviyo_refused',
    ]);
  });

  test('a refusal of a channel that the row does not carry takes the row, so that resending ends', () => {
    assert.deepEqual(settle([1, [{ part: 'email', reason: 'klaviyo_refused_email' }]]), [
      '2 sms rejected klaviyo_refused_email',
    ]);
  });

  test('back-dated refusals say what Klaviyo holds', () => {
    assert.deepEqual(
      settle(
        [0, [{ part: 'email', reason: 'backdated_before_opt_out' }]],
        [1, [{ part: 'sms', reason: 'backdated_after_subscription' }]],
      ),
      [
        '1 email skipped_opted_out backdated_before_opt_out',
        '2 sms already_consented backdated_after_subscription',
      ],
    );
  });
});
