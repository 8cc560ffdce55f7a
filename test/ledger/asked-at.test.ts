import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import { getMigration, type Ledger } from '../../src/ledger/index.js';
import { openTestLedger, store } from '../support/ledger.js';

let ledger: Ledger;
before(async () => {
  ledger = await openTestLedger();
});
after(() => ledger.close());

test('when a run was asked for is told by the clock of whoever reads it, never too late', async () => {
  const id = 'asked-at';
  await store(ledger, id, []);
  await ledger.pool.query(
    "update consentry.run set created_at = now() - interval '10 minutes' where id = $1",
    [id],
  );
  const wrong = Date.UTC(2031, 0, 2);
  const clock = mock.method(Date, 'now', () => wrong);
  try {
    const { askedAt } = await getMigration(ledger.db, id);
    const late = askedAt.getTime() - (wrong - 600_000);
    assert.ok(late <= 0 && late > -60_000, `${late} ms`);
  } finally {
    clock.mock.restore();
  }
});
