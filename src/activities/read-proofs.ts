import { setTimeout as delay } from 'node:timers/promises';
import { getClient, log } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Totals } from '../contracts/migration.js';
import { MESSAGES, workflowIds } from '../contracts/names.js';
import type { ProfileConsent } from '../klaviyo/index.js';
import {
  countJobOutcomes,
  countTotals,
  getListFeed,
  getMigration,
  hasOpenParts,
  jobsToLookUp,
  markLookedUp,
  markWoken,
  setListFeed,
  settledJobs,
  settleParts,
  waitingParts,
  type Migration,
  type Settlement,
} from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { EventProofs } from './event-proofs.js';
import { heldFor } from './guard.js';
import { whileHeartbeating } from './heartbeats.js';
import { ProfileIndex } from './profile-index.js';
import { sourcesOf, type Sources } from './proof-sources.js';
import { provePart, readBack } from './proof.js';
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

/** Memberships that become visible out of order are read again within this time. */
const FEED_OVERLAP_MS = 2_000;

/** The feed starts this long before the migration: Klaviyo's clock is not ours. */
const CLOCK_DIFFERENCE_MS = 10 * 60_000;

export function createReadProofs(deps: ActivityDependencies) {
  const events = new EventProofs(deps);
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
          const sources = sourcesOf(migration.settings, fromEvents);
          if (sources.listMembers) await readListFeed(deps, migration, signal);
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

/** The cheapest proof of a subscribe into a list: who joined it, 100 a page. */
async function readListFeed(
  { ledger, klaviyo }: ActivityDependencies,
  { id, settings, createdAt }: Migration,
  signal: AbortSignal,
): Promise<void> {
  if (settings.listId === null) return;
  const start = new Date(createdAt.getTime() - CLOCK_DIFFERENCE_MS).toISOString();
  const feed = (await getListFeed(ledger.db, id)) ?? { joinedSince: start, newest: start };
  let newest = feed.newest;
  let cursor: string | null = null;
  do {
    const page: { profiles: readonly ProfileConsent[]; next: string | null } =
      await klaviyo.listMembers(
        { listId: settings.listId, joinedSince: feed.joinedSince, cursor },
        { signal },
      );
    await settleMembers(ledger, id, page.profiles);
    newest = page.profiles.at(-1)?.joinedAt ?? newest;
    cursor = page.next;
  } while (cursor !== null);
  // A read that brings nothing new ends the overlap: from then on a look costs one call.
  const joinedSince = newest === feed.newest ? newest : beforeOverlap(newest, feed.joinedSince);
  if (joinedSince !== feed.joinedSince) await setListFeed(ledger.db, id, { joinedSince, newest });
}

function beforeOverlap(newest: string, atLeast: string): string {
  const overlapped = new Date(Date.parse(newest) - FEED_OVERLAP_MS);
  return overlapped.getTime() > Date.parse(atLeast) ? overlapped.toISOString() : atLeast;
}

async function settleMembers(
  { db }: ActivityDependencies['ledger'],
  migrationId: string,
  profiles: readonly ProfileConsent[],
): Promise<void> {
  if (profiles.length === 0) return;
  const members = new ProfileIndex();
  for (const profile of profiles) members.add(profile);
  const waiting = await waitingParts(
    db,
    migrationId,
    profiles.flatMap((profile) => profile.email?.toLowerCase() ?? []),
    profiles.flatMap((profile) => profile.phoneNumber ?? []),
  );
  const settlements = waiting.flatMap((part): Settlement[] => {
    const { rowNumber, channel } = part;
    const held = {
      byEmail: members.byEmail(part.email),
      byPhone: members.byPhone(part.phoneNumber),
    };
    const profile = channel === 'list' ? (held.byEmail ?? held.byPhone) : heldFor(channel, held);
    if (profile === null) return [];
    const verdict = provePart(part, profile, true);
    if (verdict === null) return [];
    const read = readBack(channel, profile);
    return [{ rowNumber, channel, ...verdict, ...read, evidence: 'list_members' }];
  });
  await settleParts(db, migrationId, settlements);
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
