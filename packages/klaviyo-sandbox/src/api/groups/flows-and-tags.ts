import { isoDate } from '../../time/dates.js';
import type { Flow, Tag } from '../../store/flows-and-tags.js';
import type { Group } from '../../store/group.js';
import { FLOW, TAG } from '../query/field-paths.js';
import { relationTo } from '../links.js';
import type { Query, QueryRules } from '../query/query.js';

/** What a read of lists or segments can include. */
export const GROUP_INCLUDE: QueryRules = { include: ['flow-triggers', 'tags'] };
export const FLOW_AND_TAG_FIELDS = { flow: FLOW, tag: TAG };

/** Relationships of a list or segment: with `data` if the other side is included (recorded). */
export function groupRelationships({ flows, tags }: Group, query: Query, self: string): object {
  const related = (name: string, type: string, things: readonly { id: string }[]) => ({
    ...(query.includes(name) ? { data: things.map(({ id }) => ({ type, id })) } : {}),
    ...relationTo(self, name),
  });
  return {
    profiles: relationTo(self, 'profiles'),
    tags: related('tags', 'tag', tags),
    'flow-triggers': related('flow-triggers', 'flow', flows),
  };
}

/**
 * `included` of an answer with these groups, each resource once; absent if nothing was requested.
 */
export function includedWith(
  groups: readonly Group[],
  query: Query,
  origin: string,
): { included?: object[] } {
  const [withTags, withFlows] = [query.includes('tags'), query.includes('flow-triggers')];
  if (!withTags && !withFlows) return {};
  const tags = withTags ? groups.flatMap((group) => group.tags) : [];
  const flows = withFlows ? groups.flatMap((group) => group.flows) : [];
  return {
    included: [
      ...[...new Set(tags)].map((tag) => tagResource(tag, query, origin)),
      ...[...new Set(flows)].map((flow) => flowResource(flow, query, origin)),
    ],
  };
}

function tagResource({ id, name }: Tag, query: Query, origin: string): object {
  const self = `${origin}/api/tags/${id}/`;
  const names = ['tag-group', 'lists', 'segments', 'campaigns', 'flows'];
  return {
    type: 'tag',
    id,
    attributes: query.pick('tag', { name }),
    relationships: Object.fromEntries(names.map((other) => [other, relationTo(self, other)])),
    links: { self },
  };
}

/** Klaviyo also uses `Added to List` for a flow that a segment starts. */
function flowResource(flow: Flow, query: Query, origin: string): object {
  const self = `${origin}/api/flows/${flow.id}/`;
  return {
    type: 'flow',
    id: flow.id,
    attributes: query.pick('flow', {
      name: flow.name,
      status: flow.status,
      archived: flow.archived,
      created: isoDate(flow.created),
      updated: isoDate(flow.updated),
      trigger_type: 'Added to List',
    }),
    relationships: {
      'flow-actions': relationTo(self, 'flow-actions'),
      tags: relationTo(self, 'tags'),
    },
    links: { self },
  };
}
