import { MEMBER, SEGMENT } from '../query/field-paths.js';
import { FLOW_AND_TAG_FIELDS, GROUP_INCLUDE } from '../groups/flows-and-tags.js';
import { MEMBER_PAGE, SEGMENT_MEMBER_FILTERS } from '../groups/members.js';
import { TIERS, type Operation } from '../operation.js';
import { ADDITIONAL } from '../profiles/query-rules.js';
import { getSegment, getSegmentProfiles, getSegments } from './segments.js';

export const segmentOperations: readonly Operation[] = [
  {
    name: 'get_segments',
    method: 'GET',
    path: '/api/segments',
    scopes: ['segments:read'],
    limit: TIERS.L,
    query: {
      ...GROUP_INCLUDE,
      fields: { segment: SEGMENT, ...FLOW_AND_TAG_FIELDS },
      filter: {
        name: { operators: ['any', 'equals'], kind: 'text' },
        id: { operators: ['any', 'equals'], kind: 'text' },
        created: { operators: ['greater-than'], kind: 'date' },
        updated: { operators: ['greater-than'], kind: 'date' },
        is_active: { operators: ['any', 'equals'], kind: 'boolean' },
        is_starred: { operators: ['equals'], kind: 'boolean' },
      },
      sort: { by: ['id', 'created', 'name', 'updated'], usual: 'id' },
      page: { default: 10, max: 10 },
    },
    handle: getSegments,
  },
  {
    name: 'get_segment',
    method: 'GET',
    path: '/api/segments/{id}',
    scopes: ['segments:read'],
    limit: TIERS.L,
    // Counting is expensive.
    stricter: [
      {
        parameter: 'additional-fields[segment]',
        value: 'profile_count',
        limit: { name: 'segment profile_count', limit: TIERS.XS },
      },
    ],
    query: {
      ...GROUP_INCLUDE,
      fields: { segment: [...SEGMENT, 'profile_count'], ...FLOW_AND_TAG_FIELDS },
      additionalFields: { segment: ['profile_count'] },
    },
    handle: getSegment,
  },
  {
    name: 'get_profiles_for_segment',
    method: 'GET',
    path: '/api/segments/{id}/profiles',
    scopes: ['profiles:read', 'segments:read'],
    limit: TIERS.L,
    query: {
      fields: { profile: MEMBER },
      additionalFields: ADDITIONAL,
      filter: SEGMENT_MEMBER_FILTERS,
      ...MEMBER_PAGE,
    },
    handle: getSegmentProfiles,
  },
];
