import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import {
  assignJobs,
  countTransitions,
  problemParts,
  reportedParts,
  settledOverTime,
  settleParts,
  type Ledger,
  type ReportedPart,
} from '../../src/ledger/index.js';
import { intent, part } from '../support/intents.js';
import { send, store, openTestLedger } from '../support/ledger.js';

const ROWS = 6;

describe('the report', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
    const people = Array.from({ length: ROWS }, (_, n) =>
      intent({ line: n + 2, email: `p${n + 1}@example.com` }),
    );
    const refused = intent({
      line: 99,
      email: null,
      rawEmail: 'no',
      parts: [part({ rejected: 'email_invalid' })],
    });
    await store(ledger, 'm', [...people, refused]);
    await assignJobs(ledger.db, 'm');
    await send(
      ledger.db,
      'm',
      [1, 2, 3, 4].map((rowNumber) => ({ rowNumber, channel: 'email' as const })),
    );
    const settle = (
      rowNumber: number,
      outcome: 'confirmed' | 'unconfirmed' | 'skipped_opted_out',
      consent?: string,
    ) =>
      settleParts(ledger.db, 'm', [
        {
          rowNumber,
          channel: 'email',
          outcome,
          reason: null,
          settledBy: 'profile_lookup',
          ...(consent === undefined ? {} : { read: { consent, at: null } }),
        },
      ]);
    await settle(1, 'confirmed', 'SUBSCRIBED');
    await settle(2, 'confirmed', 'SUBSCRIBED');
    await settle(3, 'unconfirmed');
    await settle(5, 'skipped_opted_out');
    // Rows 4 and 6 stay open. Settled at 10:00:00, :01, :30; 11:00:00; the refused one first.
    for (const [row, at] of [
      [ROWS + 1, '10:00:00'],
      [1, '10:00:01'],
      [2, '10:00:30'],
      [3, '11:00:00'],
      [5, '10:00:02'],
    ] as const) {
      await sql`update consentry.settlement set settled_at = ${`2026-01-02 ${at}+00`}::timestamptz
        where row_number = ${row}`.execute(ledger.db);
    }
  });
  after(() => ledger.close());

  it('says of every part what was read back, when, and whether it was sent', async () => {
    const parts: ReportedPart[] = [];
    for await (const page of reportedParts(ledger.db, 'm')) parts.push(...page);
    assert.deepEqual(
      parts.map(({ rowNumber, outcome, consentAfter, readAt, sent }) => [
        rowNumber,
        outcome,
        consentAfter,
        readAt !== null,
        sent,
      ]),
      [
        [1, 'confirmed', 'SUBSCRIBED', true, true],
        [2, 'confirmed', 'SUBSCRIBED', true, true],
        [3, 'unconfirmed', null, false, true],
        [4, null, null, false, true],
        [5, 'skipped_opted_out', null, false, false],
        [6, null, null, false, false],
        [7, 'rejected', null, false, false],
      ],
    );
  });

  it('has the first refused and unconfirmed parts', async () => {
    const lines = async (limit: number) =>
      (await problemParts(ledger.db, 'm', limit)).map(({ line, email }) => [line, email]);
    assert.deepEqual(await lines(10), [
      [4, 'p3@example.com'],
      [99, 'no'],
    ]);
    assert.deepEqual(await lines(1), [[4, 'p3@example.com']]);
  });

  it('counts outcomes over time in buckets that keep every part', async () => {
    const at = (time: string) => new Date(`2026-01-02T${time}Z`);
    assert.deepEqual(await settledOverTime(ledger.db, 'm', 3), {
      bucketMs: 1_800_000,
      buckets: [
        { at: at('10:00:00'), outcomes: { confirmed: 2, skipped_opted_out: 1, rejected: 1 } },
        { at: at('11:00:00'), outcomes: { unconfirmed: 1 } },
      ],
    });
    const fine = await settledOverTime(ledger.db, 'm', 500);
    assert.equal(fine.bucketMs, 10_000);
    assert.deepEqual(
      fine.buckets.map((bucket) => bucket.at),
      [at('10:00:00'), at('10:00:30'), at('11:00:00')],
    );
    assert.deepEqual((await settledOverTime(ledger.db, 'nobody', 10)).buckets, []);
  });

  it('counts what was sent by consent before and after', async () => {
    const sent = { channel: 'email', operation: 'subscribe', before: null };
    assert.deepEqual(await countTransitions(ledger.db, 'm'), [
      { ...sent, outcome: 'unconfirmed', consentAfter: null, parts: 1 },
      { ...sent, outcome: 'confirmed', consentAfter: 'SUBSCRIBED', parts: 2 },
      { ...sent, outcome: null, consentAfter: null, parts: 1 },
    ]);
  });
});
