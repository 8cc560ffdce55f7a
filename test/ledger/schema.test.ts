import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Kysely, Migrator, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { jobsOf, type JobRef } from '../../src/contracts/jobs.js';
import {
  countCalls,
  countJobsPastSubmit,
  getMigration,
  getPlan,
  openLedger,
  termsOf,
} from '../../src/ledger/index.js';
import { FORMER_KEYS, SCHEMA_MIGRATIONS } from '../../src/ledger/schema/migrations.js';
import { createTestDatabase, type TestDatabase } from '../support/stack.js';
import { LIST_SETTINGS } from '../support/settings.js';

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
