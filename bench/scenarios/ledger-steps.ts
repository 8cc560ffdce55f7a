import type { Intent } from '../../src/contracts/intents.js';
import type { MigrationSettings } from '../../src/contracts/migration.js';
import {
  answerSubmission,
  assignJobs,
  beginSubmission,
  countAskedRows,
  countOpenParts,
  countSettledParts,
  countTotals,
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
} from '../../src/ledger/index.js';
import { LIST_SETTINGS } from '../../test/support/settings.js';

const ID = 'bench';
const BATCH = 1_000;

const SETTINGS: MigrationSettings = {
  ...LIST_SETTINGS,
  channels: ['email'],
  customSource: 'bench',
};

/** Runs one step and takes its time; steps of the same name add up. */
export type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/**
 * What a migration asks of the ledger, without Klaviyo and Temporal: stores rows by COPY, stores the
 * consent before the run, plans, submits and settles job after job.
 *
 * @throws Error if not every row ends confirmed
 */
export async function migrate(ledger: Ledger, rows: number, step: Step): Promise<void> {
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
        program: null,
      },
      people(rows),
    ),
  );
  await step('count asked rows', () => countAskedRows(db, ID));
  await step('settle duplicates', () => settleDuplicates(db, ID));
  for (let after = 0; ;) {
    const unread = await step('guard: next 1,000 rows', () => unreadRows(db, ID, after, BATCH));
    const last = unread.at(-1);
    if (last === undefined) break;
    after = last.rowNumber;
    await step('guard: store consent of 1,000 rows', () =>
      storeConsentBefore(
        db,
        ID,
        unread.map(({ rowNumber }) => ({
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
    const unsent = await step('job: rows to send', () => unsentRowsOfJob(db, ID, jobNumber));
    const parts = unsent.map(({ rowNumber }) => ({ rowNumber, channel: 'email' as const }));
    await step('job: record submission and answer', async () => {
      const begun = await beginSubmission(db, {
        migrationId: ID,
        jobNumber,
        bringsIn: true,
        optsOutOf: null,
        asks: null,
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
  for (let page = 0; page * BATCH < rows; page += 1) {
    const emails = Array.from({ length: Math.min(BATCH, rows - page * BATCH) }, (_, n) =>
      address(((page * BATCH + n) * 7_919) % rows),
    );
    const waiting = await step('reader: find the rows for 1,000 emails', () =>
      waitingParts(db, ID, emails, []),
    );
    if (waiting.length !== emails.length) throw new Error(`${waiting.length} rows wait`);
    await step('reader: settle 1,000 rows', () =>
      settleParts(
        db,
        ID,
        waiting.map(({ rowNumber, channel, known }) => ({
          rowNumber,
          channel,
          known,
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
  if (outcomes.confirmed !== rows) throw new Error(JSON.stringify(outcomes));
}

async function* people(rows: number): AsyncGenerator<Intent[]> {
  for (let first = 0; first < rows; first += BATCH) {
    yield Array.from({ length: Math.min(BATCH, rows - first) }, (_, n) => ({
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
