import { activityInfo, log } from '@temporalio/activity';
import { OPERATIONS } from '../../consent/operations/index.js';
import { isListChannel } from '../../contracts/channels.js';
import type { MigrationTiming, Phase, Totals } from '../../contracts/migration.js';
import type { Reason } from '../../contracts/outcomes.js';
import {
  countCanaryParts,
  countTotals,
  getMigration,
  jobsWithOpenParts,
  msUntilDeadline,
  noteStop,
  noteSubmitEnded,
  openRepairs,
  openRowsOfJob,
  setPaused,
  setPhase,
  setShare,
  settleParts,
  settleRepaired,
  settleStopped,
  settleUnsent,
  submissionsOfJob,
  waitingJobs,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { stopping, stoppingFailure } from '../temporal/failures.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { lookUpJob } from './settle-job.js';
import { tellStopped } from './tell-migration.js';
import { wakeJobs, wakeSettledJobs } from './wake-jobs.js';

export function createSteering(deps: ActivityDependencies) {
  const { db } = deps.ledger;
  return {
    /**
     * Every call checks this before it is made. Jobs that wait for the end of a pause are notified.
     *
     * @param steering number of the instruction; null for the newest
     * @returns whether the run is paused now: a newer instruction may have overtaken this one
     */
    async setPaused({
      migrationId,
      paused,
      steering,
    }: {
      migrationId: string;
      paused: boolean;
      steering: string | null;
    }): Promise<boolean> {
      return whileHeartbeating(async () => {
        await setPaused(db, migrationId, paused, steering);
        const now = await getMigration(db, migrationId);
        if (!now.paused) await wakeJobs(migrationId, await waitingJobs(db, migrationId), 'resumed');
        return now.paused;
      });
    },

    /** Records the phase of a running migration in the ledger. */
    async notePhase({ migrationId, phase }: { migrationId: string; phase: Phase }): Promise<void> {
      await setPhase(db, migrationId, phase);
    },

    /** Sets the run's part of the account's limits for all calls from now on. */
    async setShare({ migrationId, share }: { migrationId: string; share: number }): Promise<void> {
      await setShare(db, migrationId, share);
    },

    /**
     * The rest of a run is sent only if its first rows ended as planned: accepted by Klaviyo and,
     * unless they wait for a click, read back. People who opted out meanwhile do not count against
     * the run.
     *
     * @throws CanaryFailed
     */
    async judgeCanary({ migrationId }: { migrationId: string }): Promise<void> {
      const unplanned = (await countCanaryParts(db, migrationId)).filter(
        ({ outcome, reason }) =>
          // Why somebody did not arrive on the new list is told by that part.
          (outcome === 'rejected' && reason !== 'not_moved') || outcome === 'unconfirmed',
      );
      if (unplanned.length === 0) return;
      const ended = unplanned
        .map(
          ({ channel, outcome, reason, parts }) =>
            `${parts} ${channel} ${outcome} (${reason ?? 'no reason'})`,
        )
        .join(', ');
      throw stopping(
        'CanaryFailed',
        `The canary did not end as planned: ${ended}. Nothing else was sent. See 'consentry report ` +
          `${migrationId}', fix the cause, and start again: what was confirmed is not sent twice.`,
      );
    },

    /**
     * Stops the run. The stop is stored first, and every call checks it. Then the migration is told,
     * so that it starts nothing more, everything unsent is settled, and jobs that have nothing left
     * are notified.
     */
    async stopSubmitting({
      migrationId,
      reason,
    }: {
      migrationId: string;
      /** Why the unsent rows were not sent. */
      reason: Reason;
    }): Promise<void> {
      await whileHeartbeating(async () => {
        const isFirst = await noteStop(db, migrationId, reason);
        // Once, though a thousand jobs may fail together. An earlier attempt may have ended before.
        if (isFirst || activityInfo().attempt > 1) await tellStopped(migrationId);
        await settleStopped(db, migrationId);
        await wakeSettledJobs(deps, migrationId);
        await wakeJobs(migrationId, await waitingJobs(db, migrationId), 'resumed');
      });
    },

    /**
     * Settles the unsent rows of a job, because the whole run has stopped or somebody cancelled
     * only this job.
     */
    async stopJob({
      migrationId,
      jobNumber,
    }: {
      migrationId: string;
      jobNumber: number;
    }): Promise<{ sent: boolean }> {
      const { stopReason } = await getMigration(db, migrationId);
      await settleUnsent(db, migrationId, jobNumber, stopReason ?? 'cancelled_before_sending');
      await noteSubmitEnded(db, migrationId, jobNumber);
      const submissions = await submissionsOfJob(db, migrationId, jobNumber);
      return {
        sent: submissions.some(({ status }) =>
          ['accepted', 'sending', 'ambiguous', 'lost'].includes(status),
        ),
      };
    },

    /**
     * Gives every open row an outcome, once its deadline is over. After a clean run no row is open,
     * but rows stay open if somebody terminated a job or a look-up failed permanently. Rows that
     * cannot be looked up at all end `unconfirmed`: no row is left without an outcome.
     *
     * @returns milliseconds until their next deadline, 0 if every row has its outcome; and why rows
     *   were not looked up
     */
    async settleLeft({
      migrationId,
      unsent,
      timing,
    }: {
      migrationId: string;
      /** Why the unsent rows were not sent. */
      unsent: Reason;
      timing: MigrationTiming;
    }): Promise<{ waitMs: number; unread: string | null }> {
      return whileHeartbeating(async (signal) => {
        await noteStop(db, migrationId, unsent);
        await settleUnsent(db, migrationId, null, unsent);
        let waitMs = 0;
        let unread: string | null = null;
        for (const jobNumber of await jobsWithOpenParts(db, migrationId)) {
          const left = await msUntilDeadline(
            db,
            migrationId,
            jobNumber,
            (operation) => timing[OPERATIONS[operation].settlesWithin],
          );
          if (left > 0) waitMs = waitMs === 0 ? left : Math.min(waitMs, left);
          else {
            try {
              await lookUpJob(deps, { migrationId, jobNumber, final: true, timing }, signal);
            } catch (error) {
              const failure = stoppingFailure(error);
              if (failure === null) throw error;
              unread = failure.message;
              await settleUnread(deps, migrationId, jobNumber);
              log.warn('Rows end without being looked up', { migrationId, jobNumber, unread });
            }
          }
        }
        return { waitMs, unread };
      });
    },

    /** Records how a migration ended, in any of its final phases. */
    async finishMigration({
      migrationId,
      phase,
      failure,
    }: {
      migrationId: string;
      phase: 'done' | 'planned' | 'cancelled' | 'failed';
      failure: string | null;
    }): Promise<Totals> {
      return whileHeartbeating(async () => {
        await setPhase(db, migrationId, phase, failure);
        return countTotals(db, migrationId);
      });
    },
  };
}

/** Settles the sent rows of a job that cannot be read. */
async function settleUnread(
  { ledger: { db } }: ActivityDependencies,
  migrationId: string,
  jobNumber: number,
): Promise<void> {
  // People who opted out are still watched after the run, and corrected if they are read as out.
  const repairs = await openRepairs(db, migrationId, { jobNumber });
  await settleRepaired(
    db,
    migrationId,
    repairs
      .filter(({ outcome }) => outcome === null)
      .map(({ rowNumber, channel }) => ({
        rowNumber,
        channel,
        outcome: 'unconfirmed',
        reason: 'opt_out_not_read_back',
        settledBy: 'profile_lookup',
      })),
  );
  const rows = await openRowsOfJob(db, migrationId, jobNumber);
  await settleParts(
    db,
    migrationId,
    rows.flatMap(({ rowNumber, parts }) =>
      parts.map(({ channel }) => ({
        rowNumber,
        channel,
        outcome: 'unconfirmed',
        reason: 'not_seen_before_deadline',
        settledBy: isListChannel(channel) ? 'list_members' : 'profile_lookup',
      })),
    ),
  );
}
