import { isStopping } from '../contracts/failures.js';
import type { Totals } from '../contracts/migration.js';
import { KlaviyoError } from '../klaviyo/index.js';
import {
  countTotals,
  jobsWithOpenParts,
  setPaused,
  setPhase,
  settleUnreadable,
  settleUnsent,
  submissionsOfJob,
} from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { whileHeartbeating } from './heartbeats.js';
import { lookUpJob } from './settle-job.js';

export function createSteering(deps: ActivityDependencies) {
  const { db } = deps.ledger;
  return {
    /** Submits look at this before every call. */
    async setPaused({
      migrationId,
      paused,
    }: {
      migrationId: string;
      paused: boolean;
    }): Promise<void> {
      await setPaused(db, migrationId, paused);
    },

    /**
     * Settles the rows of a job that were not sent as cancelled.
     *
     * @returns whether Klaviyo has or may have something of the job, which must then be settled
     */
    async cancelJob({
      migrationId,
      jobNumber,
    }: {
      migrationId: string;
      jobNumber: number;
    }): Promise<{ sent: boolean }> {
      await settleUnsent(db, migrationId, jobNumber, 'cancelled_before_sending');
      const submissions = await submissionsOfJob(db, migrationId, jobNumber);
      return {
        sent: submissions.some(({ status }) =>
          ['accepted', 'sending', 'ambiguous'].includes(status),
        ),
      };
    },

    /**
     * The end of a run, whatever its kind: gives every row an outcome that has none, and keeps how
     * it ended. After a clean run nothing is left to settle.
     */
    async finishMigration({
      migrationId,
      phase,
      failure,
    }: {
      migrationId: string;
      phase: 'done' | 'cancelled' | 'failed';
      failure: string | null;
    }): Promise<Totals> {
      return whileHeartbeating(async (signal) => {
        const reason = phase === 'failed' ? 'migration_stopped' : 'cancelled_before_sending';
        await settleUnsent(db, migrationId, null, reason);
        try {
          for (const jobNumber of await jobsWithOpenParts(db, migrationId)) {
            await lookUpJob(deps, { migrationId, jobNumber, final: true }, signal);
          }
        } catch (error) {
          // A key that was revoked half-way reads nothing back any more; the run ends all the same.
          if (!(error instanceof KlaviyoError) || !isStopping(error.failure)) throw error;
          await settleUnreadable(db, migrationId);
        }
        await setPhase(db, migrationId, phase, failure);
        return countTotals(db, migrationId);
      });
    },
  };
}
