import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR, sandboxFor } from '../support.js';

test('dates follow the time that is passed, and what is due in it happens close to its time', async (t) => {
  const { account } = await sandboxFor(t);
  account.subscribe({ email: 'ada@example.com' });
  const began = Date.now();
  account.suppress({ email: 'ada@example.com', surfaces_after_ms: HOUR });
  account.pass(3 * HOUR);
  account.unsubscribe({ email: 'ada@example.com' });
  const marketing = account.truthFor({ email: 'ada@example.com' })?.subscriptions.email.marketing;
  const lateMs = Date.parse(marketing?.consent_timestamp ?? '') - began;
  assert.ok(lateMs >= 3 * HOUR && lateMs < 3 * HOUR + 60_000, `${lateMs} ms`);
  assert.deepEqual(
    marketing?.suppression.map(({ reason }) => reason),
    ['USER_SUPPRESSED', 'UNSUBSCRIBE'],
  );
  assert.throws(() => account.pass(-1), RangeError);
});
