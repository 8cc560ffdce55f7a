import type { SandboxAccount } from '../../account/account.js';
import { statusOf, type ImportJob } from '../../account/profiles/importing.js';
import { isoDate, isoDateOrNull } from '../../time/dates.js';
import { relationTo } from '../links.js';
import { listWriter } from '../lists/list-resource.js';
import type { Query } from '../query/query.js';

export const TYPE = 'profile-bulk-import-job';

/** Turns jobs into resources as the query requests them. */
export function jobWriter(query: Query, origin: string): (job: ImportJob) => object {
  return (job) => {
    const self = `${origin}/api/profile-bulk-import-jobs/${job.id}/`;
    return {
      type: TYPE,
      id: job.id,
      attributes: query.pick(TYPE, {
        status: statusOf(job),
        created_at: isoDate(job.createdAt),
        total_count: job.total,
        completed_count: job.completed,
        failed_count: job.errors.length,
        completed_at: isoDateOrNull(job.completedAt),
        expires_at: isoDate(job.expiresAt),
        started_at: isoDateOrNull(job.startedAt),
      }),
      // Recorded: the lists are always here, the profiles never.
      relationships: {
        lists: { data: listIdentifiers(job), ...relationTo(self, 'lists') },
        profiles: relationTo(self, 'profiles'),
        'import-errors': { links: { related: `${self}import-errors/` } },
      },
      links: { self },
    };
  };
}

export const listIdentifiers = ({ listIds }: ImportJob): object[] =>
  listIds.map((id) => ({ type: 'list', id }));

/** `included` of a job; absent if `lists` was not requested. */
export function includedLists(
  account: SandboxAccount,
  { listIds }: ImportJob,
  query: Query,
  origin: string,
): { included?: object[] } {
  if (!query.includes('lists')) return {};
  const lists = listIds.flatMap((id) => account.lists.get(id) ?? []);
  return { included: lists.map(listWriter(query, origin)) };
}
