import { recordOf } from '../../consent/record/reading.js';
import type { ConsentRecord } from '../../consent/record/record.js';
import type { ProfileConsent, ProfileReading } from '../../klaviyo/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { Persistence } from '../temporal/persistence.js';

/** A profile of a page. What Klaviyo sent is not kept: it takes several times the memory. */
export interface ReadProfile {
  /** As the guard sees it. */
  readonly profile: ProfileConsent;
  readonly record: ConsentRecord;
  /** Null if Klaviyo does not say. */
  readonly created: string | null;
}

/** A page that was read. */
export interface ReadPage {
  readonly profiles: readonly ReadProfile[];
  /** When it was asked for, as `performance.now()`. */
  readonly beganMs: number;
}

export function readProfile({ profile, sent }: ProfileReading): ReadProfile {
  return { profile, record: recordOf(sent), created: sent.attributes.created ?? null };
}

/**
 * All that Klaviyo says of up to 100 profiles by their ids; who is missing is not there. It may send
 * more than one profile for an id, so there may be more than one page.
 */
export async function profilesOf(
  { klaviyo }: Pick<ActivityDependencies, 'klaviyo'>,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadPage> {
  const persistence = new Persistence(signal);
  const profiles: ReadProfile[] = [];
  let beganMs = Infinity;
  for (let cursor: string | null = null; ;) {
    const query = { by: 'id', ids, cursor } as const;
    let askedMs = 0;
    const page: Awaited<ReturnType<typeof klaviyo.readProfiles>> = await persistence.whileShort(
      () => {
        askedMs = performance.now();
        return klaviyo.readProfiles(query, { signal });
      },
    );
    beganMs = Math.min(beganMs, askedMs);
    profiles.push(...page.profiles.map(readProfile));
    cursor = page.next;
    if (cursor === null) return { profiles, beganMs };
  }
}
