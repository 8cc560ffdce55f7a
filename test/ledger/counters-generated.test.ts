import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { sql } from 'kysely';
import { CHANNELS, type Channel, type Operation } from '../../src/contracts/channels.js';
import type { Intent } from '../../src/contracts/intents.js';
import type { OutcomeCounts } from '../../src/contracts/migration.js';
import { OUTCOMES, type Outcome } from '../../src/contracts/outcomes.js';
import {
  answerSubmission,
  askForMembership,
  assignJobs,
  beginSubmission,
  closeRepairs,
  countJobOutcomes,
  countTotals,
  findRepairs,
  hasOpenParts,
  jobsWithOpenParts,
  mayHaveUnsentParts,
  noteOptOuts,
  openRepairs,
  openRowsOfJob,
  pendingRows,
  rowsIfFresh,
  settledJobs,
  settleParts,
  settlePending,
  settleRepaired,
  settleUnsent,
  settleUnsentParts,
  storeConsentBefore,
  unsentRowsOfJob,
  waitingKinds,
  waitingParts,
  type Ledger,
  type SentPart,
  type Settlement,
  type SubmissionAnswer,
} from '../../src/ledger/index.js';
import { intent, part } from '../support/intents.js';
import { openTestLedger, store } from '../support/ledger.js';

const ROWS = 7;
const ROWS_PER_JOB = 3;
const addressOf = (row: number) => `p${row}@example.com`;
const phoneOf = (row: number) => `+1201555010${row}`;

interface Asked {
  readonly email: Operation | null;
  readonly sms: Operation | null;
  readonly list: boolean;
  readonly refused: Channel | null;
}

const asked = fc
  .record<Asked>({
    email: fc.constantFrom<Operation | null>(
      'subscribe',
      'subscribe',
      'subscribe',
      'unsubscribe',
      'suppress',
      null,
    ),
    sms: fc.constantFrom<Operation | null>('subscribe', 'unsubscribe', null, null),
    list: fc.constantFrom(false, false, false, true),
    refused: fc.constantFrom<Channel | null>(null, null, null, 'email', 'sms'),
  })
  .filter(({ email, sms, list }) => email !== null || sms !== null || list);

function intentOf({ email, sms, list, refused }: Asked, nth: number): Intent {
  const partOf = (channel: Channel, operation: Operation | null) =>
    operation === null
      ? []
      : part({ channel, operation, rejected: refused === channel ? 'row_malformed' : null });
  return intent({
    line: nth + 2,
    email: addressOf(nth + 1),
    phoneNumber: phoneOf(nth + 1),
    parts: [
      partOf('email', email),
      partOf('sms', sms),
      partOf('list', list ? 'add_to_list' : null),
    ].flat(),
  });
}

/** What happens to a run. `rows` and `nth` are taken modulo what there is. */
const step = fc.record({
  does: fc.constantFrom(
    'read',
    'guard',
    'guard',
    'begin',
    'begin',
    'begin',
    'answer',
    'answer',
    'answer',
    'feed',
    'feed',
    'look up',
    'click',
    'click',
    'opt out',
    'repair',
    'join',
    'end job',
    'end run',
  ),
  rows: fc.uniqueArray(fc.integer({ min: 1, max: ROWS }), { minLength: 1, maxLength: ROWS }),
  channels: fc.subarray([...CHANNELS.filter((each) => ['email', 'sms', 'list'].includes(each))], {
    minLength: 1,
  }),
  nth: fc.nat({ max: 20 }),
  outcome: fc.constantFrom<Outcome>(
    'pending_double_opt_in',
    'pending_double_opt_in',
    'confirmed',
    'unconfirmed',
    'rejected',
  ),
  answer: fc.constantFrom<SubmissionAnswer['status']>(
    'accepted',
    'accepted',
    'refused',
    'not_sent',
    'ambiguous',
    'lost',
  ),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Steps at the same time, one after the other. */
const steps = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), {
  minLength: 6,
  maxLength: 14,
});

function groupBy<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

/** The same end for all of these channels of all of these rows. */
const endsOf = (
  rows: readonly number[],
  channels: readonly Channel[],
  end: Pick<Settlement, 'outcome' | 'settledBy'>,
): Settlement[] =>
  rows.flatMap((rowNumber) =>
    channels.map((channel) => ({ rowNumber, channel, ...end, reason: null })),
  );

/** Rows without an open part, by their outcome. */
function outcomesOf(parts: readonly { row: number; outcome: Outcome | null }[]): OutcomeCounts {
  const counts: OutcomeCounts = {};
  for (const ofRow of groupBy(parts, ({ row }) => row).values()) {
    const first = OUTCOMES.find((outcome) => ofRow.some((each) => each.outcome === outcome));
    if (first === undefined || ofRow.some(({ outcome }) => outcome === null)) continue;
    counts[first] = (counts[first] ?? 0) + 1;
  }
  return counts;
}

describe('the counters of a run', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger({ connections: 8 });
  });
  after(() => ledger.close());

  let runs = 0;
  /** How often something was said of a job without reading its rows. */
  const told = { nothingLeft: 0, fresh: 0 };

  /** A run to which things happen, and the calls that it made as its workers remember them. */
  class Run {
    readonly id = `counted-${(runs += 1)}`;
    readonly account = `account-${this.id}`;
    /** In order; those that were refused or not sent are gone. */
    readonly calls = new Map<
      string,
      { readonly parts: readonly SentPart[]; answer: SubmissionAnswer['status'] | null }
    >();
    #jobs = 0;

    async plan(canaryRows: number | null): Promise<void> {
      this.#jobs = (await assignJobs(ledger.db, this.id, canaryRows, ROWS_PER_JOB)).length;
    }

    async goOn(step: Step): Promise<void> {
      const { db } = ledger;
      const { id } = this;
      const { does, rows, channels, nth, outcome } = step;
      const jobNumber = this.#jobs === 0 ? null : (nth % this.#jobs) + 1;
      switch (does) {
        case 'read':
          return storeConsentBefore(
            db,
            id,
            rows.map((rowNumber) => ({
              rowNumber,
              oneProfile: nth % 2 === 0,
              parts: channels.map((channel) => ({ channel, consent: 'NEVER', at: null })),
            })),
            nth,
          );
        case 'guard': {
          const ofJob = await this.#rowsOfJob(jobNumber);
          // Often everybody of a job, since only rows without an open part join the list.
          const whole = nth % 2 === 0;
          const guarded = whole ? [...ofJob] : rows;
          const judged = whole ? CHANNELS : channels;
          return db.transaction().execute(async (tx) => {
            await storeConsentBefore(
              tx,
              id,
              guarded.map((rowNumber) => ({ rowNumber, oneProfile: true, parts: [] })),
              0,
            );
            await settleUnsentParts(
              tx,
              id,
              endsOf(guarded, judged, { outcome: 'already_consented', settledBy: 'guard' }),
            );
            const members = guarded.filter((row) => ofJob.has(row));
            await askForMembership(tx, id, members, jobNumber);
          });
        }
        case 'begin':
          return jobNumber === null ? undefined : this.#begin(jobNumber, step);
        case 'answer':
          return this.#answer(step);
        case 'feed': {
          const waiting = await waitingParts(db, id, rows.map(addressOf), []);
          await settleParts(
            db,
            id,
            waiting.map(({ rowNumber, channel, known }) => ({
              rowNumber,
              channel,
              known,
              outcome,
              reason: null,
              settledBy: 'events',
            })),
          );
          return;
        }
        case 'look up': {
          if (jobNumber === null) return;
          const sent = (await openRowsOfJob(db, id, jobNumber)).flatMap(({ rowNumber, parts }) =>
            parts.flatMap(({ channel, submissionId }) =>
              submissionId === null || !channels.includes(channel) ? [] : { rowNumber, channel },
            ),
          );
          await settleParts(
            db,
            id,
            sent.map((each) => ({ ...each, outcome, reason: null, settledBy: 'profile_lookup' })),
          );
          return;
        }
        case 'click': {
          const pending = await pendingRows(db, id, 0, ROWS);
          await settlePending(
            db,
            id,
            pending.flatMap(({ rowNumber, parts }) =>
              parts.map(({ channel }) => ({
                rowNumber,
                channel,
                outcome,
                reason: null,
                settledBy: 'events',
              })),
            ),
          );
          return;
        }
        case 'opt out': {
          const at = new Date().toISOString();
          await noteOptOuts(
            db,
            this.account,
            rows.map((row) => ({
              channel: nth % 2 === 0 ? 'email' : 'sms',
              identifier: nth % 2 === 0 ? addressOf(row) : phoneOf(row),
              listId: null,
              at,
              source: 'event',
            })),
          );
          return findRepairs(db, id);
        }
        case 'repair': {
          const repairs = await openRepairs(db, id);
          await settleRepaired(
            db,
            id,
            repairs.map(({ rowNumber, channel }) => ({
              rowNumber,
              channel,
              outcome: nth % 2 === 0 ? 'skipped_opted_out' : 'unconfirmed',
              reason: nth % 2 === 0 ? 'unsubscribed_again' : 'opt_out_not_read_back',
              settledBy: 'profile_lookup',
            })),
          );
          return closeRepairs(db, id, nth % 3 === 0 ? repairs : []);
        }
        case 'join':
          return db.transaction().execute(async (tx) => {
            const ofJob = await this.#rowsOfJob(jobNumber);
            await askForMembership(
              tx,
              id,
              rows.filter((row) => ofJob.has(row)),
              jobNumber,
            );
          });
        case 'end job':
          if (jobNumber !== null) {
            await settleUnsent(db, id, jobNumber, 'cancelled_before_sending');
          }
          return;
        case 'end run':
          if (nth % 4 === 0) await settleUnsent(db, id, null, 'migration_stopped');
      }
    }

    /** Memberships are added by the job that has the row; before there are jobs, of any row. */
    async #rowsOfJob(jobNumber: number | null): Promise<ReadonlySet<number>> {
      if (jobNumber === null) return new Set(Array.from({ length: ROWS }, (_, n) => n + 1));
      const { rows } = await sql<{ row: number }>`
        select generate_series(lower(r), upper(r) - 1) as row
        from consentry.job, unnest(row_numbers) r
        where migration_id = ${this.id} and job_number = ${jobNumber}`.execute(ledger.db);
      return new Set(rows.map(({ row }) => row));
    }

    async #begin(jobNumber: number, { nth }: Step): Promise<void> {
      const rows = await unsentRowsOfJob(ledger.db, this.id, jobNumber);
      const operation = rows[0]?.parts[0]?.operation;
      if (operation === undefined) return;
      const takesOut = operation === 'unsubscribe' || operation === 'suppress';
      const begun = await beginSubmission(ledger.db, {
        migrationId: this.id,
        jobNumber,
        endpoint: takesOut ? 'bulk_unsubscribe_profiles' : 'bulk_subscribe_profiles',
        bringsIn: !takesOut,
        optsOutOf: takesOut ? 'everything' : null,
        asks: null,
        now: null,
        parts: rows
          .slice(0, 1 + (nth % ROWS_PER_JOB))
          .flatMap(({ rowNumber, parts }) =>
            parts
              .filter((each) => each.operation === operation)
              .map(({ channel }) => ({ rowNumber, channel })),
          ),
      });
      if (begun.state === 'begun') this.calls.set(begun.id, { parts: begun.parts, answer: null });
    }

    async #answer({ nth, answer }: Step): Promise<void> {
      const open = [...this.calls].filter(
        ([, call]) => call.answer === null || call.answer === 'ambiguous',
      );
      const [id, call] = open[nth % Math.max(1, open.length)] ?? [];
      if (id === undefined || call === undefined) return;
      // What was ambiguous has been read back.
      const status = call.answer === 'ambiguous' ? 'lost' : answer;
      call.answer = status;
      await answerSubmission(
        ledger.db,
        id,
        status === 'accepted' ? { status, partialFailure: null, requestId: null } : { status },
      );
      if (status === 'refused' || status === 'not_sent') this.calls.delete(id);
    }

    /** Everything that is counted, counted again row by row. */
    async check(): Promise<void> {
      const { db } = ledger;
      const counted = await recount(this.id);
      const { parts, jobs, carried } = counted;
      const open = parts.filter(({ outcome }) => outcome === null);

      const isOpenJob = (job: number) => open.some((each) => each.job === job);
      assert.deepEqual(await countTotals(db, this.id), {
        rows: ROWS,
        outcomes: outcomesOf(parts),
        accepted: new Set(carried.map(({ row }) => row)).size,
        jobs: {
          total: jobs.length,
          submitted: jobs.filter(({ accepted }) => accepted).length,
          settled: jobs.filter(({ job }) => !isOpenJob(job)).length,
        },
      });
      const openJobs = jobs.flatMap(({ job }) => (isOpenJob(job) ? job : []));
      assert.deepEqual(await jobsWithOpenParts(db, this.id), openJobs);
      assert.equal(await hasOpenParts(db, this.id), openJobs.length > 0);
      assert.deepEqual(
        await settledJobs(db, this.id),
        jobs.flatMap(({ job }) => (isOpenJob(job) ? [] : job)),
      );
      for (const { job, sent } of jobs) {
        assert.equal(await hasOpenParts(db, this.id, job), isOpenJob(job));
        assert.deepEqual(
          sent,
          [...new Set(carried.flatMap((each) => (each.job === job ? each.row : [])))].sort(),
          `sent by job ${job}`,
        );
        const ended = outcomesOf(parts.filter((each) => each.job === job));
        assert.deepEqual(await countJobOutcomes(db, this.id, job), ended);
        await this.#checkUnsent(job);
      }
      assert.deepEqual(counted.jobChannels, channelsOf(parts));

      // All that waits is read, and of a job that sent nothing, nothing is.
      const isCarried = ({ row, channel }: CountedPart) =>
        carried.some((each) => each.row === row && each.channel === channel);
      const kindOf = ({ channel, operation }: { channel: Channel; operation: Operation }) =>
        `${channel} ${operation}`;
      const kinds = new Set((await waitingKinds(db, this.id)).map(kindOf));
      for (const each of open.filter(isCarried)) assert.ok(kinds.has(kindOf(each)), kindOf(each));
      const mayWait = new Set(
        open
          .filter(({ job }) => carried.some((each) => each.job === job))
          .map((each) => kindOf(each)),
      );
      for (const kind of kinds) assert.ok(mayWait.has(kind), kind);

      this.#checkCalls(counted);
    }

    /** What is said of a job without reading its rows is what its rows say. */
    async #checkUnsent(job: number): Promise<void> {
      const { db } = ledger;
      const rows = await unsentRowsOfJob(db, this.id, job);
      if (!(await mayHaveUnsentParts(db, this.id, job))) {
        assert.deepEqual(rows, [], `job ${job} has something left to send`);
        told.nothingLeft += 1;
      }
      // The readings of generated runs are a few milliseconds old, by \`nth\`.
      const ages = { consentMaxAgeMs: 60_000, textConsentMaxAgeMs: 60_000 };
      const fresh = await rowsIfFresh(db, this.id, job, ages);
      if (fresh === null) return;
      told.fresh += 1;
      assert.equal(rows.length, fresh, `unsent rows of job ${job}`);
      for (const { rowNumber, consentAgeMs, parts } of rows) {
        assert.ok(consentAgeMs !== null && consentAgeMs <= 60_000, `row ${rowNumber} was read`);
        for (const { submissionId } of parts) assert.equal(submissionId, null);
      }
      const old = { ...ages, textConsentMaxAgeMs: -1, consentMaxAgeMs: -1 };
      assert.equal(await rowsIfFresh(db, this.id, job, old), null);
    }

    /**
     * What Klaviyo has or may have is what the workers remember. Nobody is in two calls, unless the
     * answers to all but the last were lost. Whoever ended as never sent is in none.
     */
    #checkCalls({ parts, carried }: Recount): void {
      const remembered = [...this.calls].flatMap(([call, { parts: sent }]) =>
        sent.map(({ rowNumber, channel }) => `${call} ${rowNumber} ${channel}`),
      );
      assert.deepEqual(
        carried.map(({ call, row, channel }) => `${call} ${row} ${channel}`).sort(),
        remembered.sort(),
      );
      for (const { row, channel, settledBy } of parts) {
        const calls = [...this.calls].filter(([, { parts: sent }]) =>
          sent.some((each) => each.rowNumber === row && each.channel === channel),
        );
        calls.sort(([a], [b]) => Number(BigInt(a) - BigInt(b)));
        assert.ok(
          calls.slice(0, -1).every(([, { answer }]) => answer === 'lost'),
          `row ${row} ${channel} is in ${calls.length} calls`,
        );
        if (settledBy === 'cancellation' || settledBy === 'opt_outs' || settledBy === 'guard') {
          assert.equal(calls.length, 0, `row ${row} ${channel} ended unsent and is in a call`);
        }
      }
    }
  }

  interface CountedPart {
    readonly row: number;
    readonly channel: Channel;
    readonly operation: Operation;
    readonly job: number | null;
    readonly outcome: Outcome | null;
    readonly settledBy: string | null;
  }

  interface Recount {
    readonly parts: readonly CountedPart[];
    readonly jobs: readonly {
      readonly job: number;
      readonly operation: Operation;
      readonly accepted: boolean;
      readonly rows: readonly number[];
      readonly sent: readonly number[];
    }[];
    readonly carried: readonly {
      readonly call: string;
      readonly job: number;
      readonly row: number;
      readonly channel: Channel;
    }[];
    readonly jobChannels: readonly string[];
  }

  function channelsOf(parts: readonly CountedPart[]): string[] {
    const groups = groupBy(
      parts.filter(({ job }) => job !== null),
      ({ job, channel, operation }) => `${job} ${channel} ${operation}`,
    );
    return [...groups]
      .map(
        ([key, of]) => `${key} ${of.filter(({ outcome }) => outcome !== null).length}/${of.length}`,
      )
      .sort();
  }

  /** From the tables of people, outcomes and calls alone. */
  async function recount(id: string): Promise<Recount> {
    const { rows: people } = await sql<
      Record<string, unknown> & { row_number: number; member: boolean; member_job: number | null }
    >`
      select i.*, a.row_number is not null as member, a.job_number as member_job
      from consentry.intent i join consentry.migration m on m.number = i.migration_number
      left join consentry.membership a using (migration_number, row_number)
      where m.id = ${id} order by i.row_number`.execute(ledger.db);
    const { rows: ends } = await sql<{
      row_number: number;
      channel: Channel;
      outcome: Outcome;
      settled_by: string;
      in_job: boolean;
    }>`
      select s.* from consentry.settlement s join consentry.migration m on m.number = s.migration_number
      where m.id = ${id}`.execute(ledger.db);
    const numbers = (column: string) => sql`array(
      select generate_series(lower(r), upper(r) - 1) from unnest(${sql.ref(column)}) r order by 1)`;
    const { rows: jobs } = await sql<Recount['jobs'][number]>`
      select job_number as job, operation, accepted_at is not null as accepted,
        ${numbers('row_numbers')} as rows, ${numbers('sent')} as sent
      from consentry.job where migration_id = ${id} order by job_number`.execute(ledger.db);
    const { rows: carried } = await sql<Recount['carried'][number]>`
      select s.id as call, s.job_number as job, c.channel,
        generate_series(lower(r), upper(r) - 1) as row
      from consentry.carried c join consentry.submission s on s.id = c.submission_id,
        unnest(c.rows) r
      where s.migration_id = ${id}`.execute(ledger.db);
    const { rows: channels } = await sql<{ counted: string }>`
      select concat_ws(' ', c.job_number, c.channel, c.operation, c.settled || '/' || c.parts) as counted
      from consentry.job_channel c join consentry.migration m on m.number = c.migration_number
      where m.id = ${id}`.execute(ledger.db);
    const parts = people.flatMap((person) =>
      CHANNELS.flatMap((channel): CountedPart[] => {
        const own = person[`${channel}_operation`] as Operation | null;
        const isAdded = channel === 'list' && own === null && person.member;
        const operation = isAdded ? 'add_to_list' : own;
        if (operation === null) return [];
        const row = person.row_number;
        const end = ends.find((each) => each.row_number === row && each.channel === channel);
        const made = jobs.find((job) => job.operation === operation && job.rows.includes(row));
        const ofJob = (isAdded ? person.member_job : null) ?? made?.job ?? null;
        return [
          {
            row,
            channel,
            operation,
            job: end?.in_job === false ? null : ofJob,
            outcome: end?.outcome ?? null,
            settledBy: end?.settled_by ?? null,
          },
        ];
      }),
    );
    return { parts, jobs, carried, jobChannels: channels.map(({ counted }) => counted).sort() };
  }

  test('say what a recount says, whatever happens to its rows at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(asked, { minLength: ROWS, maxLength: ROWS }),
        fc.constantFrom(null, null, 2),
        steps,
        fc.integer({ min: 0, max: 2 }),
        async (rows, canaryRows, batches, planAfter) => {
          const run = new Run();
          await store(ledger, run.id, rows.map(intentOf), {}, run.account);
          for (const [nth, batch] of batches.entries()) {
            if (nth === planAfter) {
              await run.plan(canaryRows);
              await run.check();
            }
            await Promise.all(batch.map((each) => run.goOn(each)));
            await run.check();
          }
        },
      ),
      { numRuns: 40 },
    );
    assert.ok(told.nothingLeft > 100 && told.fresh > 10, JSON.stringify(told));
  });
});
