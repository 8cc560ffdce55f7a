import type { Operation } from '../../../contracts/channels.js';
import type { MigrationSettings } from '../../../contracts/migration.js';
import type { EndpointName } from '../../../klaviyo/index.js';

const WRITES: Record<Operation, EndpointName> = {
  suppress: 'bulk_suppress_profiles',
  unsubscribe: 'bulk_unsubscribe_profiles',
  add_to_list: 'bulk_import_profiles',
  subscribe: 'bulk_subscribe_profiles',
};

/** The endpoints that a run cannot do without. */
export function neededEndpoints(
  { listId }: Pick<MigrationSettings, 'listId'>,
  operations: readonly Operation[],
): EndpointName[] {
  return [
    'get_accounts',
    'get_profiles',
    ...(listId === null ? [] : (['get_list', 'get_profiles_for_list'] as const)),
    ...operations.map((operation) => WRITES[operation]),
  ];
}

/** What makes reading back some ten times cheaper, and is done without where the key may not. */
export const EVENT_ENDPOINTS = ['get_metrics', 'get_events'] as const satisfies EndpointName[];
