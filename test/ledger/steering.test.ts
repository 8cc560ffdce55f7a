import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import {
  answerSubmission,
  askForMembership,
  assignJobs,
  beginSubmission,
  getMigration,
  noteStop,
  reportedParts,
  setPaused,
  settleStopped,
  settleUnsentParts,
  steerNow,
  storeConsentBefore,
  type Begun,
  type Ledger,
} from '../../src/ledger/index.js';
import { intent } from '../support/intents.js';
import { store, openTestLedger } from '../support/ledger.js';

const ROWS = 12;

describe('what people say to a run', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger({ connections: 12 });
  });
  after(() => ledger.close());

  let runs = 0;
  async function run(rows = ROWS): Promise<string> {
    const id = `steered-${(runs += 1)}`;
    const people = Array.from({ length: rows }, (_, n) => intent({ email: `p${n}@example.com` }));
    await store(ledger, id, people);
    await assignJobs(ledger.db, id);
    return id;
  }

  const isPaused = async (id: string) => (await getMigration(ledger.db, id)).paused;

  /** A call for these rows, whoever else asks for them. */
  const begin = (migrationId: string, rows: readonly number[], jobNumber = 1): Promise<Begun> =>
    beginSubmission(ledger.db, {
      migrationId,
      jobNumber,
      bringsIn: true,
      optsOutOf: null,
      asks: null,
      endpoint: 'bulk_subscribe_profiles',
      now: null,
      parts: rows.map((rowNumber) => ({ rowNumber, channel: 'email' })),
    });

  const calls = async (id: string): Promise<number> => {
    const { rows } = await ledger.pool.query<{ calls: number }>(
      'select count(*)::integer as calls from consentry.submission where migration_id = $1',
      [id],
    );
    return rows[0]?.calls ?? 0;
  };

  /** How each row stands: its call, its reason, or nothing. */
  async function rowsOf(id: string): Promise<Map<number, string>> {
    const rows = new Map<number, string>();
    for await (const page of reportedParts(ledger.db, id)) {
      for (const { rowNumber, reason } of page) rows.set(rowNumber, reason ?? 'open');
    }
    const { rows: sent } = await ledger.pool.query<{ row_number: number; submission_id: string }>(
      `select row_number, submission_id from consentry.part
        where migration_id = $1 and submission_id is not null`,
      [id],
    );
    for (const { row_number, submission_id } of sent) {
      assert.equal(rows.get(row_number), 'open', 'what was sent is not settled by a stop');
      rows.set(row_number, submission_id);
    }
    return rows;
  }

  const STOPS = [
    [
      'a stop',
      async (id: string) => void (await noteStop(ledger.db, id, 'cancelled_before_sending')),
    ],
    ['a pause', async (id: string) => void (await steerNow(ledger.db, id, true))],
  ] as const;

  const pause = fc.integer({ min: 0, max: 3 });
  const call = fc.record({
    after: pause,
    rows: fc.uniqueArray(fc.integer({ min: 1, max: ROWS }), { minLength: 1, maxLength: 6 }),
  });

  for (const [says, stop] of STOPS) {
    test(`after ${says} no call begins, whatever is beginning with it`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 8 }), pause, async (all, at) => {
          const id = await run();
          const [begun, callsThen] = await Promise.all([
            Promise.all(all.map(({ after, rows }) => later(after, () => begin(id, rows)))),
            later(at, async () => {
              await stop(id);
              return calls(id);
            }),
          ]);
          assert.equal(await calls(id), callsThen);
          const carried = begun.flatMap((of) => (of.state === 'begun' ? of.parts : []));
          const carriedRows = carried.map(({ rowNumber }) => rowNumber);
          assert.equal(new Set(carriedRows).size, carriedRows.length, 'no row goes twice');
          await settleStopped(ledger.db, id);
          const isOver = (await getMigration(ledger.db, id)).stopped;
          for (const [rowNumber, end] of await rowsOf(id)) {
            const call = begun.find(
              (of) => of.state === 'begun' && of.parts.some((part) => part.rowNumber === rowNumber),
            );
            const unsent = isOver ? 'cancelled_before_sending' : 'open';
            assert.equal(end, call?.state === 'begun' ? call.id : unsent);
          }
        }),
        { numRuns: 25 },
      );
    });
  }

  /** The guard read that these people are subscribed already: they are to be on the list instead. */
  const guard = (id: string, rows: readonly number[]): Promise<void> =>
    ledger.db.transaction().execute(async (tx) => {
      const held = { consent: 'SUBSCRIBED', at: null };
      const read = rows.map((rowNumber) => ({
        rowNumber,
        oneProfile: true,
        parts: [{ channel: 'email' as const, ...held }],
      }));
      await storeConsentBefore(tx, id, read, 0);
      await settleUnsentParts(
        tx,
        id,
        rows.map((rowNumber) => ({
          rowNumber,
          channel: 'email',
          outcome: 'already_consented',
          reason: null,
          settledBy: 'guard',
        })),
      );
      await askForMembership(tx, id, rows, 1);
    });

  test('a stop leaves nothing open, whoever is read meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { minLength: 1, maxLength: 4 }),
        fc.array(call, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 12 }),
        async (reads, sends, at) => {
          const id = await run();
          await Promise.all([
            ...reads.map(({ after, rows }) =>
              later(after, () =>
                guard(
                  id,
                  rows.toSorted((a, b) => a - b),
                ),
              ),
            ),
            ...sends.map(({ after, rows }) => later(after, () => begin(id, rows))),
            later(at, async () => {
              await noteStop(ledger.db, id, 'cancelled_before_sending');
              await settleStopped(ledger.db, id);
            }),
          ]);
          const { rows } = await ledger.pool.query(
            `select from consentry.part
              where migration_id = $1 and outcome is null and submission_id is null`,
            [id],
          );
          assert.equal(rows.length, 0);
        },
      ),
      { numRuns: 40 },
    );
  });

  for (const [says, stop] of STOPS) {
    test(`${says} gets its turn though calls of many jobs keep beginning`, async () => {
      const rows = 400;
      const id = await run(rows);
      let next = 0;
      let begun = 0;
      const job = async (jobNumber: number): Promise<void> => {
        while (next < rows) {
          next += 1;
          const { state } = await begin(id, [next], jobNumber);
          if (state !== 'begun') return;
          begun += 1;
        }
      };
      const jobs = Array.from({ length: 10 }, (_, n) => job(n + 2));
      while (begun < 20) await new Promise((go) => setImmediate(go));
      await stop(id);
      await Promise.all(jobs);
      assert.ok(begun < rows / 2, `${begun} of ${rows} calls were begun`);
    });
  }

  test('of two reasons to stop the first counts, and says that it was news', async () => {
    const id = await run();
    assert.equal(await noteStop(ledger.db, id, 'cancelled_before_sending'), true);
    assert.equal(await noteStop(ledger.db, id, 'migration_stopped'), false);
    assert.equal((await getMigration(ledger.db, id)).stopReason, 'cancelled_before_sending');
  });

  test('a run that was not told to stop is not settled', async () => {
    const id = await run();
    assert.equal(await settleStopped(ledger.db, id), 0);
    assert.deepEqual([...new Set((await rowsOf(id)).values())], ['open']);
  });

  test('what surely never left is settled with the rest', async () => {
    const id = await run();
    const begun = await begin(id, [1, 2, 3]);
    assert.ok(begun.state === 'begun');
    await noteStop(ledger.db, id, 'migration_stopped');
    await settleStopped(ledger.db, id);
    await answerSubmission(ledger.db, begun.id, { status: 'not_sent' });
    assert.equal(await settleStopped(ledger.db, id), 3);
    assert.deepEqual([...new Set((await rowsOf(id)).values())], ['migration_stopped']);
  });

  test('the last word counts, in whatever order the workflow repeats them', async () => {
    const word = fc.record({ paused: fc.boolean(), repeated: fc.nat() });
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 6 }), async (words) => {
        const id = await run();
        const numbered: { paused: boolean; repeated: number; steering: string | null }[] = [];
        for (const said of words) {
          numbered.push({ ...said, steering: await steerNow(ledger.db, id, said.paused) });
        }
        for (const { paused, steering } of numbered.sort((x, y) => x.repeated - y.repeated)) {
          await setPaused(ledger.db, id, paused, steering);
        }
        assert.equal(await isPaused(id), words.at(-1)?.paused);
      }),
      { numRuns: 25 },
    );
  });

  test('a word of nobody in particular is the newest', async () => {
    const id = await run();
    const old = await steerNow(ledger.db, id, true);
    await setPaused(ledger.db, id, false);
    await setPaused(ledger.db, id, true, old);
    assert.equal(await isPaused(id), false);
  });
});

/** Lets a few turns of the event loop pass first. */
async function later<T>(turns: number, work: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((go) => setImmediate(go));
  return work();
}
