import { TIERS, type Operation } from '../operation.js';
import { subscribe } from './subscribe.js';
import { unsubscribe } from './unsubscribe.js';

export const consentOperations: readonly Operation[] = [
  {
    name: 'bulk_subscribe_profiles',
    method: 'POST',
    path: '/api/profile-subscription-bulk-create-jobs',
    scopes: ['lists:write', 'profiles:write', 'subscriptions:write'],
    limit: TIERS.L,
    handle: subscribe,
  },
  {
    name: 'bulk_unsubscribe_profiles',
    method: 'POST',
    path: '/api/profile-subscription-bulk-delete-jobs',
    scopes: ['lists:write', 'profiles:write', 'subscriptions:write'],
    limit: TIERS.L,
    handle: unsubscribe,
  },
];
