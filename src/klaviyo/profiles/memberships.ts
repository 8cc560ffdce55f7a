import * as z from 'zod';
import { callOf } from '../calls.js';
import { optionalDatetime } from '../reads/datetime.js';
import { anyOf, joinedSince, joinedWithin, type LookUpField } from '../reads/filters.js';
import type { Call } from '../transport/exchange.js';

/** Somebody who is on a list. */
export interface Membership {
  readonly profileId: string;
  /** Klaviyo's datetime; null if it does not say. */
  readonly joinedAt: string | null;
}

/** `next` is the cursor of the next page, null on the last. */
export interface MembershipsPage {
  readonly members: readonly Membership[];
  readonly next: string | null;
}

/** Whose membership of a list to read, 100 a page. Datetimes are RFC 3339 with an offset. */
export type MembershipsQuery = { readonly listId: string; readonly cursor?: string | null } & (
  | {
      /** The oldest first. A member keeps the date of joining, so paging skips nobody. */
      readonly by: 'joined';
      /** Exclusive; null for the beginning. */
      readonly after: string | null;
      /** Exclusive; null for no end. Not in the future of Klaviyo's clock. */
      readonly before: string | null;
    }
  | {
      readonly by: 'joined_since';
      /** Inclusive. */
      readonly since: string;
    }
  | {
      readonly by: LookUpField;
      /** As many as `chunkLookUps` gives; who is missing from the answer is not on the list. */
      readonly values: readonly string[];
    }
);

export const membershipSchema = z
  .object({ id: z.string(), attributes: z.object({ joined_group_at: optionalDatetime }) })
  .transform(({ id, attributes }): Membership => ({
    profileId: id,
    joinedAt: attributes.joined_group_at,
  }));

/** Without consent, which takes Klaviyo longer and may have a limit of its own. */
export function membershipsCall(query: MembershipsQuery): Call {
  const filter = filterOf(query);
  return callOf('get_profiles_for_list', query.listId, {
    ...(filter === null ? {} : { filter }),
    sort: 'joined_group_at',
    ...(query.cursor ? { 'page[cursor]': query.cursor } : {}),
    'fields[profile]': 'joined_group_at',
    'page[size]': '100',
  });
}

function filterOf(query: MembershipsQuery): string | null {
  switch (query.by) {
    case 'joined':
      return joinedWithin(query.after, query.before);
    case 'joined_since':
      return joinedSince(query.since);
    case 'email':
    case 'phone_number':
      return anyOf(query.by, query.values);
  }
}
