import { keyOfPart, type Entry } from '../../consent/operations/entries.js';
import { OPERATIONS } from '../../consent/operations/index.js';
import type { Held } from '../../consent/person.js';
import { needsPhone, spellingsOf } from '../../consent/judge.js';
import { isPhoneChannel, type Channel, type Operation } from '../../contracts/channels.js';
import type { ProfileConsent } from '../../klaviyo/index.js';
import { CALL_LIMITS } from '../../contracts/limits.js';
import type { MigrationSettings } from '../../contracts/migration.js';
import {
  settleUnsentParts,
  type Migration,
  type OpenPart,
  type OpenRow,
  type Settlement,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { lookUpMembers, lookUpPeople } from '../look-ups.js';
import type { Attempt } from './guard-rows.js';

/**
 * The entries of a call with only the parts whose people are on its list, as Klaviyo shows it now (with all their profiles, if the call harms whoever is not), and with the ids of their profiles. The other parts are settled; one whose answer was lost may
 * be off the list because of that call, so it is left out and read back. Returns the entries as they
 * are if the operation does not depend on the list.
 *
 * @throws LimiterBusyError, KlaviyoRateLimitedError, KlaviyoUnavailableError if it cannot be read now
 */
export async function onlyMembers(
  { klaviyo, ledger }: ActivityDependencies,
  { id: migrationId, settings }: Migration,
  operation: Operation,
  entries: readonly Entry[],
  attempt: Attempt,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const ended = OPERATIONS[operation].offList(settings);
  const listId = OPERATIONS[operation].list(settings);
  if (ended === null || listId === null) return entries;
  const { outcome } = ended;
  const { leaves } = OPERATIONS[operation];
  const read =
    outcome === 'confirmed' && leaves !== null ? { read: { consent: leaves, at: null } } : {};
  const asked = {
    emails: entries.flatMap(spellingsOf),
    phoneNumbers: entries.flatMap((entry) => (needsPhone(entry) ? (entry.phoneNumber ?? []) : [])),
  };
  // First, since who is on the list changes sooner.
  const all = isStrict(operation, settings) ? await lookUpPeople(klaviyo, asked, signal) : null;
  all?.throwIfShort();
  const people = await lookUpMembers(klaviyo, listId, asked, signal);
  people.throwIfShort();
  // Last, and again before each call: nobody is taken off the old list who is not on the new one.
  const arrived =
    settings.moveFrom === null || settings.listId === null
      ? null
      : await lookUpMembers(klaviyo, settings.listId, asked, signal);
  arrived?.throwIfShort();
  const members: Entry[] = [];
  const settlements: Settlement[] = [];
  for (const entry of entries) {
    const { rowNumber } = entry;
    const held = people.index.heldFor(entry);
    const idsOf = ({ channel }: OpenPart) => membersFor(channel, entry, held).map(({ id }) => id);
    const known = (id: string) => !attempt.vanished.has(id);
    const areAllOn = (part: OpenPart) => {
      const ids = new Set(idsOf(part));
      const profiles =
        all === null ? [] : membersFor(part.channel, entry, all.index.heldFor(entry));
      return profiles.every(({ id }) => ids.has(id));
    };
    const isNotMoved = (part: OpenPart) => {
      if (arrived === null) return false;
      const there = membersFor(part.channel, entry, arrived.index.heldFor(entry));
      const ids = new Set(there.map(({ id }) => id));
      return idsOf(part).some((id) => known(id) && !ids.has(id));
    };
    const parts = entry.parts.filter(
      (part) => idsOf(part).some(known) && areAllOn(part) && !isNotMoved(part),
    );
    const ids = parts.flatMap(idsOf).filter(known);
    if (parts.length > 0) members.push({ ...entry, parts, memberIds: [...new Set(ids)] });
    for (const part of entry.parts) {
      if (parts.includes(part)) continue;
      const { channel } = part;
      settlements.push({
        rowNumber,
        channel,
        ...(isNotMoved(part)
          ? NOT_MOVED
          : idsOf(part).some((id) => !known(id))
            ? REFUSED
            : { ...ended, ...read, settledBy: 'list_members' as const }),
      });
      attempt.leftOut.add(keyOfPart({ rowNumber, channel }));
    }
  }
  await settleUnsentParts(ledger.db, migrationId, settlements);
  return atMostIds(members, CALL_LIMITS.removeFromList);
}

/**
 * Whether a call harms whoever is not on the list: an unsubscribe from it then ends everything. So all
 * profiles of an address must be on it, and a call names each profile once.
 */
function isStrict(operation: Operation, settings: MigrationSettings): boolean {
  return OPERATIONS[operation].offList(settings)?.outcome === 'rejected';
}

/**
 * The entries that the request names, of those that a call carries: without further ones of the same
 * profile, which is off the list after the first.
 */
export function namedInCall(
  operation: Operation,
  settings: MigrationSettings,
  entries: readonly Entry[],
): readonly Entry[] {
  if (!isStrict(operation, settings)) return entries;
  const named = new Set<string>();
  return entries.filter(({ memberIds }) => {
    const isFirst = !memberIds.some((id) => named.has(id));
    for (const id of memberIds) named.add(id);
    return isFirst;
  });
}

/**
 * The members of the list that a part is about. A row's number may be somebody else's: it names the
 * person of a membership only where there is no address.
 */
export function membersFor(
  channel: Channel,
  { email }: Pick<OpenRow, 'email'>,
  { byEmail, byPhone }: Held,
): readonly ProfileConsent[] {
  return isPhoneChannel(channel) || email === null ? byPhone : byEmail;
}

/** Somebody on the old list is not on the new one, with all their profiles: they stay where they are. */
const NOT_MOVED = {
  outcome: 'rejected',
  reason: 'not_moved',
  settledBy: 'list_members',
} as const satisfies Partial<Settlement>;

/** The list still shows a profile that Klaviyo refused the removal of, since it does not know it. */
const REFUSED = {
  outcome: 'rejected',
  reason: 'klaviyo_refused',
  settledBy: 'klaviyo_answer',
} as const satisfies Partial<Settlement>;

/** As many of the first entries as have this many profiles at most: an address can have several. */
function atMostIds(entries: readonly Entry[], most: number): readonly Entry[] {
  let ids = 0;
  const beyond = entries.findIndex(({ memberIds }) => (ids += memberIds.length) > most);
  return beyond === -1 ? entries : entries.slice(0, beyond);
}
