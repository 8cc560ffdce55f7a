import { ApplicationFailure } from '@temporalio/common';
import type { Operation } from '../contracts/channels.js';
import type { MigrationSettings } from '../contracts/migration.js';
import {
  KlaviyoError,
  KlaviyoRefusedError,
  KlaviyoUnavailableError,
  splitRefusal,
  type CallOptions,
} from '../klaviyo/index.js';
import {
  answerSubmission,
  askForMembership,
  beginSubmission,
  getJob,
  getMigration,
  settleParts,
  submissionsOfJob,
  unsentRowsOfJob,
  type Settlement,
  type SubmissionAnswer,
} from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';
import {
  importRequest,
  nextCall,
  sentParts,
  settleRefused,
  subscribeRequest,
  unsubscribeRequest,
  type Entry,
} from './entries.js';
import { notYet, stopping } from './failures.js';
import { whileHeartbeating } from './heartbeats.js';
import { guardStale } from './read-consent.js';

export interface SubmitInput {
  readonly migrationId: string;
  readonly jobNumber: number;
  /** After a lost answer was read back: send again what did not land. */
  readonly resend: boolean;
  /** Consent that was read longer ago is read again before a call, in milliseconds. */
  readonly consentMaxAgeMs: number;
}

/** `ambiguous`: an answer got lost; read back before `resend`. */
export interface SubmitResult {
  readonly state: 'accepted' | 'ambiguous' | 'nothing_to_send';
}

const ENDPOINTS = {
  suppress: 'bulk_suppress_profiles',
  subscribe: 'bulk_subscribe_profiles',
  unsubscribe: 'bulk_unsubscribe_profiles',
  add_to_list: 'bulk_import_profiles',
} as const satisfies Record<Operation, string>;

const PAUSE_CHECK_MS = 2_000;

export function createSubmitJob(deps: ActivityDependencies) {
  const { ledger } = deps;
  return {
    /**
     * Submits the open rows of a job, call by call, then the memberships of people who turned out to
     * be subscribed. What a 400 points at is settled and the rest sent again until Klaviyo takes it.
     * Each call is in the ledger before it is made, so no retry sends twice what Klaviyo may have.
     */
    async submitJob({
      migrationId,
      jobNumber,
      resend,
      consentMaxAgeMs,
    }: SubmitInput): Promise<SubmitResult> {
      return whileHeartbeating(async (signal) => {
        const { db } = ledger;
        const job = { migrationId, jobNumber };
        const { operation } = await getJob(db, migrationId, jobNumber);
        const submissions = await submissionsOfJob(db, migrationId, jobNumber);
        const lost = submissions.filter(
          ({ status }) => status === 'sending' || status === 'ambiguous',
        );
        if (lost.length > 0 && operation === 'subscribe' && !resend) return { state: 'ambiguous' };
        for (const { id } of lost) await answerSubmission(db, id, { status: 'not_sent' });

        let sent = submissions.some(({ status }) => status === 'accepted');
        for (;;) {
          const { paused, settings } = await getMigration(db, migrationId);
          let rows = await unsentRowsOfJob(db, migrationId, jobNumber);
          if (rows.length > 0 && paused) {
            throw notYet('MigrationPaused', 'Paused: nothing is submitted.', PAUSE_CHECK_MS);
          }
          // A pause or a wait for the limiter can have been long.
          if (await guardStale(deps, job, rows, consentMaxAgeMs, signal)) {
            rows = await unsentRowsOfJob(db, migrationId, jobNumber);
          }
          const next = nextCall(operation, rows);
          if (next === null) return { state: sent ? 'accepted' : 'nothing_to_send' };
          signal.throwIfAborted();
          const answer = await send(
            deps,
            { ...job, operation: next.operation },
            next.entries,
            settings,
            signal,
          );
          if (answer === 'ambiguous') return { state: 'ambiguous' };
          if (answer === 'accepted' && partsOf(next.entries) === partsOf(rows)) {
            return { state: 'accepted' };
          }
          sent = true;
        }
      });
    },
  };
}

/** Makes one call and notes its answer. Throws what a later attempt may mend, or nobody can. */
async function send(
  deps: ActivityDependencies,
  job: { migrationId: string; jobNumber: number; operation: Operation },
  entries: readonly Entry[],
  settings: MigrationSettings,
  signal: AbortSignal,
): Promise<'accepted' | 'refused' | 'ambiguous'> {
  const { db } = deps.ledger;
  const { migrationId, jobNumber, operation } = job;
  const endpoint = ENDPOINTS[operation];
  const submission = await beginSubmission(
    db,
    migrationId,
    jobNumber,
    endpoint,
    sentParts(entries),
  );
  let answer: SubmissionAnswer;
  try {
    answer = await call(deps, operation, entries, settings, { signal });
  } catch (error) {
    // Subscribing again may mail somebody again; the other operations only repeat themselves.
    const lost =
      error instanceof KlaviyoUnavailableError && error.ambiguous && operation === 'subscribe';
    if (lost) {
      await answerSubmission(db, submission, { status: 'ambiguous' });
      return 'ambiguous';
    }
    if (error instanceof KlaviyoRefusedError) {
      const { rows, requestWide } = splitRefusal(error.apiErrors, entries.length);
      await answerSubmission(db, submission, { status: 'refused' });
      const settlements = settleRefused(entries, rows);
      const members = settings.listId === null ? [] : subscribedBefore(settlements);
      // Together: who is settled is not sent again, so no second refusal would ask for the list.
      await db.transaction().execute(async (tx) => {
        await settleParts(tx, migrationId, settlements);
        await askForMembership(tx, migrationId, members, jobNumber);
      });
      if (requestWide === null) return 'refused';
      throw stopping(
        'KlaviyoRequestRefused',
        `Klaviyo refused ${endpoint} as a whole (${error.status}, ${requestWide.code}` +
          `${requestWide.pointer === null ? '' : ` at ${requestWide.pointer}`}): ${requestWide.safeDetail}`,
      );
    }
    // What the client throws besides is surely unsent. Anything else leaves it as `sending`.
    if (error instanceof KlaviyoError || error instanceof ApplicationFailure || signal.aborted) {
      await answerSubmission(db, submission, { status: 'not_sent' });
    }
    throw error;
  }
  await answerSubmission(db, submission, answer);
  return 'accepted';
}

/** Rows of people whom Klaviyo knows as subscribed, by its refusal: all they lack is the list. */
function subscribedBefore(settlements: readonly Settlement[]): number[] {
  return settlements
    .filter(
      ({ channel, reason }) => channel === 'email' && reason === 'backdated_after_subscription',
    )
    .map(({ rowNumber }) => rowNumber);
}

function partsOf(rows: readonly { readonly parts: readonly unknown[] }[]): number {
  return rows.reduce((sum, { parts }) => sum + parts.length, 0);
}

async function call(
  { klaviyo }: ActivityDependencies,
  operation: Operation,
  entries: readonly Entry[],
  settings: MigrationSettings,
  options: CallOptions,
): Promise<SubmissionAnswer> {
  switch (operation) {
    case 'subscribe': {
      const { partialFailure, requestId } = await klaviyo.subscribeProfiles(
        subscribeRequest(entries, settings),
        options,
      );
      return { status: 'accepted', partialFailure, requestId };
    }
    case 'unsubscribe': {
      const { requestId } = await klaviyo.unsubscribeProfiles(unsubscribeRequest(entries), options);
      return { status: 'accepted', partialFailure: null, requestId };
    }
    case 'suppress': {
      const emails = entries.flatMap(({ email }) => email ?? []);
      const { jobId } = await klaviyo.suppressProfiles(emails, options);
      return { status: 'accepted', partialFailure: null, requestId: jobId };
    }
    case 'add_to_list': {
      if (settings.listId === null) {
        throw stopping(
          'SettingsInvalid',
          'Rows ask for a list, and the run has none: give --list.',
        );
      }
      const { jobId } = await klaviyo.importProfiles(
        importRequest(entries, settings.listId),
        options,
      );
      return { status: 'accepted', partialFailure: null, requestId: jobId };
    }
  }
}
