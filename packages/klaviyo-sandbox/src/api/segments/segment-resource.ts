import { definitionOf } from '../../account/groups/segment-rule.js';
import { isoDate } from '../../time/dates.js';
import type { Segment } from '../../store/segments.js';
import { groupRelationships } from '../groups/flows-and-tags.js';
import type { Query } from '../query/query.js';

/** Turns segments into resources as the query requests them. */
export function segmentWriter(query: Query, origin: string): (segment: Segment) => object {
  const counted = query.adds('segment', 'profile_count');
  return (segment) => {
    const self = `${origin}/api/segments/${segment.id}/`;
    return {
      type: 'segment',
      id: segment.id,
      attributes: query.pick('segment', {
        name: segment.name,
        definition: definitionOf(segment.rule, segment.id),
        created: isoDate(segment.created),
        updated: isoDate(segment.updated),
        is_active: segment.isActive,
        is_processing: segment.isProcessing,
        is_starred: segment.isStarred,
        ...(counted ? { profile_count: segment.size } : {}),
      }),
      relationships: groupRelationships(segment, query, self),
      links: { self },
    };
  };
}
