import type { Plan, Preflight } from '../contracts/migration.js';
import { BATCH_LIMITS } from '../contracts/limits.js';
import {
  assignJobs,
  countOpenParts,
  countRows,
  countSettledParts,
  getMigration,
  setPhase,
  setPlan,
  settleSmsWithoutSender,
} from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { whileHeartbeating } from './heartbeats.js';

export function createPlan({ ledger }: ActivityDependencies) {
  return {
    /** Splits what is left after the guard into jobs, and says what the run will do. */
    async planMigration({ migrationId }: { migrationId: string }): Promise<Plan> {
      return whileHeartbeating(async () => {
        const { db } = ledger;
        const { preflight, settings } = await getMigration(db, migrationId);
        if (preflight !== null && preflight.sms.source !== 'not_needed') {
          await settleSmsWithoutSender(db, migrationId, null, preflight.sms.countries);
        }
        const jobs = await assignJobs(db, migrationId);
        const rows = await countRows(db, migrationId);
        const toSend = await countOpenParts(db, migrationId);
        const plan: Plan = {
          rows,
          jobs,
          settledBefore: await countSettledParts(db, migrationId),
          toSend,
          calls: callsOf(jobs, toSend, preflight),
          doubleOptInMessages: settings.historicalImport ? 0 : messagesOf(toSend, preflight),
        };
        await setPlan(db, migrationId, plan);
        await setPhase(db, migrationId, 'submit');
        return plan;
      });
    },
  };
}

/** Calls of the submits and of one read-back of everything that is sent, at the least. */
function callsOf(
  jobs: Plan['jobs'],
  toSend: Plan['toSend'],
  preflight: Preflight | null,
): Plan['calls'] {
  const submits = (operation: string, batch: number) =>
    jobs
      .filter((job) => job.operation === operation)
      .reduce((sum, job) => sum + Math.ceil(job.rows / batch), 0);
  const parts = toSend.reduce((sum, { parts }) => sum + parts, 0);
  return {
    bulk_unsubscribe_profiles: submits('unsubscribe', BATCH_LIMITS.unsubscribe),
    bulk_import_profiles: submits('add_to_list', BATCH_LIMITS.import),
    bulk_subscribe_profiles: submits('subscribe', BATCH_LIMITS.subscribe),
    [preflight?.list === null ? 'get_profiles' : 'get_profiles_for_list']: Math.ceil(
      parts / BATCH_LIMITS.lookUp,
    ),
  };
}

function messagesOf(toSend: Plan['toSend'], preflight: Preflight | null): number {
  if (preflight?.optInProcess !== 'double_opt_in') return 0;
  return toSend
    .filter(({ operation }) => operation === 'subscribe')
    .reduce((sum, { parts }) => sum + parts, 0);
}
