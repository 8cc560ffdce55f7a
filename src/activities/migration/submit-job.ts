import { ApplicationFailure } from '@temporalio/common';
import { askingOf } from '../../consent/asking.js';
import { keyOfPart, onlyParts, sentParts, type Entry } from '../../consent/operations/entries.js';
import { OPERATIONS } from '../../consent/operations/index.js';
import { nextCall } from '../../consent/operations/next-call.js';
import { isPhoneChannel, type Channel, type Operation } from '../../contracts/channels.js';
import { quietForMs, quietWords } from '../../contracts/quiet-hours.js';
import type { MigrationSettings, MigrationTiming } from '../../contracts/migration.js';
import {
  KlaviyoError,
  KlaviyoRefusedError,
  KlaviyoUnavailableError,
  splitRefusal,
  unknownIds,
  type CallOptions,
} from '../../klaviyo/index.js';
import {
  answerSubmission,
  askForMembership,
  beginSubmission,
  getJob,
  getMigration,
  hasOpenParts,
  lockForCall,
  mayHaveUnsentParts,
  noteSubmitEnded,
  settleParts,
  submissionsOfJob,
  unsentRowsOfJob,
  type Migration,
  type OpenRow,
  type Settlement,
  type SubmissionAnswer,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { settleRefused } from './refused-rows.js';
import { stopping } from '../temporal/failures.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import type { AccountPeople } from '../mirror/account-people.js';
import type { OptOutWatch } from '../opt-outs/watch.js';
import { guardStale, newAttempt, type Attempt } from './guard-rows.js';
import { namedInCall, onlyMembers } from './list-members.js';
import { onlyStillGiven } from './still-given.js';
import type { Metrics } from '../temporal/metrics.js';

export interface SubmitInput {
  readonly migrationId: string;
  readonly jobNumber: number;
  /**
   * The newest call of the job that was read back, from `settleJob`. Rows of lost answers up to it
   * that were not applied are sent again. Null before anything was read back.
   */
  readonly readBack: string | null;
  readonly timing: MigrationTiming;
}

/**
 * `sent`: Klaviyo has or may have rows of the job, which must be read back. `settled`: every row
 * has its outcome. `ambiguous`: an answer got lost; read back before the next attempt. `paused`,
 * `stopped`: by a person or a failure.
 */
export interface SubmitResult {
  readonly state: 'sent' | 'settled' | 'ambiguous' | 'paused' | 'stopped' | 'quiet';
  /** Of `quiet`: what it waits for, and for how long, in milliseconds. */
  readonly quiet?: { readonly hours: string; readonly forMs: number };
}

/**
 * If reading the opt-outs before a call took longer than this, people are judged again: on some
 * channels only their consent shows an opt-out. There is a maximum, since Klaviyo may be slow every
 * time.
 */
const LONG_READING_MS = 30_000;
const MAX_POSTPONEMENTS = 3;

/** What one call needs to know. */
interface Calling {
  readonly migration: Migration;
  readonly timing: MigrationTiming;
  readonly signal: AbortSignal;
  readonly attempt: Attempt;
}

interface Job {
  readonly migrationId: string;
  readonly jobNumber: number;
  readonly operation: Operation;
}

/** What all activities of a worker share. */
interface Shared {
  readonly optOuts: OptOutWatch;
  readonly people: AccountPeople;
  readonly metrics: Metrics;
}

export function createSubmitJob(deps: ActivityDependencies, { optOuts, people, metrics }: Shared) {
  const { db } = deps.ledger;

  /** Lost answers are read back before anything of the call is sent again. */
  async function settleLost(job: Job, readBack: string | null): Promise<'ambiguous' | null> {
    const { settings } = await getMigration(db, job.migrationId);
    const repeatable = OPERATIONS[job.operation].repeatable(settings);
    const submissions = await submissionsOfJob(db, job.migrationId, job.jobNumber);
    const unanswered = submissions.filter(
      ({ status }) => status === 'sending' || status === 'ambiguous',
    );
    const known = (id: string) =>
      repeatable || (readBack !== null && BigInt(id) <= BigInt(readBack));
    for (const { id } of unanswered) {
      if (known(id)) await answerSubmission(db, id, { status: 'lost' });
    }
    return unanswered.every(({ id }) => known(id)) ? null : 'ambiguous';
  }

  /** Reads the account's latest opt-outs; does nothing if no opt-out forbids the operation. */
  async function readOptOuts(
    { operation }: Pick<Job, 'operation'>,
    { accountId, settings: { listId, moveFrom } }: Migration,
    parts: readonly { readonly channel: Channel }[],
    timing: MigrationTiming,
    signal: AbortSignal,
  ): Promise<void> {
    if (!OPERATIONS[operation].bringsIn) return;
    const channels = [...new Set(parts.map(({ channel }) => channel))];
    await optOuts.read({ accountId, listId, channels }, timing, signal);
    if (moveFrom === null) return;
    await optOuts.read({ accountId, listId: moveFrom, channels }, timing, signal);
  }

  /**
   * Makes one call. After the limiter grants it, the account's opt-outs are read, or who is on the
   * list, or whose consent it is, if the operation depends on it; the ledger checks whether it may be made and records what it
   * carries, and it is sent. Nothing waits in between.
   */
  async function callOnce(
    job: Job,
    entries: readonly Entry[],
    { migration, timing, signal, attempt }: Calling,
  ): Promise<'go_on' | 'ambiguous' | 'paused' | 'stopped' | 'quiet'> {
    const { settings } = migration;
    const { endpoint, bringsIn } = OPERATIONS[job.operation];
    const reservation = await deps.klaviyo.reserve(endpoint, signal);
    try {
      const readFrom = performance.now();
      await readOptOuts(job, migration, sentParts(entries), timing, signal);
      signal.throwIfAborted();
      if (
        performance.now() - readFrom > LONG_READING_MS &&
        attempt.postponements < MAX_POSTPONEMENTS
      ) {
        attempt.postponements += 1;
        return 'go_on';
      }
      const given = await onlyStillGiven(
        deps,
        metrics,
        migration,
        job.operation,
        entries,
        attempt,
        signal,
      );
      const members = await onlyMembers(deps, migration, job.operation, given, attempt, signal);
      const asked = sentParts(members);
      if (asked.length === 0) return 'go_on';
      // Again: waiting for the call may have taken until then.
      if (quietOf(migration, job.operation, asked) !== null) return 'quiet';
      const now = deps.klaviyo.now();
      const call = {
        ...job,
        endpoint,
        bringsIn,
        optsOutOf: whatOptsOut(job, settings),
        asks: askingOf(job.operation, settings, migration.preflight),
        now,
        parts: asked,
      };
      const begun = await beginSubmission(db, call);
      if (begun.state === 'paused' || begun.state === 'stopped') return begun.state;
      const carried = begun.state === 'begun' ? begun.parts : [];
      const keys = new Set(carried.map(keyOfPart));
      for (const key of asked.map(keyOfPart)) if (!keys.has(key)) attempt.leftOut.add(key);
      if (begun.state !== 'begun') return 'go_on';
      const options = { signal, reservation };
      const answer = await send(
        deps,
        job,
        begun.id,
        namedInCall(job.operation, settings, onlyParts(members, carried)),
        {
          settings,
          attempt,
          options,
        },
      );
      return answer === 'ambiguous' ? 'ambiguous' : 'go_on';
    } finally {
      reservation.release();
    }
  }

  return {
    /**
     * Submits the open rows of a job, call by call, then the memberships of people who turned out
     * to be subscribed. The rows that a 400 names are settled, and the rest is sent again until
     * Klaviyo accepts it. Each call is in the ledger before it is made, so no retry sends twice
     * what Klaviyo may have. Before each call the people's consent, the account's opt-outs and the
     * state of the run are checked again.
     */
    async submitJob({
      migrationId,
      jobNumber,
      readBack,
      timing,
    }: SubmitInput): Promise<SubmitResult> {
      return whileHeartbeating(async (signal) => {
        const { operation } = await getJob(db, migrationId, jobNumber);
        const job: Job = { migrationId, jobNumber, operation };
        const lost = await settleLost(job, readBack);
        if (lost !== null) return { state: lost };
        const attempt = newAttempt();
        for (;;) {
          const migration = await getMigration(db, migrationId);
          const unsent = async () =>
            without(await unsentRowsOfJob(db, migrationId, jobNumber), attempt.leftOut);
          const askedAt = performance.now();
          let rows = await unsent();
          if (rows.length === 0) return stateOfSent(job);
          if (migration.stopped) return { state: 'stopped' };
          if (migration.paused) return { state: 'paused' };
          // The first read of the feeds may take minutes. People are judged after it, so that
          // channels without a feed are not sent on an old reading.
          await readOptOuts(job, migration, rows.flatMap(partsOf), timing, signal);
          const age = { ...timing, sinceMs: performance.now() - askedAt };
          if (await guardStale(deps, people, job, rows, age, attempt, signal))
            rows = await unsent();
          const next = nextCall(operation, rows);
          if (next === null) return stateOfSent(job);
          const quiet = quietOf(migration, next.operation, sentParts(next.entries));
          if (quiet !== null) return { state: 'quiet', quiet };
          const outcome = await callOnce({ ...job, operation: next.operation }, next.entries, {
            migration,
            timing,
            signal,
            attempt,
          });
          // They began meanwhile: the next round says how long they are.
          if (outcome !== 'go_on' && outcome !== 'quiet') return { state: outcome };
          // Mostly the call carried all that was left: then the rows need not be read once more.
          if (!(await mayHaveUnsentParts(db, migrationId, jobNumber))) return stateOfSent(job);
        }
      });
    },
  };

  async function stateOfSent({ migrationId, jobNumber }: Job): Promise<SubmitResult> {
    await noteSubmitEnded(db, migrationId, jobNumber);
    return { state: (await hasOpenParts(db, migrationId, jobNumber)) ? 'sent' : 'settled' };
  }
}

/**
 * Quiet hours that a call would break at this time, since Klaviyo asks for a click by text at once; null if it
 * breaks none. In doubt it asks: of WhatsApp Klaviyo does not say whether it does.
 */
function quietOf(
  { settings: { quietHours, historicalImport }, preflight }: Migration,
  operation: Operation,
  parts: readonly { readonly channel: Channel }[],
): NonNullable<SubmitResult['quiet']> | null {
  if (quietHours === undefined || historicalImport) return null;
  if (!OPERATIONS[operation].givesConsent || preflight?.optInProcess === 'single_opt_in')
    return null;
  if (!parts.some(({ channel }) => isPhoneChannel(channel))) return null;
  const forMs = quietForMs(quietHours, new Date());
  return forMs === 0 ? null : { hours: quietWords(quietHours), forMs };
}

const partsOf = ({ parts }: OpenRow) => parts;

/** What a call opts people out of, as the ledger notes it: only what depends on the list is about it. */
function whatOptsOut({ operation }: Job, settings: MigrationSettings) {
  const { optsOut, offList } = OPERATIONS[operation];
  if (!optsOut) return null;
  const { listId } = settings;
  return listId !== null && offList(settings) !== null ? { listId } : ('everything' as const);
}

/** Without the parts that a call left out because their people opted out meanwhile. */
function without(rows: readonly OpenRow[], leftOut: ReadonlySet<string>): OpenRow[] {
  if (leftOut.size === 0) return [...rows];
  return rows.flatMap((row) => {
    const { rowNumber } = row;
    const parts = row.parts.filter(
      ({ channel }) => !leftOut.has(keyOfPart({ rowNumber, channel })),
    );
    return parts.length === 0 ? [] : [{ ...row, parts }];
  });
}

/** Makes one call and records its answer. Throws both temporary and permanent failures. */
async function send(
  deps: ActivityDependencies,
  { migrationId, jobNumber, operation }: Job,
  submission: string,
  entries: readonly Entry[],
  {
    settings,
    attempt,
    options,
  }: {
    readonly settings: MigrationSettings;
    readonly attempt: Attempt;
    readonly options: CallOptions;
  },
): Promise<'accepted' | 'refused' | 'ambiguous'> {
  const { db } = deps.ledger;
  let answer: SubmissionAnswer;
  try {
    answer = await call(deps, operation, entries, settings, options);
  } catch (error) {
    if (error instanceof KlaviyoUnavailableError && error.ambiguous) {
      const repeatable = OPERATIONS[operation].repeatable(settings);
      await answerSubmission(db, submission, { status: repeatable ? 'lost' : 'ambiguous' });
      if (!repeatable) return 'ambiguous';
      throw error;
    }
    if (error instanceof KlaviyoRefusedError) {
      const ids = entries.flatMap(({ memberIds }) => memberIds);
      const vanished = unknownIds(error.apiErrors, ids);
      if (vanished.size > 0) {
        // People are deleted and merged at any time. The next call reads again who is on the list.
        for (const id of vanished) attempt.vanished.add(id);
        await answerSubmission(db, submission, { status: 'refused' });
        return 'refused';
      }
      const { rows, requestWide } = splitRefusal(error.apiErrors, entries.length);
      await answerSubmission(db, submission, { status: 'refused' });
      const settlements = settleRefused(entries, rows);
      const members = settings.listId === null ? [] : subscribedBefore(settlements);
      // In one transaction: a settled row is not sent again, so no second refusal would add it to
      // the list.
      await db.transaction().execute(async (tx) => {
        // First, as calls and stops do: settling locks too.
        await lockForCall(tx, migrationId);
        await settleParts(tx, migrationId, settlements);
        await askForMembership(tx, migrationId, members, jobNumber);
      });
      if (requestWide === null) return 'refused';
      throw stopping(
        'KlaviyoRequestRefused',
        `Klaviyo refused the whole ${OPERATIONS[operation].endpoint} call (${error.status}, ${requestWide.code}` +
          `${requestWide.pointer === null ? '' : ` at ${requestWide.pointer}`}): ${requestWide.safeDetail}`,
      );
    }
    // The client's other errors mean that nothing was sent. Anything else leaves it as `sending`.
    if (
      error instanceof KlaviyoError ||
      error instanceof ApplicationFailure ||
      options.signal?.aborted === true
    ) {
      await answerSubmission(db, submission, { status: 'not_sent' });
    }
    throw error;
  }
  await answerSubmission(db, submission, answer);
  return 'accepted';
}

/** Rows that Klaviyo refused because it has them as subscribed: they only lack the list. */
function subscribedBefore(settlements: readonly Settlement[]): number[] {
  return settlements
    .filter(
      ({ channel, reason }) => channel === 'email' && reason === 'backdated_after_subscription',
    )
    .map(({ rowNumber }) => rowNumber);
}

async function call(
  { klaviyo }: ActivityDependencies,
  operation: Operation,
  entries: readonly Entry[],
  settings: MigrationSettings,
  options: CallOptions,
): Promise<SubmissionAnswer> {
  const { lacks, send } = OPERATIONS[operation];
  const lack = lacks(settings);
  if (lack !== null) throw stopping('SettingsInvalid', lack);
  return { status: 'accepted', ...(await send(klaviyo, entries, settings, options)) };
}
