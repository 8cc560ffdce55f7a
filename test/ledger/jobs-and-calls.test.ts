import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import {
  answerSubmission,
  assignJobs,
  beginSubmission,
  countCanaryParts,
  countJobOutcomes,
  countTotals,
  noteOptOuts,
  reportedParts,
  settleParts,
  settleSmsWithoutSender,
  settleUnsentParts,
  waitingKinds,
  type Begun,
  type Ledger,
  type LedgerDb,
} from '../../src/ledger/index.js';
import { lockForSettling } from '../../src/ledger/transactions.js';
import { intent, part } from '../support/intents.js';
import { ACCOUNT, openTestLedger, send, store } from '../support/ledger.js';

describe('jobs, the parts that they were made for, and their calls', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  const people = (rows: number) =>
    Array.from({ length: rows }, (_, n) => intent({ email: `p${n + 1}@example.com` }));

  /** Until this many connections wait for a lock. */
  async function blocked(connections: number): Promise<void> {
    for (;;) {
      const { rows } = await sql`
        select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(ledger.db);
      if (rows.length >= connections) return;
      await setTimeout(5);
    }
  }

  /** Runs `work` while another transaction holds what `lock` takes, until `work` says to end it. */
  async function whileLocked(
    lock: (tx: LedgerDb) => Promise<unknown>,
    work: (release: () => void) => Promise<void>,
  ): Promise<void> {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let locked = (): void => undefined;
    const isLocked = new Promise<void>((resolve) => (locked = resolve));
    const holding = ledger.db.transaction().execute(async (tx) => {
      await lock(tx);
      locked();
      await released;
    });
    try {
      await isLocked;
      await work(release);
    } finally {
      release();
      await holding;
    }
  }

  const begin = (migrationId: string, rowNumbers: readonly number[]): Promise<Begun> =>
    beginSubmission(ledger.db, {
      migrationId,
      jobNumber: 1,
      bringsIn: true,
      optsOutOf: null,
      asks: null,
      endpoint: 'bulk_subscribe_profiles',
      now: null,
      parts: rowNumbers.map((rowNumber) => ({ rowNumber, channel: 'email' })),
    });

  test('what was refused before there were jobs is not an end of the canary', async () => {
    const id = 'canary-of-some-channels';
    const both = (email: string, rejected: 'phone_landline' | null) =>
      intent({
        email,
        phoneNumber: '+12015550123',
        parts: [part(), part({ channel: 'sms', rejected })],
      });
    await store(ledger, id, [
      both('a@example.com', 'phone_landline'),
      both('b@example.com', null),
      both('c@example.com', null),
    ]);
    await settleUnsentParts(ledger.db, id, [
      {
        rowNumber: 2,
        channel: 'sms',
        outcome: 'skipped_opted_out',
        reason: 'already_opted_out',
        settledBy: 'guard',
      },
    ]);
    await assignJobs(ledger.db, id, 2);
    const sent = [1, 2].map((rowNumber) => ({ rowNumber, channel: 'email' as const }));
    await send(ledger.db, id, sent);
    await settleParts(
      ledger.db,
      id,
      sent.map((each) => ({ ...each, outcome: 'confirmed', reason: null, settledBy: 'events' })),
    );
    assert.deepEqual(await countCanaryParts(ledger.db, id), [
      { channel: 'email', outcome: 'confirmed', reason: null, parts: 2 },
    ]);
    assert.deepEqual(await countJobOutcomes(ledger.db, id, 1), { confirmed: 2 });
  });

  test('a call that begins while another one of the job is refused stays among what was sent', async () => {
    const id = 'refused-beside';
    await store(ledger, id, people(4));
    await assignJobs(ledger.db, id);
    const first = await begin(id, [1, 2]);
    assert.ok(first.state === 'begun');
    await whileLocked(
      (tx) =>
        sql`select from consentry.job where migration_id = ${id} for no key update`.execute(tx),
      async (release) => {
        const second = begin(id, [3, 4]);
        await blocked(1);
        const answered = answerSubmission(ledger.db, first.id, { status: 'refused' });
        await blocked(2);
        release();
        assert.equal((await second).state, 'begun');
        await answered;
      },
    );
    assert.equal((await countTotals(ledger.db, id)).accepted, 2);
    assert.deepEqual(await waitingKinds(ledger.db, id), [
      { channel: 'email', operation: 'subscribe' },
    ]);
  });

  test('an opt-out that is noted while a call waits for its turn keeps the person out of it', async () => {
    const id = 'no-meanwhile';
    await store(ledger, id, people(2));
    await assignJobs(ledger.db, id);
    await whileLocked(
      (tx) => lockForSettling(tx, id),
      async (release) => {
        const call = begin(id, [1, 2]);
        await blocked(1);
        await noteOptOuts(ledger.db, ACCOUNT, [
          {
            channel: 'email',
            identifier: 'p2@example.com',
            listId: null,
            at: new Date().toISOString(),
            source: 'event',
          },
        ]);
        release();
        const begun = await call;
        assert.ok(begun.state === 'begun');
        assert.deepEqual(begun.parts, [{ rowNumber: 1, channel: 'email' }]);
      },
    );
  });

  test('the check of texts in a job leaves the texts of other jobs alone', async () => {
    const id = 'texts-of-jobs';
    await store(ledger, id, [
      intent({
        phoneNumber: '+12015550123',
        country: 'US',
        parts: [part({ operation: 'unsubscribe' }), part({ channel: 'sms' })],
      }),
    ]);
    await assignJobs(ledger.db, id);
    const ofSms = async () => {
      for await (const page of reportedParts(ledger.db, id)) {
        return page.find(({ channel }) => channel === 'sms')?.reason;
      }
      return undefined;
    };
    await settleSmsWithoutSender(ledger.db, id, 1, ['GB']);
    assert.equal(await ofSms(), null);
    await settleSmsWithoutSender(ledger.db, id, 2, ['GB']);
    assert.equal(await ofSms(), 'phone_country_without_sender');
  });
});
