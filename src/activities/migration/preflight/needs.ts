import { OPERATIONS } from '../../../consent/operations/index.js';
import type { Operation } from '../../../contracts/channels.js';
import type { MigrationSettings } from '../../../contracts/migration.js';
import type { EndpointName } from '../../../klaviyo/index.js';

/** These make reading back some ten times cheaper, but a run works without them. */
export const EVENT_ENDPOINTS = ['get_metrics', 'get_events'] as const satisfies EndpointName[];

/** The endpoints that a run cannot do without. */
export function neededEndpoints(
  { listId, onlyGiven }: Pick<MigrationSettings, 'listId' | 'onlyGiven'>,
  operations: readonly Operation[],
): EndpointName[] {
  return [
    'get_accounts',
    'get_profiles',
    ...(listId === null ? [] : (['get_list', 'get_profiles_for_list'] as const)),
    // Without them it is not seen who joined a list since.
    ...(onlyGiven !== undefined && operations.some((each) => OPERATIONS[each].optsOut)
      ? EVENT_ENDPOINTS
      : []),
    ...operations.map((operation) => OPERATIONS[operation].endpoint),
  ];
}
