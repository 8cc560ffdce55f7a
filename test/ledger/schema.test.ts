import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Kysely, Migrator, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { jobsOf, type JobRef } from '../../src/contracts/jobs.js';
import {
  answerSubmission,
  beginSubmission,
  countCalls,
  countJobOutcomes,
  countJobsPastSubmit,
  countTotals,
  countTransitions,
  getMigration,
  getPlan,
  hasOpenParts,
  openLedger,
  openRepairs,
  openRowsOfJob,
  pendingRows,
  personHistory,
  reportedParts,
  settledJobs,
  settleParts,
  settleRepaired,
  termsOf,
  unsentRows,
  unsentRowsOfJob,
  waitingParts,
  type LedgerDb,
  type OpenRow,
  type ReportedPart,
} from '../../src/ledger/index.js';
import { FORMER_KEYS, SCHEMA_MIGRATIONS } from '../../src/ledger/schema/migrations.js';
import { ACCOUNT } from '../support/ledger.js';
import { createTestDatabase, type TestDatabase } from '../support/stack.js';
import { LIST_SETTINGS } from '../support/settings.js';
import { ENDED, fillParts, HALF, JOBS, KNOWN, readsOfParts } from './people-in-parts.js';

describe('the schema of a ledger', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  /** Makes the ledger as it was after a schema migration, and fills it. */
  async function filledAt(
    name: string,
    fill: (db: Kysely<unknown>) => Promise<unknown>,
  ): Promise<void> {
    const pool = new pg.Pool({ connectionString: database.url, max: 2 });
    const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
    try {
      await sql`create schema consentry`.execute(db);
      const migrator = new Migrator({
        db: db.withSchema('consentry'),
        migrationTableSchema: 'consentry',
        provider: { getMigrations: () => Promise.resolve({ ...SCHEMA_MIGRATIONS }) },
      });
      const { error } = await migrator.migrateTo(name);
      assert.equal(error, undefined);
      await fill(db);
      // As they were called before the first release.
      for (const [former, now] of Object.entries(FORMER_KEYS)) {
        await sql`update consentry.kysely_migration set name = ${former} where name = ${now}`.execute(
          db,
        );
      }
    } finally {
      await db.destroy();
    }
  }

  it('keeps what a migration was when it becomes a run', async () => {
    await filledAt('0008-people-go-with-their-migration', async (db) => {
      await sql`
        insert into consentry.migration (id, source_name, source_sha256, preset, settings, request_hash,
          account_id, phase, paused, share, stopped_at, stop_reason, steering, held, created_at)
        values ('old', 'people.csv', 'sha', 'generic', ${JSON.stringify(LIST_SETTINGS)}, 'hash', 'Acc123',
          'submit', true, 0.25, '2026-01-02', 'cancelled_before_sending', 7, 'no key', '2026-01-01')`.execute(
        db,
      );
      await sql`insert into consentry.call_count values ('old', 'get_profiles', '200', 3, 40)`.execute(
        db,
      );
      await sql`
        insert into consentry.list_feed (migration_id, joined_since, newest) values ('old', 'a', 'b')`.execute(
        db,
      );
      await sql`
        insert into consentry.person_request (id, identifier) values ('asked', '{"by":"email"}')`.execute(
        db,
      );
    });
    const ledger = await openLedger(database.url);
    try {
      const migration = await getMigration(ledger.db, 'old');
      assert.deepEqual(
        {
          accountId: migration.accountId,
          requestHash: migration.requestHash,
          phase: migration.phase,
          paused: migration.paused,
          share: migration.share,
          stopped: migration.stopped,
          stopReason: migration.stopReason,
          held: migration.held,
          createdAt: migration.createdAt.getFullYear(),
          finishedAt: migration.finishedAt,
        },
        {
          accountId: 'Acc123',
          requestHash: 'hash',
          phase: 'submit',
          paused: true,
          share: 0.25,
          stopped: true,
          stopReason: 'cancelled_before_sending',
          held: 'no key',
          createdAt: 2026,
          finishedAt: null,
        },
      );
      assert.deepEqual(await countCalls(ledger.db, 'old'), [
        { endpoint: 'get_profiles', status: '200', calls: 3, durationMs: 40 },
      ]);
      assert.deepEqual(await termsOf(ledger.db, 'old'), {
        accountId: 'Acc123',
        share: 0.25,
        held: true,
      });
      // Whatever belongs to a run goes with it, also where only its migration is deleted.
      await sql`delete from consentry.migration`.execute(ledger.db);
      for (const table of ['run', 'call_count', 'list_feed', 'person_request']) {
        const { rows } = await sql`select from consentry.${sql.ref(table)}`.execute(ledger.db);
        assert.equal(rows.length, 0, table);
      }
    } finally {
      await ledger.close();
    }
  });

  it('keeps every job of a plan when plans have them in ranges', async () => {
    const jobs: JobRef[] = Array.from({ length: 40 }, (_, n) => ({
      jobNumber: n + 1,
      operation: n < 2 ? 'suppress' : n < 20 ? 'add_to_list' : 'subscribe',
      rows: n === 1 || n === 19 || n === 39 ? 7 : 1_000,
      settleWithinMs: n < 2 ? 16_200_000 : 900_000,
      canary: n === 2,
    }));
    await filledAt('0010-operation-and-settled-by', async (db) => {
      for (const [id, plan] of [
        ['planned', { rows: 40_000, jobs, calls: {} }],
        ['nothing-to-send', { rows: 1, jobs: [], calls: {} }],
        ['unplanned', null],
      ] as const) {
        await sql`insert into consentry.run (id, kind) values (${id}, 'migration')`.execute(db);
        await sql`
          insert into consentry.migration (id, source_name, source_sha256, preset, settings, plan)
          values (${id}, 'people.csv', 'sha', 'generic', ${JSON.stringify(LIST_SETTINGS)},
            ${plan && JSON.stringify(plan)})`.execute(db);
      }
      await sql`
        insert into consentry.job (migration_id, job_number, operation, rows, accepted_at, woken_at)
        values ('planned', 1, 'suppress', 1000, now(), null),
          ('planned', 2, 'suppress', 7, null, now()),
          ('planned', 3, 'add_to_list', 1000, null, null)`.execute(db);
    });
    const ledger = await openLedger(database.url);
    try {
      const plan = await getPlan(ledger.db, 'planned');
      assert.ok(plan !== null);
      assert.deepEqual([...jobsOf(plan.jobs)], jobs);
      assert.ok(plan.jobs.length < 10, `${plan.jobs.length} ranges`);
      assert.equal(plan.rows, 40_000);
      assert.deepEqual((await getPlan(ledger.db, 'nothing-to-send'))?.jobs, []);
      assert.equal(await getPlan(ledger.db, 'unplanned'), null);
      assert.equal(await countJobsPastSubmit(ledger.db, 'planned'), 2);
    } finally {
      await ledger.close();
    }
  });

  async function reported(db: LedgerDb, id: string): Promise<ReportedPart[]> {
    const parts: ReportedPart[] = [];
    for await (const page of reportedParts(db, id)) parts.push(...page);
    return parts;
  }

  const asRead = ({ rowNumber, email, phoneNumber, oneProfile, consentAgeMs, parts }: OpenRow) => ({
    rowNumber,
    email,
    phoneNumber,
    oneProfile,
    isRead: consentAgeMs !== null,
    parts,
  });

  it('says the same of people who are written once as of parts that were updated', async () => {
    let before: Awaited<ReturnType<typeof readsOfParts>> | undefined;
    await filledAt('0012-when-a-submit-ended', async (db) => {
      await fillParts(db);
      before = await readsOfParts(db);
    });
    assert.ok(before !== undefined);
    const ledger = await openLedger(database.url);
    const { db } = ledger;
    try {
      for (const id of [HALF, ENDED] as const) {
        assert.deepEqual(await reported(db, id), before.reported[id]);
        assert.deepEqual(await countTotals(db, id), before.totals[id]);
      }
      for (const [nth, job] of JOBS.entries()) {
        const rows = await openRowsOfJob(db, HALF, job);
        assert.deepEqual(rows.map(asRead), before.openRows[nth], `job ${job}`);
        assert.deepEqual(await countJobOutcomes(db, HALF, job), before.jobOutcomes[nth]);
      }
      const numbers = before.reported[HALF].map(({ rowNumber }) => Number(rowNumber));
      const unsent = await unsentRows(db, HALF, [...new Set(numbers)]);
      assert.deepEqual(unsent.map(asRead), before.unsentRows);
      assert.deepEqual((await pendingRows(db, HALF, 0, 10)).map(asRead), before.pendingRows);
      const isOpen = new Set(
        (await reported(db, HALF)).flatMap(({ rowNumber, channel, outcome }) =>
          outcome === null ? `${rowNumber} ${channel}` : [],
        ),
      );
      const addresses = numbers.map((row) => `p${row}@example.com`);
      const waiting = (await waitingParts(db, HALF, addresses, []))
        .filter(({ rowNumber, channel }) => isOpen.has(`${rowNumber} ${channel}`))
        .map(({ rowNumber, channel, operation, sentAt }) => ({
          rowNumber,
          channel,
          operation,
          sentAt,
        }))
        .sort((a, b) => a.rowNumber - b.rowNumber);
      assert.deepEqual(waiting, before.waiting);
      assert.deepEqual(
        (await openRepairs(db, HALF)).map(({ rowNumber, channel, outcome }) => ({
          rowNumber,
          channel,
          outcome,
        })),
        before.repairs,
      );
      assert.deepEqual(await countTransitions(db, HALF), before.transitions);
      assert.deepEqual(await personHistory(db, { by: 'email', value: KNOWN }), before.history);
    } finally {
      await ledger.close();
    }
  });

  it('knows who was asked by a run of before it was kept', async () => {
    await filledAt('0012-when-a-submit-ended', fillParts);
    const ledger = await openLedger(database.url);
    try {
      const { rows } = await sql<Record<string, unknown>>`
        select account_id, list_id, channel, asked_at, row_number from consentry.asked
        where address = md5('p2@example.com')::uuid`.execute(ledger.db);
      assert.deepEqual(rows, [
        {
          account_id: ACCOUNT,
          list_id: LIST_SETTINGS.listId,
          channel: 'email',
          asked_at: new Date('2026-02-03T00:00:00Z'),
          row_number: 2,
        },
      ]);
      const { rows: all } = await sql`select from consentry.asked`.execute(ledger.db);
      assert.equal(all.length, 1);
    } finally {
      await ledger.close();
    }
  });

  it('lets a run go on that began while parts were updated', async () => {
    await filledAt('0012-when-a-submit-ended', fillParts);
    const ledger = await openLedger(database.url);
    const { db } = ledger;
    /** Sends what is left of a job in one call. @returns its rows */
    const sendRest = async (jobNumber: number, status: 'accepted' | 'refused') => {
      const rows = await unsentRowsOfJob(db, HALF, jobNumber);
      const begun = await beginSubmission(db, {
        migrationId: HALF,
        jobNumber,
        endpoint: 'bulk_subscribe_profiles',
        bringsIn: true,
        optsOutOf: null,
        asks: null,
        now: null,
        parts: rows.flatMap(({ rowNumber, parts }) =>
          parts.map(({ channel }) => ({ rowNumber, channel })),
        ),
      });
      assert.ok(begun.state === 'begun', begun.state);
      await answerSubmission(
        db,
        begun.id,
        status === 'accepted' ? { status, partialFailure: null, requestId: 'new' } : { status },
      );
      return begun.parts.map(({ rowNumber, channel }) => `${rowNumber} ${channel}`);
    };
    const settleJob = async (jobNumber: number) =>
      settleParts(
        db,
        HALF,
        (await openRowsOfJob(db, HALF, jobNumber)).flatMap(({ rowNumber, parts }) =>
          parts.map(({ channel }) => ({
            rowNumber,
            channel,
            outcome: channel === 'list' ? 'list_only' : 'confirmed',
            reason: null,
            settledBy: 'profile_lookup',
          })),
        ),
      );
    try {
      assert.deepEqual(await sendRest(3, 'accepted'), ['4 email', '5 email', '5 sms']);
      assert.deepEqual(await sendRest(4, 'refused'), ['1000 email', '1001 email']);
      assert.equal((await countTotals(db, HALF)).accepted, 11);
      assert.deepEqual(await sendRest(4, 'accepted'), ['1000 email', '1001 email']);
      await answerSubmission(db, '8', {
        status: 'accepted',
        partialFailure: null,
        requestId: 'new',
      });
      assert.equal(await settleJob(3), 5);
      assert.equal(await settleJob(4), 3);
      assert.ok(await hasOpenParts(db, HALF));
      const repaired = {
        rowNumber: 10,
        channel: 'email',
        outcome: 'skipped_opted_out',
        reason: 'unsubscribed_again',
        settledBy: 'profile_lookup',
      } as const;
      assert.equal(await settleRepaired(db, HALF, [repaired]), 1);
      assert.equal(await hasOpenParts(db, HALF), false);
      assert.deepEqual(await settledJobs(db, HALF), [...JOBS]);
      assert.deepEqual(await countTotals(db, HALF), {
        rows: 17,
        outcomes: {
          pending_double_opt_in: 1,
          confirmed: 9,
          already_consented: 2,
          skipped_opted_out: 2,
          rejected: 3,
        },
        accepted: 13,
        jobs: { total: 4, submitted: 4, settled: 4 },
      });
      assert.deepEqual(await countJobOutcomes(db, HALF, 3), {
        pending_double_opt_in: 1,
        confirmed: 5,
        already_consented: 1,
        skipped_opted_out: 2,
        rejected: 1,
      });
    } finally {
      await ledger.close();
    }
  });

  it('of another version is refused, with what to do', async () => {
    const ledger = await openLedger(database.url);
    await sql`
      update consentry.kysely_migration set name = '0000-of-another-version'
      where name like '0001%'`.execute(ledger.db);
    await ledger.close();
    await assert.rejects(
      openLedger(database.url),
      /Another version of Consentry made its schema: use that version, or another database\.$/,
    );
  });
});
