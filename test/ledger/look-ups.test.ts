import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import {
  answerSubmission,
  assignJobs,
  jobsToLookUp,
  markLookedUp,
  markWoken,
  type Ledger,
  type LedgerDb,
  type LookUpTerms,
  type SubmissionAnswer,
} from '../../src/ledger/index.js';
import { intent } from '../support/intents.js';
import { openTestLedger, send, store } from '../support/ledger.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const FIRST_MS = 2 * MINUTE;

/** Shorter than what the tests tell apart, and longer than they take. */
const STEP_MS = 5 * SECOND;

const ACCEPTED: SubmissionAnswer = { status: 'accepted', partialFailure: null, requestId: null };
const TERMS: readonly LookUpTerms[] = [{ operation: 'subscribe', firstMs: FIRST_MS, looks: true }];
const FEED_ONLY = TERMS.map((terms) => ({ ...terms, looks: false }));

describe('when the open rows of a job are looked up', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  /** A run of one-row jobs. */
  async function run(id: string, jobs: number): Promise<void> {
    const people = Array.from({ length: jobs }, (_, n) => intent({ email: `p${n}@example.com` }));
    await store(ledger, id, people);
    await assignJobs(ledger.db, id, null, 1);
  }

  async function sent(id: string, jobNumber: number): Promise<string> {
    return send(ledger.db, id, [{ rowNumber: jobNumber, channel: 'email' }], jobNumber);
  }

  async function accepted(id: string, jobNumber: number): Promise<void> {
    await answerSubmission(ledger.db, await sent(id, jobNumber), ACCEPTED);
  }

  /** Lets time pass for the jobs of a run. */
  async function pass(id: string, ms: number): Promise<void> {
    const time = sql`make_interval(secs => ${ms / SECOND}::float8)`;
    await sql`
      update consentry.job set accepted_at = accepted_at - ${time}, look_up_at = look_up_at - ${time}
      where migration_id = ${id}`.execute(ledger.db);
  }

  const due = async (
    id: string,
    { terms = TERMS, atMost = 100, db = ledger.db } = {},
  ): Promise<number[]> =>
    (await jobsToLookUp(db, id, terms, atMost)).map(({ jobNumber }) => jobNumber);

  const look = (id: string, jobNumber: number) =>
    markLookedUp(ledger.db, id, { jobNumber, firstMs: FIRST_MS });

  /** Minutes after the acceptance at which job 1 is due, up to a time. */
  async function looksWithin(id: string, withinMs: number): Promise<number[]> {
    const looks: number[] = [];
    for (let at = 0; at <= withinMs; at += STEP_MS) {
      if ((await due(id)).includes(1)) {
        looks.push(Math.round(at / MINUTE));
        await look(id, 1);
      }
      await pass(id, STEP_MS);
    }
    return looks;
  }

  test('at first when its effect is expected, then after pauses that double', async () => {
    await run('doubling', 1);
    assert.deepEqual(await due('doubling'), [], 'before it is sent');
    await accepted('doubling', 1);
    const looks = await looksWithin('doubling', 16 * MINUTE);
    assert.deepEqual(looks, [2, 6, 14]);
  });

  test('every six hours at least', async () => {
    await run('longest', 1);
    await accepted('longest', 1);
    await pass('longest', 30 * 24 * HOUR);
    await look('longest', 1);
    await pass('longest', 6 * HOUR - SECOND);
    assert.deepEqual(await due('longest'), []);
    await pass('longest', SECOND);
    assert.deepEqual(await due('longest'), [1]);
  });

  test('again if the worker was killed before the look was noted', async () => {
    await run('killed', 2);
    await accepted('killed', 1);
    await accepted('killed', 2);
    await pass('killed', FIRST_MS);
    assert.deepEqual(await due('killed'), [1, 2]);
    await look('killed', 1);
    assert.deepEqual(await due('killed'), [2]);
    assert.deepEqual(await due('killed'), [2]);
  });

  test('first those that have been due for longest', async () => {
    await run('order', 3);
    for (const job of [3, 1, 2]) {
      await accepted('order', job);
      await pass('order', FIRST_MS);
      await due('order', { atMost: 0 });
    }
    assert.deepEqual(await due('order', { atMost: 2 }), [3, 1]);
  });

  test('not after a lost answer, which its job reads back, but after the call that repeats it', async () => {
    await run('lost', 1);
    await answerSubmission(ledger.db, await sent('lost', 1), { status: 'ambiguous' });
    await pass('lost', HOUR);
    assert.deepEqual(await due('lost'), []);
    await sql`update consentry.submission set status = 'lost' where migration_id = 'lost'`.execute(
      ledger.db,
    );
    await accepted('lost', 1);
    assert.deepEqual(await looksWithin('lost', 7 * MINUTE), [2, 6]);
  });

  test('as after its last call, if it makes several', async () => {
    await store(ledger, 'calls', [
      intent({ email: 'a@example.com' }),
      intent({ email: 'b@example.com' }),
    ]);
    await assignJobs(ledger.db, 'calls');
    const call = async (rowNumber: number) =>
      answerSubmission(
        ledger.db,
        await send(ledger.db, 'calls', [{ rowNumber, channel: 'email' }]),
        ACCEPTED,
      );
    await call(1);
    await pass('calls', FIRST_MS - SECOND);
    await call(2);
    assert.deepEqual(await looksWithin('calls', 3 * MINUTE), [2]);
  });

  test('not once all its rows have an outcome, even if its answer comes later', async () => {
    await run('ended', 2);
    await accepted('ended', 1);
    const late = await sent('ended', 2);
    await markWoken(ledger.db, 'ended', [1, 2]);
    await answerSubmission(ledger.db, late, ACCEPTED);
    await pass('ended', HOUR);
    assert.deepEqual(await due('ended'), []);
    await look('ended', 1);
    await pass('ended', 24 * HOUR);
    assert.deepEqual(await due('ended'), []);
  });

  test('not while a feed shows them, but when it no longer can be read', async () => {
    await run('feed', 1);
    await accepted('feed', 1);
    await pass('feed', FIRST_MS);
    assert.deepEqual(await due('feed', { terms: FEED_ONLY }), []);
    assert.deepEqual(await due('feed'), [], 'it was put off');
    await pass('feed', 2 * FIRST_MS + SECOND);
    assert.deepEqual(await due('feed'), [1]);
  });

  test('without waiting for a job whose next call is just beginning', async () => {
    await run('beginning', 2);
    await accepted('beginning', 1);
    await accepted('beginning', 2);
    await ledger.db.transaction().execute(async (tx) => {
      await sql`
        select from consentry.job where migration_id = 'beginning' and job_number = 1
        for no key update`.execute(tx);
      assert.deepEqual(await due('beginning'), []);
    });
    await pass('beginning', FIRST_MS);
    assert.deepEqual(await due('beginning'), [1, 2]);
  });

  test('and finding them reads no job of fifty thousand whose time has not come', async () => {
    const id = 'many';
    await run(id, 2);
    await sql`
      insert into consentry.job (migration_id, job_number, operation, rows, first_row, row_numbers,
        accepted_at, look_up_at)
      select ${id}, n, 'subscribe', 1, n, '{}', now() - interval '1 hour', now() + interval '1 hour'
      from generate_series(3, 50000) n`.execute(ledger.db);
    await sql`analyze consentry.job`.execute(ledger.db);
    await accepted(id, 1);
    await accepted(id, 2);
    const readSoFar = async (db: LedgerDb): Promise<number> => {
      const { rows } = await sql<{ read: number }>`
        select (seq_tup_read + idx_tup_fetch)::int as read from pg_stat_xact_user_tables
        where relid = 'consentry.job'::regclass`.execute(db);
      return rows[0]?.read ?? 0;
    };
    const reads = () =>
      ledger.db.transaction().execute(async (db) => {
        const before = await readSoFar(db);
        const found = await due(id, { db });
        return { found, read: (await readSoFar(db)) - before };
      });
    const { found, read } = await reads();
    assert.deepEqual(found, [], 'they were just accepted');
    assert.ok(read <= 20, `${read} rows were read`);
    assert.deepEqual(await reads(), { found: [], read: 0 });
  });
});
