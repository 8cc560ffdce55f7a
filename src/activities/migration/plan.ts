import { jobsOf, rangesOf, type JobRef } from '../../contracts/jobs.js';
import { CALL_LIMITS } from '../../contracts/limits.js';
import type { MigrationTiming, Plan, Preflight } from '../../contracts/migration.js';
import type { Outcome } from '../../contracts/outcomes.js';
import { ENDPOINT_NAMES, endpointOf } from '../../klaviyo/index.js';
import {
  assignJobs,
  countNotes,
  countOpenParts,
  countRows,
  countSettledParts,
  countSideEffects,
  findSharedDates,
  forgetAsked,
  getMigration,
  isAnybodyAsked,
  setPlan,
  settleAskedAlready,
  settleSmsWithoutSender,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { ALL_OPERATIONS, OPERATIONS } from '../../consent/operations/index.js';
import { askingOf } from '../../consent/asking.js';
import { waitsForClick } from '../../consent/proof.js';

export interface PlanInput {
  readonly migrationId: string;
  readonly timing: MigrationTiming;
}

export function createPlan({ ledger }: ActivityDependencies) {
  return {
    /** Splits what is left after the guard into jobs and describes what the run will do. */
    async planMigration({ migrationId, timing }: PlanInput): Promise<Plan> {
      return whileHeartbeating(async () => {
        const { db } = ledger;
        const { accountId, preflight, settings, share } = await getMigration(db, migrationId);
        if (preflight !== null && preflight.sms.source !== 'not_needed') {
          await settleSmsWithoutSender(db, migrationId, null, preflight.sms.countries);
        }
        const asking = askingOf('subscribe', settings, preflight);
        if (asking !== null) {
          await forgetAsked(db, accountId);
          // After the guard: who has clicked or opted out meanwhile is not pending any more.
          if (await isAnybodyAsked(db, accountId, asking)) {
            await settleAskedAlready(db, migrationId, asking);
          }
        }
        const assigned = await assignJobs(
          db,
          migrationId,
          settings.canaryRows,
          settings.rowsPerJob,
        );
        const jobs = rangesOf(
          assigned.map((job) => ({
            ...job,
            settleWithinMs: timing[OPERATIONS[job.operation].settlesWithin],
          })),
        );
        const rows = await countRows(db, migrationId);
        const toSend = (await countOpenParts(db, migrationId)).map((parts) => ({
          ...parts,
          expected: expectedOutcome(parts, preflight, settings.historicalImport),
        }));
        const calls = callsOf(jobs, toSend, preflight);
        const settledBefore = await countSettledParts(db, migrationId);
        const plan: Plan = {
          rows,
          jobs,
          settledBefore,
          toSend,
          calls,
          doubleOptInMessages: toSend
            .filter(({ expected }) => expected === 'pending_double_opt_in')
            .reduce((sum, { parts }) => sum + parts, 0),
          askedAlready: settledBefore
            .filter(({ reason }) => reason === 'asked_already')
            .reduce((sum, { parts }) => sum + parts, 0),
          ...(await countSideEffects(db, migrationId)),
          notes: await countNotes(db, migrationId),
          isUndo: settings.isUndo,
          // A live run sends no dates.
          sharedDates: settings.historicalImport ? await findSharedDates(db, migrationId) : [],
          atLeastMs: leastTime(calls, share, preflight?.limits ?? []),
        };
        await setPlan(db, migrationId, plan);
        return plan;
      });
    },
  };
}

/** The least number of calls to submit everything and read it back once. */
function callsOf(
  jobs: Plan['jobs'],
  toSend: readonly { readonly parts: number }[],
  preflight: Preflight | null,
): Plan['calls'] {
  const submits = ALL_OPERATIONS.map(({ name, endpoint, callSize }): [string, number] => [
    endpoint,
    callsFor(jobsOf(jobs.filter(({ operation }) => operation === name)), callSize),
  ]);
  const parts = toSend.reduce((sum, { parts }) => sum + parts, 0);
  return {
    ...Object.fromEntries(submits),
    [preflight?.list === null ? 'get_profiles' : 'get_profiles_for_list']: Math.ceil(
      parts / CALL_LIMITS.lookUp,
    ),
  };
}

function callsFor(jobs: Iterable<JobRef>, callSize: number): number {
  let calls = 0;
  for (const { rows } of jobs) calls += Math.ceil(rows / callSize);
  return calls;
}

/** The outcome of a part that Klaviyo accepts, if nobody clicks before the deadline. */
function expectedOutcome(
  part: Pick<Plan['toSend'][number], 'channel' | 'operation'>,
  preflight: Preflight | null,
  historicalImport: boolean,
): Outcome {
  if (part.operation === 'add_to_list') return 'list_only';
  const optInProcess = preflight?.optInProcess ?? null;
  return waitsForClick(part, { optInProcess, historicalImport })
    ? 'pending_double_opt_in'
    : 'confirmed';
}

/** Endpoints are called concurrently, so the busiest one decides: bursts first, then minutes. */
function leastTime(calls: Plan['calls'], share: number, limits: Preflight['limits']): number {
  const times = Object.entries(calls).map(([name, count]) => {
    const documented = ENDPOINT_NAMES.find((known) => known === name);
    if (documented === undefined) return 0;
    const allowed = limits.find(({ endpoint }) => endpoint === name);
    const { burst, steady } = allowed ?? endpointOf(documented);
    const minutes = Math.floor(count / Math.max(1, Math.floor(steady * share)));
    const left = count - minutes * Math.floor(steady * share);
    return minutes * 60_000 + Math.floor(left / Math.max(1, Math.floor(burst * share))) * 1_000;
  });
  return Math.max(0, ...times);
}
