import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { countNotes, type Ledger } from '../../src/ledger/index.js';
import { intent, part } from '../support/intents.js';
import { openTestLedger, store } from '../support/ledger.js';

describe('notes of the importer', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  it('are counted one by one, by channel, also of parts that were refused', async () => {
    await store(ledger, 'noted', [
      intent({
        email: 'a@example.com',
        parts: [part({ note: 'clamped_to_1990 address_never_mailed' })],
      }),
      intent({
        email: 'b@example.com',
        phoneNumber: '+12015550123',
        parts: [
          part({ note: 'address_never_mailed' }),
          part({ channel: 'sms', note: 'phone_of_other_country' }),
        ],
      }),
      intent({
        email: 'c@example.com',
        parts: [part({ rejected: 'nothing_asked', note: 'consent_pending' })],
      }),
      intent({ email: 'd@example.com' }),
    ]);
    assert.deepEqual(await countNotes(ledger.db, 'noted'), [
      { channel: 'email', note: 'address_never_mailed', parts: 2 },
      { channel: 'email', note: 'clamped_to_1990', parts: 1 },
      { channel: 'email', note: 'consent_pending', parts: 1 },
      { channel: 'sms', note: 'phone_of_other_country', parts: 1 },
    ]);
    await store(ledger, 'not-noted', [intent({ email: 'd@example.com' })]);
    assert.deepEqual(await countNotes(ledger.db, 'not-noted'), []);
  });
});
