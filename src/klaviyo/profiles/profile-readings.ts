import { callOf } from '../calls.js';
import { anyOf, createdWithin, suppressedSince, updatedSince } from '../reads/filters.js';
import type { Call } from '../transport/exchange.js';
import type { ProfileConsent, SuppressionReason } from './profile-consent.js';
import { toProfileConsent } from './profile-schema.js';
import { wireProfile, type WireProfile } from './profile-wire.js';

/** A profile with all that Klaviyo said of its consent. */
export interface ProfileReading {
  /** As the guard sees it. */
  readonly profile: ProfileConsent;
  /** As it was sent: what is undefined was not stated. */
  readonly sent: WireProfile;
}

/** `next` is the cursor of the next page, null on the last. */
export interface ReadingsPage {
  readonly profiles: readonly ProfileReading[];
  readonly next: string | null;
}

/** Which profiles to read, 100 a page. Datetimes are RFC 3339 with an offset. */
export type ProfilesQuery =
  | {
      /** The oldest first. `created` of a profile never changes, so paging skips nobody. */
      readonly by: 'created';
      /** Exclusive; null for the beginning. */
      readonly after: string | null;
      /** Exclusive; null for no end. Not in the future of Klaviyo's clock. */
      readonly before: string | null;
      readonly cursor?: string | null;
    }
  | {
      /** The oldest change first; a profile that changes meanwhile is read again. */
      readonly by: 'updated';
      /** Exclusive. */
      readonly since: string;
      readonly cursor?: string | null;
    }
  | {
      /** With an e-mail suppression, in no order; one can be read twice. */
      readonly by: 'suppressed';
      /** Exclusive. */
      readonly since: string;
      /** Null for any. */
      readonly reason: SuppressionReason | null;
      readonly cursor?: string | null;
    }
  | {
      /** Up to 100; who is missing from the answer is no longer there. */
      readonly by: 'id';
      readonly ids: readonly string[];
      readonly cursor?: string | null;
    };

const FIELDS = 'email,phone_number,external_id,created,subscriptions';

export const profileReadingSchema = wireProfile.transform((sent): ProfileReading => ({
  profile: toProfileConsent(sent),
  sent,
}));

export function readingsCall(query: ProfilesQuery): Call {
  return callOf('get_profiles', null, {
    ...selectionOf(query),
    ...('cursor' in query && query.cursor ? { 'page[cursor]': query.cursor } : {}),
    'additional-fields[profile]': 'subscriptions',
    'fields[profile]': FIELDS,
    'page[size]': '100',
  });
}

function selectionOf(query: ProfilesQuery): Record<string, string> {
  switch (query.by) {
    case 'created': {
      const filter = createdWithin(query.after, query.before);
      return { ...(filter === null ? {} : { filter }), sort: 'created' };
    }
    case 'updated':
      return { filter: updatedSince(query.since), sort: 'updated' };
    case 'suppressed':
      // Klaviyo refuses `sort` with this filter.
      return { filter: suppressedSince(query.since, query.reason) };
    case 'id':
      return { filter: anyOf('id', query.ids) };
  }
}
