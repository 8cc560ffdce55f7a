import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { IntentPart } from '../../src/contracts/intents.js';
import { findSharedDates, type Ledger } from '../../src/ledger/index.js';
import { intent, part } from '../support/intents.js';
import { openTestLedger, store } from '../support/ledger.js';

const UPLOAD = '2021-03-04T05:06:07Z';

describe('dates of consent that many rows share', () => {
  let ledger: Ledger;
  let migrations = 0;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  async function found(rows: number, fields: Partial<IntentPart>, more: IntentPart[] = []) {
    const id = `shared-${(migrations += 1)}`;
    const people = Array.from({ length: rows }, (_, n) =>
      intent({ line: n + 2, email: `p${n}@example.com`, parts: [part(fields), ...more] }),
    );
    await store(ledger, id, people);
    return findSharedDates(ledger.db, id);
  }

  it('are named from a thousand rows on, by channel', async () => {
    const sms = part({ channel: 'sms', consentedAt: '2022-03-04T05:06:08Z' });
    assert.deepEqual(await found(1_000, { consentedAt: UPLOAD }, [sms]), [
      { channel: 'email', at: UPLOAD, parts: 1_000 },
      { channel: 'sms', at: '2022-03-04T05:06:08Z', parts: 1_000 },
    ]);
    assert.deepEqual(await found(999, { consentedAt: UPLOAD }), []);
  });

  const innocent: readonly (readonly [string, Partial<IntentPart>])[] = [
    ['no date at all', { consentedAt: null }],
    ['days without a time, read as noon in UTC', { consentedAt: '2021-03-04T12:00:00Z' }],
    ['days without a time, read as noon in Kathmandu', { consentedAt: '2021-03-04T06:15:00Z' }],
    ['what the operator attested', { consentedAt: UPLOAD, note: 'date_attested' }],
    ['opt-outs, whose date is not of consent', { consentedAt: UPLOAD, operation: 'unsubscribe' }],
  ];
  for (const [name, fields] of innocent) {
    it(`are not: ${name}`, async () => {
      assert.deepEqual(await found(1_000, fields), []);
    });
  }
});
