import { SUPPRESSION_JOB } from '../query/field-paths.js';
import type { Filterable } from '../query/filter.js';
import { TIERS, type Operation } from '../operation.js';
import type { SuppressionChange } from '../../account/consent/suppressing.js';
import { subscribe } from './subscribe.js';
import { acceptSuppression, getSuppressionJob, getSuppressionJobs } from './suppress.js';
import { SUPPRESSION_STATUSES, typeOf } from './suppression-resource.js';
import { unsubscribe } from './unsubscribe.js';

const WRITE = ['lists:write', 'profiles:write', 'subscriptions:write'];
const JOB_FILTERS: Filterable = {
  status: { operators: ['equals'], kind: 'text', values: SUPPRESSION_STATUSES },
  list_id: { operators: ['equals'], kind: 'text' },
  segment_id: { operators: ['equals'], kind: 'text' },
};

const SUBSCRIPTIONS: readonly Operation[] = [
  {
    name: 'bulk_subscribe_profiles',
    method: 'POST',
    path: '/api/profile-subscription-bulk-create-jobs',
    scopes: WRITE,
    limit: TIERS.L,
    handle: subscribe,
  },
  {
    name: 'bulk_unsubscribe_profiles',
    method: 'POST',
    path: '/api/profile-subscription-bulk-delete-jobs',
    scopes: WRITE,
    limit: TIERS.L,
    handle: unsubscribe,
  },
];

/** The three operations of one change: start a job, read one, read all. */
function suppressions(change: SuppressionChange, scopes: readonly string[]): Operation[] {
  const path = `/api/${typeOf(change)}s`;
  const fields = { [typeOf(change)]: SUPPRESSION_JOB };
  return [
    {
      name: `bulk_${change}_profiles`,
      method: 'POST',
      path,
      scopes,
      limit: TIERS.L,
      query: { fields },
      handle: acceptSuppression(change),
    },
    {
      name: `get_bulk_${change}_profiles_jobs`,
      method: 'GET',
      path,
      scopes: ['subscriptions:read'],
      limit: TIERS.L,
      query: {
        fields,
        filter: JOB_FILTERS,
        // Recorded: the newest first if no order is requested.
        sort: { by: ['created'], usual: '-created' },
        page: 'cursor',
      },
      handle: getSuppressionJobs(change),
    },
    {
      name: `get_bulk_${change}_profiles_job`,
      method: 'GET',
      path: `${path}/{job_id}`,
      scopes: ['subscriptions:read'],
      limit: TIERS.L,
      query: { fields },
      handle: getSuppressionJob(change),
    },
  ];
}

export const consentOperations: readonly Operation[] = [
  ...SUBSCRIPTIONS,
  ...suppressions('suppress', ['profiles:write', 'subscriptions:write']),
  ...suppressions('unsuppress', ['subscriptions:write']),
];
