import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { changedAt, changesBetween } from '../../../src/consent/record/changes.js';
import { RECORD_CHANNELS } from '../../../src/consent/record/channels.js';
import {
  columnOf,
  LIST_SUPPRESSIONS,
  RECORD_COLUMNS,
  SUPPRESSIONS,
} from '../../../src/consent/record/columns.js';
import { isSameRow, rowAfter, type ConsentRow } from '../../../src/consent/record/record.js';
import { consented, statedValues } from './values.js';

const rowOf = (stated: ConsentRow): ConsentRow => rowAfter(null, { profileId: '01A', stated });
const OLD = '2026-01-01T00:00:00.000001Z';
const NEW = '2026-02-01T00:00:00.000001Z';
const suppressions = (...timestamps: readonly (string | null)[]): string =>
  JSON.stringify(timestamps.map((timestamp) => ({ reason: 'UNSUBSCRIBE', timestamp })));

describe('changes of a profile', () => {
  it('are none if nothing differs, and some if anything does', () => {
    fc.assert(
      fc.property(statedValues, statedValues, (one, other) => {
        const [before, after] = [rowOf(one), rowOf(other)];
        assert.deepEqual(changesBetween(before, before), []);
        assert.equal(changesBetween(before, after).length === 0, isSameRow(before, after));
      }),
    );
    const before = rowOf({});
    for (const { name, type } of RECORD_COLUMNS) {
      const value = type === 'boolean' ? true : type === 'json' ? '[]' : NEW;
      assert.equal(changesBetween(before, { ...before, [name]: value }).length, 1, name);
    }
  });

  it('name each channel once, with the words before and after', () => {
    for (const channel of RECORD_CHANNELS) {
      const consent = columnOf(channel, 'consent');
      const before = rowOf({
        ...consented(channel),
        [columnOf(channel, 'consent_timestamp')]: OLD,
      });
      const after = {
        ...before,
        [consent]: 'UNSUBSCRIBED',
        [columnOf(channel, 'consent_timestamp')]: NEW,
      };
      assert.deepEqual(changesBetween(before, after), [
        { thing: channel, before: 'SUBSCRIBED', after: 'UNSUBSCRIBED', happenedAt: NEW },
      ]);
    }
  });

  it('have the time of a consent that was renewed, and none that is not Klaviyo’s', () => {
    const before = rowOf({ ...consented('sms_marketing'), sms_marketing_consent_timestamp: OLD });
    assert.deepEqual(changesBetween(before, { ...before, sms_marketing_consent_timestamp: NEW }), [
      { thing: 'sms_marketing', before: 'SUBSCRIBED', after: 'SUBSCRIBED', happenedAt: NEW },
    ]);
    assert.deepEqual(
      changesBetween(before, { ...before, sms_marketing_last_updated: NEW }).map(
        ({ happenedAt }) => happenedAt,
      ),
      [NEW],
    );
    // The old time is not that of the change.
    assert.deepEqual(
      changesBetween(before, { ...before, sms_marketing_consent: 'UNSUBSCRIBED' }).map(
        ({ happenedAt }) => happenedAt,
      ),
      [null],
    );
  });

  it('could be noticed from when Klaviyo changed them, whatever their own date is', () => {
    const before = rowOf(consented('email_marketing'));
    const imported = {
      ...before,
      email_marketing_consent_timestamp: OLD,
      email_marketing_last_updated: NEW,
    };
    const [change] = changesBetween(before, imported);
    assert.ok(change !== undefined);
    assert.equal(change.happenedAt, OLD);
    assert.equal(changedAt(before, imported, change), NEW);
    assert.equal(changedAt(null, imported, change), NEW);
    const of = { thing: SUPPRESSIONS, happenedAt: OLD } as const;
    assert.equal(changedAt(before, imported, of), OLD);
    assert.equal(changedAt(before, before, change), null);
  });

  it('say when the newest suppression was added', () => {
    for (const name of [SUPPRESSIONS, LIST_SUPPRESSIONS]) {
      const cases: [string | null, string | null, string | null][] = [
        ['[]', suppressions(OLD), OLD],
        [null, suppressions(OLD), OLD],
        [suppressions(OLD), suppressions(OLD, NEW), NEW],
        [suppressions(NEW), suppressions(OLD, NEW), OLD],
        [suppressions(OLD), '[]', null],
        [suppressions(OLD), null, null],
        ['[]', suppressions(null), null],
      ];
      for (const [before, after, happenedAt] of cases) {
        const known = { ...rowOf({}), [name]: before };
        assert.deepEqual(changesBetween(known, { ...known, [name]: after }), [
          { thing: name, before, after, happenedAt },
        ]);
      }
    }
  });

  it('of an identifier have no time', () => {
    const before = rowOf({ email: 'ada@example.com', phone_number: '+12015550123' });
    assert.deepEqual(
      changesBetween(before, { ...before, email: 'ada@shop.test', phone_number: null }),
      [
        { thing: 'email', before: 'ada@example.com', after: 'ada@shop.test', happenedAt: null },
        { thing: 'phone_number', before: '+12015550123', after: null, happenedAt: null },
      ],
    );
  });

  it('of a profile that nobody knew are what says something', () => {
    const silent = rowOf({
      email: 'ada@example.com',
      email_marketing_consent: 'NEVER_SUBSCRIBED',
      email_marketing_suppressions: '[]',
      sms_marketing_consent: null,
    });
    assert.deepEqual(changesBetween(null, silent), []);
    const suppressed = {
      ...silent,
      email_marketing_suppressions: suppressions(OLD),
      sms_marketing_consent: 'PENDING',
    };
    assert.deepEqual(changesBetween(null, suppressed), [
      { thing: 'sms_marketing', before: null, after: 'PENDING', happenedAt: null },
      { thing: SUPPRESSIONS, before: null, after: suppressions(OLD), happenedAt: OLD },
    ]);
  });
});
