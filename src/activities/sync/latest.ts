import { disputedRecord } from '../../consent/record/disputed.js';
import type { ConsentRecord } from '../../consent/record/record.js';
import type { ProfileConsent } from '../../klaviyo/index.js';
import { apart, isDisputed } from '../mirror/known.js';
import type { ReadPage, ReadProfile } from './profiles-of.js';

/** What is taken for true of a profile after some pages, for the mirror and for the destination. */
export interface Latest {
  readonly record: ConsentRecord;
  /** As the guard sees it. More than one if Klaviyo answered with several addresses for its id. */
  readonly profiles: readonly ProfileConsent[];
  /** When its page was asked for, as `performance.now()`. */
  readonly beganMs: number;
}

/**
 * The last reading of each profile. If one answer has a profile more than once, and its consent is not
 * the same, nobody knows which is right: then it is unknown to both, and nothing may be sent.
 */
export function latestOf(pages: readonly ReadPage[]): Latest[] {
  const latest = new Map<string, Latest>();
  for (const { profiles, beganMs } of [...pages].sort((a, b) => a.beganMs - b.beganMs)) {
    const inPage = new Map<string, ReadProfile[]>();
    for (const read of profiles) {
      const same = inPage.get(read.record.profileId);
      if (same === undefined) inPage.set(read.record.profileId, [read]);
      else same.push(read);
    }
    for (const [id, same] of inPage) {
      const held = same.map(({ profile }) => profile);
      const [first, ...others] = same.map(({ record }) => record);
      if (first === undefined) continue;
      const record = isDisputed(held) ? disputedRecord(first, others) : (others.at(-1) ?? first);
      latest.set(id, { record, profiles: apart(held), beganMs });
    }
  }
  return [...latest.values()];
}
