import { TIERS, type Operation } from '../operation.js';
import { getProfile, getProfiles } from './profiles.js';
import { PREDICTIVE_LIMIT, PROFILE_FILTERS, PROFILE_PAGE, PROFILE_QUERY } from './query-rules.js';

export const profileOperations: readonly Operation[] = [
  {
    name: 'get_profiles',
    method: 'GET',
    path: '/api/profiles',
    scopes: ['profiles:read'],
    limit: TIERS.L,
    stricter: [PREDICTIVE_LIMIT],
    query: {
      ...PROFILE_QUERY,
      filter: PROFILE_FILTERS,
      sort: { by: ['id', 'created', 'updated', 'email'], usual: 'id' },
      page: PROFILE_PAGE,
    },
    handle: getProfiles,
  },
  {
    name: 'get_profile',
    method: 'GET',
    path: '/api/profiles/{id}',
    scopes: ['profiles:read'],
    limit: TIERS.L,
    query: PROFILE_QUERY,
    handle: getProfile,
  },
];
