/**
 * Runs the ledger queries of a migration, without Klaviyo and Temporal: stores rows by COPY, stores
 * the consent before the run, plans, submits and settles job after job. Prints how long each step
 * took.
 *
 *   node --import tsx bench/ledger.ts [--rows 1000000]
 */
import { parseArgs } from 'node:util';
import type { Intent } from '../src/contracts/intents.js';
import type { MigrationSettings } from '../src/contracts/migration.js';
import {
  answerSubmission,
  assignJobs,
  beginSubmission,
  countAskedRows,
  countOpenParts,
  countSettledParts,
  countTotals,
  openLedger,
  openRowsOfJob,
  settledJobs,
  settleDuplicates,
  settleParts,
  storeConsentBefore,
  storeIntents,
  unreadRows,
  unsentRowsOfJob,
  waitingKinds,
  waitingParts,
  type Ledger,
} from '../src/ledger/index.js';
import { loadConfig } from '../src/runtime/config.js';
import { Lifecycle } from '../src/runtime/lifecycle.js';
import { userFolders } from '../src/runtime/paths.js';
import { startDatabase } from '../src/runtime/local/postgres/postgres.js';
import { LIST_SETTINGS } from '../test/support/settings.js';
import { timed, timesOf } from './stopwatch.js';

const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } });
const ROWS = Number(values.rows);
const ID = 'bench';
const BATCH = 1_000;

const SETTINGS: MigrationSettings = {
  ...LIST_SETTINGS,
  channels: ['email'],
  customSource: 'bench',
};

/** Milliseconds of every call by step, in the order of the first calls. */
const took = new Map<string, number[]>();

const lifecycle = new Lifecycle();
lifecycle.stopOnSignals();
try {
  const folders = userFolders(loadConfig());
  const database = await startDatabase({ databaseUrl: null, folders, keep: false });
  lifecycle.onStop('PostgreSQL', () => database.stop());
  const ledger = await openLedger(database.url);
  lifecycle.onStop('connections', () => ledger.close());
  const began = performance.now();
  await migrate(ledger);
  report(performance.now() - began);
} finally {
  await lifecycle.stop();
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const [ms, result] = await timed(work);
  took.set(name, [...(took.get(name) ?? []), ms]);
  return result;
}

async function migrate(ledger: Ledger): Promise<void> {
  const { db } = ledger;
  await step('store rows (COPY)', () =>
    storeIntents(
      ledger,
      {
        id: ID,
        accountId: 'Bench1',
        sourceName: 'people.csv',
        sourceSha256: 'sha',
        preset: 'generic',
        settings: SETTINGS,
        requestHash: ID,
        share: 1,
        retryOf: null,
      },
      people(),
    ),
  );
  await step('count asked rows', () => countAskedRows(db, ID));
  await step('settle duplicates', () => settleDuplicates(db, ID));
  for (let after = 0; ;) {
    const rows = await step('guard: next 1,000 rows', () => unreadRows(db, ID, after, BATCH));
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.rowNumber;
    await step('guard: store consent of 1,000 rows', () =>
      storeConsentBefore(
        db,
        ID,
        rows.map(({ rowNumber }) => ({
          rowNumber,
          oneProfile: true,
          parts: [{ channel: 'email', consent: null, at: null }],
        })),
        0,
      ),
    );
  }
  const jobs = await step('split into jobs', () => assignJobs(db, ID));
  await step('count the plan', async () => {
    await countOpenParts(db, ID);
    await countSettledParts(db, ID);
  });
  for (const { jobNumber } of jobs) {
    const rows = await step('job: rows to send', () => unsentRowsOfJob(db, ID, jobNumber));
    const parts = rows.map(({ rowNumber }) => ({ rowNumber, channel: 'email' as const }));
    await step('job: record submission and answer', async () => {
      const begun = await beginSubmission(db, {
        migrationId: ID,
        jobNumber,
        takesOut: false,
        endpoint: 'bulk_subscribe_profiles',
        now: null,
        parts,
      });
      if (begun.state !== 'begun') throw new Error(`job ${jobNumber} is ${begun.state}`);
      await answerSubmission(db, begun.id, {
        status: 'accepted',
        partialFailure: null,
        requestId: null,
      });
    });
  }
  await step('reader: waiting kinds', () => waitingKinds(db, ID));
  // Klaviyo shows people in a different order.
  for (let page = 0; page * BATCH < ROWS; page += 1) {
    const emails = Array.from({ length: Math.min(BATCH, ROWS - page * BATCH) }, (_, n) =>
      address(((page * BATCH + n) * 7_919) % ROWS),
    );
    const waiting = await step('reader: find the rows for 1,000 emails', () =>
      waitingParts(db, ID, emails, []),
    );
    if (waiting.length !== emails.length) throw new Error(`${waiting.length} rows wait`);
    await step('reader: settle 1,000 rows', () =>
      settleParts(
        db,
        ID,
        waiting.map(({ rowNumber, channel }) => ({
          rowNumber,
          channel,
          outcome: 'confirmed',
          reason: null,
          settledBy: 'events',
          read: { consent: 'SUBSCRIBED', at: '2024-01-01T00:00:00Z' },
        })),
      ),
    );
    if (page % 10 === 0) await step('reader: find settled jobs', () => settledJobs(db, ID));
    if (page % 50 === 0) await step('reader: totals', () => countTotals(db, ID));
  }
  await step('job: rows left open', () => openRowsOfJob(db, ID, 1));
  const { outcomes } = await step('report: totals', () => countTotals(db, ID));
  if (outcomes.confirmed !== ROWS) throw new Error(JSON.stringify(outcomes));
}

async function* people(): AsyncGenerator<Intent[]> {
  for (let first = 0; first < ROWS; first += BATCH) {
    yield Array.from({ length: Math.min(BATCH, ROWS - first) }, (_, n) => ({
      line: first + n + 2,
      email: address(first + n),
      phoneNumber: null,
      country: null,
      rawEmail: null,
      rawPhone: null,
      parts: [
        {
          channel: 'email',
          operation: 'subscribe',
          consentedAt: '2021-03-04T05:06:07Z',
          rejected: null,
          note: null,
        },
      ],
    }));
    await Promise.resolve();
  }
}

function address(n: number): string {
  return `p${n}@shop.example`;
}

function report(totalMs: number): void {
  console.log(`${ROWS} rows in ${(totalMs / 1_000).toFixed(1)} s`);
  console.table(
    Object.fromEntries(
      [...took].map(([name, times]) => {
        const { p50, p95, max } = timesOf(times);
        const round = (ms: number) => Number(ms.toFixed(1));
        const total = times.reduce((sum, ms) => sum + ms, 0) / 1_000;
        return [
          name,
          {
            calls: times.length,
            'p50 (ms)': round(p50),
            'p95 (ms)': round(p95),
            'max (ms)': round(max),
            'total (s)': Number(total.toFixed(1)),
          },
        ];
      }),
    ),
  );
}
