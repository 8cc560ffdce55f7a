import { storableText } from '../../consent/record/canonical.js';
import { microseconds } from '../../consent/record/timestamps.js';
import type { ListBatch, StoredMember } from '../destination.js';

/** What a reading of a list makes of the memberships that are there. */
export interface MergedMembers {
  readonly inserted: readonly StoredMember[];
  readonly updated: readonly StoredMember[];
  /** Ids of members that are as they were read; at `confirmedAt`, if not later. */
  readonly confirmed: readonly string[];
  readonly confirmedAt: string;
  /** When those joined whose membership began. */
  readonly joinedAt: readonly (string | null)[];
  readonly left: number;
}

/**
 * Compares a reading of a list with the memberships that are there. What was read before one was last
 * read changes nothing.
 *
 * @param stored memberships of that list, by the ids of their profiles
 * @param isKnown whether a profile has a row that is neither deleted nor merged: who has none has no
 *   membership, so that nobody who was erased comes back
 */
export function mergeMembers(
  batch: ListBatch,
  stored: ReadonlyMap<string, StoredMember>,
  isKnown: (profileId: string) => boolean,
): MergedMembers {
  const inserted: StoredMember[] = [];
  const updated: StoredMember[] = [];
  const confirmed: string[] = [];
  const [first = '', ...later] = batch.members.map(({ readAt }) => microseconds(readAt));
  const confirmedAt = later.reduce((oldest, time) => (time < oldest ? time : oldest), first);
  const joinedAt: (string | null)[] = [];
  let left = 0;
  const listName = batch.listName === null ? null : storableText(batch.listName);

  for (const member of batch.members) {
    const { profileId } = member;
    if (!isKnown(profileId)) continue;
    const before = stored.get(profileId) ?? null;
    const after: StoredMember = {
      listId: batch.listId,
      profileId,
      listName,
      joinedAt: member.joinedAt === null ? null : microseconds(member.joinedAt),
      leftAt: null,
      firstSeenAt: before?.firstSeenAt ?? microseconds(member.readAt),
      lastReadAt: microseconds(member.readAt),
    };
    if (before !== null && after.lastReadAt < before.lastReadAt) continue;
    const isNew = before === null || before.leftAt !== null || before.joinedAt !== after.joinedAt;
    if (isNew) joinedAt.push(after.joinedAt);
    if (before === null) inserted.push(after);
    else if (isNew || before.listName !== listName) updated.push(after);
    else if (batch.isRemembered && before.lastReadAt < confirmedAt) confirmed.push(profileId);
  }

  for (const { profileId, readAt } of batch.left) {
    const before = stored.get(profileId) ?? null;
    const leftAt = microseconds(readAt);
    if (before === null || before.leftAt !== null || leftAt < before.lastReadAt) continue;
    updated.push({ ...before, leftAt, lastReadAt: leftAt });
    left++;
  }
  return { inserted, updated, confirmed, confirmedAt, joinedAt, left };
}
