import { setTimeout as delay } from 'node:timers/promises';
import { getClient, log } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Totals } from '../contracts/migration.js';
import { MESSAGES, workflowIds } from '../contracts/names.js';
import {
  countJobOutcomes,
  countTotals,
  getMigration,
  hasOpenParts,
  jobsToLookUp,
  markLookedUp,
  markWoken,
  settledJobs,
} from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { EventProofs } from './event-proofs.js';
import { whileHeartbeating } from './heartbeats.js';
import { MemberProofs } from './member-proofs.js';
import { sourcesOf, type Sources } from './proof-sources.js';
import { lookUpJob } from './settle-job.js';

export interface ReadProofsInput {
  readonly migrationId: string;
  /** How long this turn lasts. */
  readonly turnMs: number;
  /** Pause between two reads. */
  readonly everyMs: number;
  /** Rows that no feed has shown for this long are looked up. */
  readonly eventsSilentMs: number;
}

/** Times the silence after which other feeds are doubted. */
const PATIENCE = 5;

export function createReadProofs(deps: ActivityDependencies) {
  const events = new EventProofs(deps);
  const members = new MemberProofs(deps);
  return {
    /**
     * Reads what Klaviyo shows of all jobs of a migration together, settles what it proves, and
     * wakes the jobs whose rows are all settled.
     *
     * @returns the totals at the end of the turn; `complete` when no row is open any more
     */
    async readProofs(input: ReadProofsInput): Promise<{ totals: Totals; complete: boolean }> {
      return whileHeartbeating(async (signal) => {
        const { migrationId } = input;
        const migration = await getMigration(deps.ledger.db, migrationId);
        const end = Date.now() + input.turnMs;
        for (;;) {
          signal.throwIfAborted();
          const fromEvents = await events.read(migration, signal);
          let sources = sourcesOf(migration.settings, fromEvents, true);
          if (sources.listMembers && !(await members.read(migration, signal))) {
            sources = sourcesOf(migration.settings, fromEvents, false);
          }
          await lookUpDueJobs(deps, migrationId, sources.lookUps, input, signal);
          await wakeSettledJobs(deps, migrationId);
          const left = end - Date.now();
          if (left <= 0 || !(await hasOpenParts(deps.ledger.db, migrationId))) break;
          await delay(Math.min(left, input.everyMs), undefined, { signal });
        }
        const totals = await countTotals(deps.ledger.db, migrationId);
        return { totals, complete: !(await hasOpenParts(deps.ledger.db, migrationId)) };
      });
    },
  };
}

async function lookUpDueJobs(
  deps: ActivityDependencies,
  migrationId: string,
  lookUps: Sources['lookUps'],
  timing: Pick<ReadProofsInput, 'everyMs' | 'eventsSilentMs'>,
  signal: AbortSignal,
): Promise<void> {
  const { db } = deps.ledger;
  const due = [
    ...(await jobsToLookUp(db, migrationId, lookUps.soon, timing.everyMs)),
    ...(await jobsToLookUp(db, migrationId, lookUps.late, timing.eventsSilentMs)),
    ...(await jobsToLookUp(db, migrationId, lookUps.patient, timing.eventsSilentMs * PATIENCE)),
  ];
  for (const jobNumber of due) {
    await lookUpJob(deps, { migrationId, jobNumber, final: false }, signal);
    await markLookedUp(db, migrationId, jobNumber);
  }
}

/** Tells the jobs whose rows all have an outcome that they need not wait any more. */
export async function wakeSettledJobs(
  { ledger }: Pick<ActivityDependencies, 'ledger'>,
  migrationId: string,
): Promise<void> {
  const jobs = await settledJobs(ledger.db, migrationId);
  for (const jobNumber of jobs) {
    const outcomes = await countJobOutcomes(ledger.db, migrationId, jobNumber);
    try {
      await getClient()
        .workflow.getHandle(workflowIds.job(migrationId, jobNumber))
        .signal(MESSAGES.settled, outcomes);
    } catch (error) {
      // Its deadline passed meanwhile and it has ended: nobody is left to wake.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      log.debug('A settled job had already ended', { jobNumber });
    }
  }
  await markWoken(ledger.db, migrationId, jobs);
}
