import type { SandboxAccount } from '../../account/account.js';
import type { Segment } from '../../store/segments.js';
import { includedWith } from '../groups/flows-and-tags.js';
import { replyWithMembers } from '../groups/members.js';
import type { Call, Reply } from '../operation.js';
import { pageOfFew } from '../small-collection.js';
import { unknownId } from '../unknown-id.js';
import { segmentWriter } from './segment-resource.js';

/** `get_segments`: at most 10 per page. */
export function getSegments(call: Call): Reply {
  const { account, query, url } = call;
  // Recorded: a filter on `is_starred` is accepted and has no effect.
  const asked = query.conditions.find(({ field }) => field === 'is_starred')?.value;
  const { found, links } = pageOfFew(call, account.segments.all(), (segment) => ({
    id: segment.id,
    name: segment.name,
    created: segment.created,
    updated: segment.updated,
    is_active: segment.isActive,
    is_starred: asked?.kind === 'boolean' ? asked.is : segment.isStarred,
  }));
  const data = found.map(segmentWriter(query, url.origin));
  return { status: 200, body: { data, ...includedWith(found, query, url.origin), links } };
}

/** `get_segment` */
export function getSegment({ account, id, query, url }: Call): Reply {
  const segment = segmentToRead(account, id);
  const data = segmentWriter(query, url.origin)(segment);
  const links = { self: url.href };
  return { status: 200, body: { data, ...includedWith([segment], query, url.origin), links } };
}

/** `get_profiles_for_segment`: members with the date of joining. */
export function getSegmentProfiles(call: Call): Reply {
  return replyWithMembers(call, segmentToRead(call.account, call.id));
}

/** @throws ApiError 404, or 400 by the switch */
function segmentToRead(account: SandboxAccount, id: string): Segment {
  const segment = account.segments.get(id);
  if (segment === undefined) throw unknownId(account, 'segment', id);
  return segment;
}
