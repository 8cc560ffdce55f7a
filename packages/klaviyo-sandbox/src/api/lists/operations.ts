import { LIST, MEMBER } from '../query/field-paths.js';
import type { Filterable } from '../query/filter.js';
import { FLOW_AND_TAG_FIELDS, GROUP_INCLUDE } from '../groups/flows-and-tags.js';
import { LIST_MEMBER_FILTERS, MEMBER_PAGE } from '../groups/members.js';
import { TIERS, type Operation } from '../operation.js';
import { ADDITIONAL, PREDICTIVE_LIMIT } from '../profiles/query-rules.js';
import { addToList, getListProfileIds, getListProfiles, removeFromList } from './list-members.js';
import { createList, deleteList, getList, getLists, updateList } from './lists.js';

const FIELDS = { list: LIST };
const FILTERS: Filterable = {
  name: { operators: ['any', 'equals'], kind: 'text' },
  id: { operators: ['any', 'equals'], kind: 'text' },
  created: { operators: ['greater-than'], kind: 'date' },
  updated: { operators: ['greater-than'], kind: 'date' },
};
const MEMBERS = { filter: LIST_MEMBER_FILTERS, ...MEMBER_PAGE };

export const listOperations: readonly Operation[] = [
  {
    name: 'get_lists',
    method: 'GET',
    path: '/api/lists',
    scopes: ['lists:read'],
    limit: TIERS.L,
    query: {
      ...GROUP_INCLUDE,
      fields: { ...FIELDS, ...FLOW_AND_TAG_FIELDS },
      filter: FILTERS,
      sort: { by: ['id', 'created', 'name', 'updated'], usual: 'id' },
      page: { default: 10, max: 10 },
    },
    handle: getLists,
  },
  {
    name: 'create_list',
    method: 'POST',
    path: '/api/lists',
    scopes: ['lists:write'],
    limit: { ...TIERS.M, day: 150 },
    query: { fields: FIELDS },
    handle: createList,
  },
  {
    name: 'get_list',
    method: 'GET',
    path: '/api/lists/{id}',
    scopes: ['lists:read'],
    limit: TIERS.L,
    // Counting is expensive.
    stricter: [
      {
        parameter: 'additional-fields[list]',
        value: 'profile_count',
        limit: { name: 'list profile_count', limit: TIERS.XS },
      },
    ],
    query: {
      ...GROUP_INCLUDE,
      fields: { list: [...LIST, 'profile_count'], ...FLOW_AND_TAG_FIELDS },
      additionalFields: { list: ['profile_count'] },
    },
    handle: getList,
  },
  {
    name: 'update_list',
    method: 'PATCH',
    path: '/api/lists/{id}',
    scopes: ['lists:write'],
    limit: TIERS.M,
    query: { fields: FIELDS },
    handle: updateList,
  },
  {
    name: 'delete_list',
    method: 'DELETE',
    path: '/api/lists/{id}',
    scopes: ['lists:write'],
    limit: TIERS.M,
    body: 'none',
    handle: deleteList,
  },
  {
    name: 'get_profiles_for_list',
    method: 'GET',
    path: '/api/lists/{id}/profiles',
    scopes: ['lists:read', 'profiles:read'],
    limit: TIERS.L,
    stricter: [PREDICTIVE_LIMIT],
    query: { fields: { profile: MEMBER }, additionalFields: ADDITIONAL, ...MEMBERS },
    handle: getListProfiles,
  },
  {
    name: 'get_profile_ids_for_list',
    method: 'GET',
    path: '/api/lists/{id}/relationships/profiles',
    scopes: ['lists:read', 'profiles:read'],
    limit: TIERS.L,
    query: MEMBERS,
    handle: getListProfileIds,
  },
  {
    name: 'add_profiles_to_list',
    method: 'POST',
    path: '/api/lists/{id}/relationships/profiles',
    scopes: ['lists:write', 'profiles:write'],
    limit: TIERS.M,
    handle: addToList,
  },
  {
    name: 'remove_profiles_from_list',
    method: 'DELETE',
    path: '/api/lists/{id}/relationships/profiles',
    scopes: ['lists:write', 'profiles:write'],
    limit: TIERS.M,
    handle: removeFromList,
  },
];
