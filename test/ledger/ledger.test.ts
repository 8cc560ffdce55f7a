import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Intent } from '../../src/contracts/intents.js';
import {
  answerSubmission,
  assignJobs,
  countJobsPastSubmit,
  askForMembership,
  countTotals,
  findRepairs,
  findRunningMigration,
  getMigration,
  jobsToLookUp,
  markLookedUp,
  markWoken,
  MigrationNotFoundError,
  noteOptOuts,
  noteStop,
  noteSubmitEnded,
  openLedger,
  openRowsOfJob,
  reportedParts,
  setPhase,
  settledJobs,
  settleDuplicates,
  settleParts,
  settleUnsent,
  storeIntents,
  unreadRows,
  waitingParts,
  watchLeft,
  type Ledger,
  type Settlement,
} from '../../src/ledger/index.js';
import { createTestDatabase } from '../support/stack.js';
import { intent, part } from '../support/intents.js';
import { ACCOUNT, send, store, openTestLedger } from '../support/ledger.js';
import { LIST_SETTINGS } from '../support/settings.js';

const consented = (rowNumber: number): Settlement => ({
  rowNumber,
  channel: 'email',
  outcome: 'already_consented',
  reason: null,
  settledBy: 'guard',
});

describe('the ledger', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  async function parts(id: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for await (const page of reportedParts(ledger.db, id)) {
      for (const { rowNumber, channel, outcome, reason } of page) {
        found[`${rowNumber} ${channel}`] = reason ?? outcome ?? 'open';
      }
    }
    return found;
  }

  test('opens twice at once: the schema is made once', async () => {
    const fresh = await createTestDatabase();
    const opened = await Promise.all([openLedger(fresh.url), openLedger(fresh.url)]);
    await Promise.all(opened.map((each) => each.close()));
    await fresh.drop();
  });

  test('outlives a server that ends a connection between two queries of a transaction', async () => {
    const work = ledger.db.transaction().execute(async (tx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await ledger.pool.query('select pg_terminate_backend($1, 5000)', [rows[0]?.pid]);
      await setImmediate();
      await sql`select 1`.execute(tx);
    });
    await assert.rejects(work, Error);
    assert.equal((await sql<{ one: number }>`select 1 as one`.execute(ledger.db)).rows[0]?.one, 1);
  });

  test('keeps identifiers with tabs, backslashes and line ends as they are', async () => {
    const raw = 'tab\there \\N back\\slash\r\nline';
    await store(ledger, 'raw', [
      intent({ email: null, rawEmail: raw, parts: [part({ rejected: 'email_invalid' })] }),
    ]);
    const [page] = await toArray(reportedParts(ledger.db, 'raw'));
    assert.equal(page?.[0]?.email, raw);
    assert.equal(page[0].outcome, 'rejected');
  });

  test('a source that breaks half-way leaves nothing behind', async () => {
    async function* broken(): AsyncGenerator<Intent[]> {
      yield [intent()];
      await Promise.resolve();
      throw new Error('unreadable');
    }
    const migration = {
      id: 'broken',
      accountId: ACCOUNT,
      sourceName: 'x',
      sourceSha256: 'x',
      preset: 'generic',
      settings: LIST_SETTINGS,
      requestHash: 'broken',
      share: 1,
      retryOf: null,
      program: null,
    };
    await assert.rejects(storeIntents(ledger, migration, broken()), /unreadable/);
    await assert.rejects(getMigration(ledger.db, 'broken'), MigrationNotFoundError);
  });

  test('of rows about one person a suppression wins, else the newest change, else the later row', async () => {
    const dated = (
      email: string,
      consentedAt: string | null,
      operation: 'subscribe' | 'unsubscribe' | 'suppress',
    ) => intent({ email, parts: [part({ consentedAt, operation })] });
    await store(ledger, 'duplicates', [
      dated('newest@example.com', '2021-01-01T00:00:00Z', 'subscribe'),
      dated('newest@example.com', '2020-01-01T00:00:00Z', 'subscribe'),
      dated('optout@example.com', '2022-01-01T00:00:00Z', 'subscribe'),
      dated('optout@example.com', '2023-01-01T00:00:00Z', 'unsubscribe'),
      dated('later@example.com', null, 'subscribe'),
      dated('later@example.com', null, 'subscribe'),
      dated('dated@example.com', '2000-01-01T00:00:00Z', 'subscribe'),
      dated('dated@example.com', null, 'subscribe'),
      dated('came-back@example.com', '2019-01-01T00:00:00Z', 'unsubscribe'),
      dated('came-back@example.com', '2022-01-01T00:00:00Z', 'subscribe'),
      dated('undated-optout@example.com', null, 'unsubscribe'),
      dated('undated-optout@example.com', '2022-01-01T00:00:00Z', 'subscribe'),
      dated('suppressed@example.com', null, 'suppress'),
      dated('suppressed@example.com', '2022-01-01T00:00:00Z', 'subscribe'),
      dated('both@example.com', '2022-01-01T00:00:00Z', 'subscribe'),
      dated('both@example.com', '2022-01-01T00:00:00Z', 'unsubscribe'),
    ]);
    await settleDuplicates(ledger.db, 'duplicates');
    await settleDuplicates(ledger.db, 'duplicates');
    assert.deepEqual(await parts('duplicates'), {
      '1 email': 'open',
      '2 email': 'duplicate_email',
      '3 email': 'conflicting_opt_out',
      '4 email': 'open',
      '5 email': 'duplicate_email',
      '6 email': 'open',
      '7 email': 'open',
      '8 email': 'duplicate_email',
      '9 email': 'superseded_by_consent',
      '10 email': 'open',
      '11 email': 'open',
      '12 email': 'conflicting_opt_out',
      '13 email': 'open',
      '14 email': 'conflicting_opt_out',
      '15 email': 'conflicting_opt_out',
      '16 email': 'open',
    });
  });

  test('a phone on two people is sent once, and both keep their e-mail', async () => {
    const both = (email: string) =>
      intent({
        email,
        phoneNumber: '+12015550123',
        parts: [part(), part({ channel: 'sms' })],
      });
    await store(ledger, 'phones', [both('one@example.com'), both('two@example.com')]);
    await settleDuplicates(ledger.db, 'phones');
    assert.deepEqual(await parts('phones'), {
      '1 email': 'open',
      '1 sms': 'duplicate_phone',
      '2 email': 'open',
      '2 sms': 'open',
    });
  });

  test('numbers jobs by operation, at most 1,000 rows each, and only once', async () => {
    const people = Array.from({ length: 1_500 }, (_, n) => intent({ email: `p${n}@example.com` }));
    const optOut = intent({ email: 'no@example.com', parts: [part({ operation: 'unsubscribe' })] });
    await store(ledger, 'jobs', [...people, optOut]);
    await settleParts(ledger.db, 'jobs', [consented(1), consented(2)]);
    await askForMembership(ledger.db, 'jobs', [1, 2]);
    const jobs = await assignJobs(ledger.db, 'jobs');
    assert.deepEqual(jobs, [
      { jobNumber: 1, operation: 'unsubscribe', rows: 1, canary: false },
      { jobNumber: 2, operation: 'add_to_list', rows: 2, canary: false },
      { jobNumber: 3, operation: 'subscribe', rows: 1_000, canary: false },
      { jobNumber: 4, operation: 'subscribe', rows: 498, canary: false },
    ]);
    assert.deepEqual(await assignJobs(ledger.db, 'jobs'), jobs);
    assert.equal((await openRowsOfJob(ledger.db, 'jobs', 4)).length, 498);
  });

  test('gives the first rows jobs of their own, as a canary', async () => {
    const people = Array.from({ length: 30 }, (_, n) => intent({ email: `p${n}@example.com` }));
    await store(ledger, 'canary', people);
    await settleParts(ledger.db, 'canary', [consented(2)]);
    await askForMembership(ledger.db, 'canary', [2]);
    assert.deepEqual(await assignJobs(ledger.db, 'canary', 10), [
      { jobNumber: 1, operation: 'add_to_list', rows: 1, canary: true },
      { jobNumber: 2, operation: 'subscribe', rows: 9, canary: true },
      { jobNumber: 3, operation: 'subscribe', rows: 20, canary: false },
    ]);
  });

  test('asks for a membership in the job that found it out, and of nobody who says no', async () => {
    const ends = async (operation: 'subscribe' | 'unsubscribe', outcome: Settlement['outcome']) => {
      const id = `member-${operation}-${outcome}`;
      const sms = part({ channel: 'sms', operation });
      const row = intent({ phoneNumber: '+12015550101', parts: [part(), sms] });
      await store(ledger, id, [row, intent({ email: 'open@example.com', parts: [part(), sms] })]);
      await assignJobs(ledger.db, id);
      const other = { ...consented(1), channel: 'sms' as const, outcome };
      await settleParts(ledger.db, id, [consented(1), other, consented(2)]);
      await askForMembership(ledger.db, id, [1, 2], 1);
      await askForMembership(ledger.db, id, [1, 2], 1);
      return (await openRowsOfJob(ledger.db, id, 1)).flatMap(({ rowNumber, parts }) =>
        parts.map(({ channel }) => `${rowNumber} ${channel}`),
      );
    };
    assert.deepEqual(await ends('subscribe', 'already_consented'), ['1 list', '2 sms']);
    assert.deepEqual(await ends('subscribe', 'rejected'), ['1 list', '2 sms']);
    assert.deepEqual(await ends('subscribe', 'skipped_opted_out'), ['2 sms']);
    assert.deepEqual(await ends('unsubscribe', 'confirmed'), ['2 sms']);
  });

  test('reads on where the guard stopped', async () => {
    await store(ledger, 'unread', [
      intent({ email: 'a@example.com' }),
      intent({ email: 'b@example.com', parts: [part({ rejected: 'consent_date_in_future' })] }),
      intent({ email: 'c@example.com' }),
    ]);
    const first = await unreadRows(ledger.db, 'unread', 0, 1);
    assert.deepEqual(
      first.map((row) => row.email),
      ['a@example.com'],
    );
    const next = await unreadRows(ledger.db, 'unread', 1, 10);
    assert.deepEqual(
      next.map((row) => row.email),
      ['c@example.com'],
    );
  });

  test('a submission that was refused leaves its rows unsent, an accepted one waiting', async () => {
    await store(ledger, 'submit', [intent(), intent({ email: 'b@example.com' })]);
    await assignJobs(ledger.db, 'submit');
    const sent = [
      { rowNumber: 1, channel: 'email' as const },
      { rowNumber: 2, channel: 'email' as const },
    ];
    const refused = await send(ledger.db, 'submit', sent);
    await answerSubmission(ledger.db, refused, { status: 'refused' });
    assert.deepEqual(await waitingParts(ledger.db, 'submit', ['a@example.com'], []), []);

    const accepted = await send(ledger.db, 'submit', sent);
    await answerSubmission(ledger.db, accepted, {
      status: 'accepted',
      partialFailure: null,
      requestId: 'r1',
    });
    assert.equal((await waitingParts(ledger.db, 'submit', ['a@example.com'], [])).length, 1);
    assert.deepEqual(await settledJobs(ledger.db, 'submit'), []);

    const settled = { outcome: 'confirmed', reason: null, settledBy: 'list_members' } as const;
    await settleParts(ledger.db, 'submit', [
      { rowNumber: 1, channel: 'email', ...settled },
      { rowNumber: 2, channel: 'email', ...settled },
    ]);
    assert.deepEqual(await settledJobs(ledger.db, 'submit'), [1]);
  });

  test('the first outcome of a part stays', async () => {
    await store(ledger, 'first', [intent()]);
    const settle = (outcome: 'confirmed' | 'unconfirmed') =>
      settleParts(ledger.db, 'first', [
        { rowNumber: 1, channel: 'email', outcome, reason: null, settledBy: 'profile_lookup' },
      ]);
    assert.equal(await settle('confirmed'), 1);
    assert.equal(await settle('unconfirmed'), 0);
    assert.deepEqual(await parts('first'), { '1 email': 'confirmed' });
  });

  test('a row has the outcome of its most open channel, and is open while one is', async () => {
    const two = (email: string, phoneNumber: string) =>
      intent({ email, phoneNumber, parts: [part(), part({ channel: 'sms' })] });
    await store(ledger, 'rows', [
      two('a@example.com', '+12015550123'),
      two('b@example.com', '+12015550124'),
    ]);
    const settle = (
      rowNumber: number,
      channel: 'email' | 'sms',
      outcome: 'confirmed' | 'rejected',
    ) =>
      settleParts(ledger.db, 'rows', [
        { rowNumber, channel, outcome, reason: null, settledBy: 'guard' },
      ]);
    await settle(1, 'email', 'confirmed');
    await settle(1, 'sms', 'rejected');
    await settle(2, 'email', 'confirmed');
    const totals = await countTotals(ledger.db, 'rows');
    assert.deepEqual(totals.outcomes, { confirmed: 1 });
    assert.equal(totals.rows, 2);
  });

  test('cancels only what was not sent', async () => {
    await store(ledger, 'cancel', [intent(), intent({ email: 'b@example.com' })]);
    await assignJobs(ledger.db, 'cancel');
    await send(ledger.db, 'cancel', [{ rowNumber: 1, channel: 'email' }]);
    assert.equal(await settleUnsent(ledger.db, 'cancel', 1, 'cancelled_before_sending'), 1);
    assert.deepEqual(await parts('cancel'), {
      '1 email': 'open',
      '2 email': 'cancelled_before_sending',
    });
  });

  test('a job is past its submit when nothing of it is left to send, until the run is stopped', async () => {
    const id = 'past';
    const { db } = ledger;
    await store(
      ledger,
      id,
      [1, 2, 3, 4].map((n) => intent({ email: `past${n}@example.com` })),
    );
    assert.equal((await assignJobs(db, id, null, 1)).length, 4);
    const sent = await send(db, id, [{ rowNumber: 1, channel: 'email' }]);
    await answerSubmission(db, sent, { status: 'accepted', partialFailure: null, requestId: null });
    assert.equal(await countJobsPastSubmit(db, id), 0, 'more of it may be left to send');
    await noteSubmitEnded(db, id, 1);
    await markWoken(db, id, [1, 2]);
    await noteSubmitEnded(db, id, 3);
    assert.equal(await countJobsPastSubmit(db, id), 3);
    assert.equal((await countTotals(db, id)).jobs.submitted, 1, 'only one was sent');
    await noteStop(db, id, 'migration_stopped');
    assert.equal(await countJobsPastSubmit(db, id), 0);
  });

  test('finds a running migration that asks for the same, not an ended one', async () => {
    await store(ledger, 'same', [intent()]);
    assert.equal(await findRunningMigration(ledger.db, 'same'), 'same');
    await setPhase(ledger.db, 'same', 'done');
    assert.equal(await findRunningMigration(ledger.db, 'same'), null);
  });

  test('keeps time by its own clock, whatever that of a worker shows', async (t) => {
    const id = 'ahead';
    const account = 'AheadAcc';
    const { db } = ledger;
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 });
    const emails = ['clock1@example.com', 'clock2@example.com'];
    const refused = part({ channel: 'sms', rejected: 'phone_invalid' });
    const people = emails.map((email) => intent({ email, parts: [part(), refused] }));
    await store(ledger, id, people, {}, account);
    await assignJobs(db, id);
    const call = await send(db, id, [{ rowNumber: 1, channel: 'email' }]);
    await answerSubmission(db, call, { status: 'accepted', partialFailure: null, requestId: null });
    assert.ok(((await watchLeft(db, id, 60_000)) ?? Infinity) <= 60_000);
    const due = { jobNumber: 1, firstMs: 0 };
    const terms = [{ operation: 'subscribe', firstMs: 0, looks: true }] as const;
    assert.deepEqual(await jobsToLookUp(db, id, terms, 10), [due]);
    await markLookedUp(db, id, due);
    const said = { at: '2026-03-04T05:06:07Z', source: 'event', listId: null } as const;
    await noteOptOuts(db, account, [{ ...said, channel: 'email', identifier: emails[0] ?? '' }]);
    await findRepairs(db, id);
    await settleUnsent(db, id, null, 'cancelled_before_sending');
    await markWoken(db, id, [1]);
    await setPhase(db, id, 'done');
    const { rows: times } = await ledger.pool.query<{ table: string; column: string }>(
      `select table_name as table, column_name as column from information_schema.columns
        where table_schema = 'consentry' and data_type = 'timestamp with time zone'`,
    );
    const ahead: string[] = [];
    for (const { table, column } of times) {
      const { rowCount } = await ledger.pool.query(
        `select from consentry.${table} where ${column} > now() + interval '10 minutes'`,
      );
      if (rowCount !== 0) ahead.push(`${table}.${column}`);
    }
    assert.deepEqual(ahead, []);
  });
});

async function toArray<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
