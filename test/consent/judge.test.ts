import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgePerson, spellingsOf } from '../../src/consent/judge.js';
import type { Known } from '../../src/consent/person.js';
import type { OptOut } from '../../src/ledger/index.js';
import { email, profile, sms } from '../support/profiles.js';
import { openPart, openRow } from '../support/open-rows.js';

const RUN = {
  listId: 'LIST01',
  moveFrom: null,
  startedAt: new Date('2026-01-01T12:00:00Z'),
  unsubscribeFrom: 'everything' as const,
};
const NOBODY: Known['held'] = { byEmail: [], byPhone: [] };

const optOut = (fields: Partial<OptOut> = {}): OptOut => ({
  channel: 'email',
  identifier: 'a@example.com',
  listId: null,
  at: '2026-01-01T12:00:30Z',
  source: 'event',
  ...fields,
});

function endsOf(known: Known, row = openRow()): Record<string, string> {
  return Object.fromEntries(
    judgePerson(row, known, RUN).settlements.map(({ channel, outcome, reason }) => [
      channel,
      reason ?? outcome,
    ]),
  );
}

describe('the judge of a person', () => {
  test('judges every part of a row by one reading, whatever job carries it', () => {
    const row = openRow({
      parts: [openPart(), openPart({ channel: 'sms', operation: 'unsubscribe' })],
    });
    const held = {
      byEmail: [profile({ emailMarketing: email('UNSUBSCRIBED') })],
      byPhone: [profile({ id: 'P2', smsMarketing: sms('UNSUBSCRIBED') })],
    };
    assert.deepEqual(endsOf({ held, optOuts: [] }, row), {
      email: 'opted_out_before_run',
      sms: 'already_opted_out',
    });
  });

  test('of several profiles the most restrictive counts, in whatever order they are read', () => {
    const yes = profile({ id: 'P1', emailMarketing: email('SUBSCRIBED') });
    const no = profile({ id: 'P2', emailMarketing: email('UNSUBSCRIBED') });
    const never = profile({ id: 'P3', emailMarketing: email('NEVER_SUBSCRIBED') });
    for (const [byEmail, end] of [
      [[yes, no], 'opted_out_before_run'],
      [[no, yes], 'opted_out_before_run'],
      [[yes, never], undefined],
      [[yes, yes], 'already_consented'],
    ] as const) {
      const judgement = endsOf({ held: { byEmail, byPhone: [] }, optOuts: [] });
      assert.equal(judgement['email'], end);
    }
  });

  test('an opt-out that only the ledger knows of counts, until the person is read as back', () => {
    assert.deepEqual(endsOf({ held: NOBODY, optOuts: [optOut()] }), {
      email: 'opted_out_during_run',
    });
    assert.deepEqual(endsOf({ held: NOBODY, optOuts: [optOut({ at: '2026-01-01T11:00:00Z' })] }), {
      email: 'opted_out_before_run',
    });
    const back = { ...email('SUBSCRIBED'), consentedAt: '2026-01-01T12:00:31Z' };
    const held = { byEmail: [profile({ emailMarketing: back })], byPhone: [] };
    assert.deepEqual(endsOf({ held, optOuts: [optOut()] }), { email: 'already_consented' });
  });

  test('an opt-out of another list or channel does not count, one of either kind of text does', () => {
    const row = openRow({ parts: [openPart({ channel: 'sms' })] });
    const known = (fields: Partial<OptOut>): Known => ({ held: NOBODY, optOuts: [optOut(fields)] });
    assert.deepEqual(endsOf(known({ listId: 'OTHER1' })), {});
    assert.deepEqual(endsOf(known({ listId: 'LIST01' })), { email: 'opted_out_during_run' });
    assert.deepEqual(endsOf(known({ channel: 'sms' })), {});
    assert.deepEqual(endsOf(known({ channel: 'email' }), row), {});
    assert.deepEqual(endsOf(known({ channel: 'sms_transactional' }), row), {
      sms: 'opted_out_during_run',
    });
  });

  test('who is subscribed and on no side said no is put on the list', () => {
    const held = { byEmail: [profile({ emailMarketing: email('SUBSCRIBED') })], byPhone: [] };
    assert.equal(judgePerson(openRow(), { held, optOuts: [] }, RUN).joinsList, true);
    const left = optOut({ listId: 'LIST01', at: '2026-01-01T12:00:30Z' });
    assert.equal(judgePerson(openRow(), { held, optOuts: [left] }, RUN).joinsList, false);
  });
});

describe('the spellings that are asked for', () => {
  for (const [rawEmail, spellings] of [
    [null, ['ada@example.com']],
    ['ADA@Example.com', ['ada@example.com', 'ADA@Example.com']],
    ["  'Ada@example.com ", ['ada@example.com', 'Ada@example.com']],
    ['<ada@example.com>', ['ada@example.com']],
  ] as const) {
    test(`of ${rawEmail ?? 'an address as it is'}`, () => {
      assert.deepEqual(spellingsOf({ email: 'ada@example.com', rawEmail }), spellings);
    });
  }
});
