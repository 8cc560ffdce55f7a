import { LIST } from '../query/field-paths.js';
import { TIERS, type Operation } from '../operation.js';
import { requestDeletion } from './deletion.js';
import { mergeTwo } from './merge.js';
import { createOrUpdateProfile, createProfile, updateProfile } from './body/profile-writes.js';
import { getListsForProfile, getProfile, getProfiles } from './profiles.js';
import { createPushToken } from './push-token.js';
import {
  GROUP_LIMITS,
  ONE_PROFILE_QUERY,
  PREDICTIVE_LIMIT,
  PROFILE_QUERY,
  PROFILES_QUERY,
} from './query-rules.js';

const WRITE = { scopes: ['profiles:write'], limit: TIERS.L, query: PROFILE_QUERY };

export const profileOperations: readonly Operation[] = [
  {
    name: 'get_profiles',
    method: 'GET',
    path: '/api/profiles',
    scopes: ['profiles:read'],
    limit: TIERS.L,
    stricter: [PREDICTIVE_LIMIT],
    query: PROFILES_QUERY,
    handle: getProfiles,
  },
  {
    name: 'create_profile',
    method: 'POST',
    path: '/api/profiles',
    ...WRITE,
    handle: createProfile,
  },
  {
    name: 'get_profile',
    method: 'GET',
    path: '/api/profiles/{id}',
    scopes: ['profiles:read'],
    limit: TIERS.L,
    stricter: GROUP_LIMITS,
    query: ONE_PROFILE_QUERY,
    handle: getProfile,
  },
  {
    name: 'update_profile',
    method: 'PATCH',
    path: '/api/profiles/{id}',
    ...WRITE,
    handle: updateProfile,
  },
  {
    name: 'get_lists_for_profile',
    method: 'GET',
    path: '/api/profiles/{id}/lists',
    scopes: ['lists:read', 'profiles:read'],
    limit: TIERS.S,
    query: { fields: { list: LIST } },
    handle: getListsForProfile,
  },
  {
    name: 'create_or_update_profile',
    method: 'POST',
    path: '/api/profile-import',
    ...WRITE,
    handle: createOrUpdateProfile,
  },
  {
    name: 'merge_profiles',
    method: 'POST',
    path: '/api/profile-merge',
    scopes: ['profiles:write'],
    limit: TIERS.M,
    query: { fields: { profile: ['id'] } },
    handle: mergeTwo,
  },
  {
    name: 'request_profile_deletion',
    method: 'POST',
    path: '/api/data-privacy-deletion-jobs',
    scopes: ['data-privacy:write'],
    limit: TIERS.S,
    handle: requestDeletion,
  },
  {
    name: 'create_push_token',
    method: 'POST',
    path: '/api/push-tokens',
    scopes: ['profiles:write', 'push-tokens:write'],
    limit: TIERS.L,
    handle: createPushToken,
  },
];
