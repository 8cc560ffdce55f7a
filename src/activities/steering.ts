import { isStopping } from '../contracts/failures.js';
import type { Phase, Totals } from '../contracts/migration.js';
import type { Reason } from '../contracts/outcomes.js';
import { KlaviyoError } from '../klaviyo/index.js';
import {
  countCanaryParts,
  countTotals,
  jobsWithOpenParts,
  setPaused,
  setPhase,
  setShare,
  settleUnreadable,
  settleUnsent,
  submissionsOfJob,
} from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { stopping } from './failures.js';
import { whileHeartbeating } from './heartbeats.js';
import { wakeSettledJobs } from './read-proofs.js';
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

    /** What the ledger says of a run that is under way. */
    async notePhase({ migrationId, phase }: { migrationId: string; phase: Phase }): Promise<void> {
      await setPhase(db, migrationId, phase);
    },

    /** The run's part of the account's limits; calls that are made from now on keep to it. */
    async setShare({ migrationId, share }: { migrationId: string; share: number }): Promise<void> {
      await setShare(db, migrationId, share);
    },

    /**
     * Ends the waiting of jobs whose rows can never be read back, since Klaviyo refuses the key:
     * what was sent is `unconfirmed`, and the jobs are told.
     */
    async giveUpReading({ migrationId }: { migrationId: string }): Promise<void> {
      await whileHeartbeating(async () => {
        await settleUnreadable(db, migrationId);
        await wakeSettledJobs(deps, migrationId);
      });
    },

    /**
     * The rest of a run is sent only where its first rows ended as it was planned: taken by
     * Klaviyo and, unless they wait for a click, read back. Whoever opted out meanwhile proves
     * nothing against the run.
     *
     * @throws CanaryFailed
     */
    async judgeCanary({ migrationId }: { migrationId: string }): Promise<void> {
      const unplanned = (await countCanaryParts(db, migrationId)).filter(
        ({ outcome }) => outcome === 'rejected' || outcome === 'unconfirmed',
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
          `${migrationId}', mend the cause, and start again; what was confirmed is not sent twice.`,
      );
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
      unsent,
    }: {
      migrationId: string;
      phase: 'done' | 'planned' | 'cancelled' | 'failed';
      failure: string | null;
      /** Why rows that were not sent were not. */
      unsent: Reason;
    }): Promise<Totals> {
      return whileHeartbeating(async (signal) => {
        await settleUnsent(db, migrationId, null, unsent);
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
