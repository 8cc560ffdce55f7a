import type { SandboxAccount } from '../../account/account.js';
import type { SuppressionChange, SuppressionJob } from '../../account/consent/suppressing.js';
import { isoDate, isoDateOrNull } from '../../time/dates.js';
import type { Query } from '../query/query.js';

const TYPES = {
  suppress: 'profile-suppression-bulk-create-job',
  unsuppress: 'profile-suppression-bulk-delete-job',
} as const satisfies Record<SuppressionChange, string>;

export const SUPPRESSION_STATUSES = ['queued', 'processing', 'complete', 'cancelled'] as const;
type Status = (typeof SUPPRESSION_STATUSES)[number];

/** Resource type of a job, which is also its path. */
export const typeOf = (change: SuppressionChange): string => TYPES[change];

/** What a job reports: with the switch at `lies` it never makes progress. */
export function statusOf({ settings }: SandboxAccount, job: SuppressionJob): Status {
  if (settings.switches.suppressionJobStatus === 'lies' || job.completedAt === null) {
    return 'processing';
  }
  return job.cancelled ? 'cancelled' : 'complete';
}

/**
 * The job as shown in the answer to its creation. Recorded: counters at 0 and already a completion
 * date.
 */
export function acceptedJob(job: SuppressionJob, query: Query, origin: string): object {
  return resourceOf(job, query, origin, {
    status: 'processing',
    created_at: isoDate(job.createdAt),
    total_count: 0,
    completed_count: 0,
    completed_at: isoDate(job.createdAt),
    skipped_count: 0,
  });
}

/** Writes jobs as reads show them. */
export function jobWriter(account: SandboxAccount, query: Query, origin: string) {
  const lies = account.settings.switches.suppressionJobStatus === 'lies';
  return (job: SuppressionJob): object =>
    resourceOf(job, query, origin, {
      status: statusOf(account, job),
      created_at: isoDate(job.createdAt),
      total_count: job.total,
      completed_count: lies ? 0 : job.completed,
      completed_at: lies ? isoDate(job.createdAt) : isoDateOrNull(job.completedAt),
      skipped_count: lies ? job.total : job.skipped,
    });
}

function resourceOf(
  job: SuppressionJob,
  query: Query,
  origin: string,
  attributes: Record<string, unknown>,
): object {
  const type = TYPES[job.change];
  const self = `${origin}/api/${type}s/${job.id}/`;
  const { target } = job;
  const related = (group: 'list' | 'segment') => ({
    ...('group' in target && target.group === group
      ? { data: [{ type: group, id: target.id }] }
      : {}),
    links: { self: `${self}relationships/${group}s/`, related: `${self}${group}s/` },
  });
  return {
    type,
    id: job.id,
    attributes: query.pick(type, attributes),
    relationships: { lists: related('list'), segments: related('segment') },
    links: { self },
  };
}
