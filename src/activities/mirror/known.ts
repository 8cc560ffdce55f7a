import { needsPhone, spellingsOf, type Judgement } from '../../consent/judge.js';
import { fromMirrored, isUnknown, toMirrored } from '../../consent/mirrored.js';
import { ProfileIndex } from '../../consent/profile-index.js';
import { foldEmail } from '../../contracts/addresses.js';
import type { Channel } from '../../contracts/channels.js';
import type { MigrationSettings } from '../../contracts/migration.js';
import { UNKNOWN_CONSENT, type ProfileConsent } from '../../klaviyo/index.js';
import type {
  AskedAddress,
  Mirror,
  MirroredProfile,
  OpenRow,
  RememberedAddress,
} from '../../ledger/index.js';

/**
 * How long what was read is relied on. Klaviyo shows no change of an address that becomes a secondary
 * one of another profile, by a merge or by hand.
 */
export const KNOWN_FOR_MS = 24 * 3_600_000;

/**
 * Channels whose opt-outs are shown by feeds at once. The others are looked up every time: an opt-out
 * from texts shows only as an event, which may be late, while the profile has it at once.
 */
const FED: ReadonlySet<Channel> = new Set(['email', 'list']);

export function isFed(channel: Channel): boolean {
  return FED.has(channel);
}

/** Whether feeds show every opt-out of the row, and nothing of it may be on its way to Klaviyo. */
export function isFedRow({ parts }: OpenRow): boolean {
  return parts.every(({ channel, submissionId }) => isFed(channel) && submissionId === null);
}

/** The addresses that a look-up of the row asks for. */
export function addressesOf(row: OpenRow): AskedAddress[] {
  const { email, phoneNumber } = row;
  const emails = spellingsOf(row).map((spelling) => ({ spelling, identifier: email ?? spelling }));
  if (phoneNumber === null || !needsPhone(row)) return emails;
  return [...emails, { spelling: phoneNumber, identifier: phoneNumber }];
}

const NOTHING: RememberedAddress = { lookedUpMs: null, profiles: [] };

/** What decides whether an address is known. */
interface Knowledge {
  /** By the spelling of their addresses. */
  readonly remembered: ReadonlyMap<string, RememberedAddress>;
  readonly mirror: Mirror;
  /** Milliseconds for which no opt-out was missed: not every opt-out changes the profile. */
  readonly coveredMs: number;
  readonly settings: Pick<MigrationSettings, 'absentIsNew'>;
}

/**
 * Whether every profile is known that a look-up of the row would show. If the whole account was read,
 * an address without a profile has none; but Klaviyo does not show the secondary addresses of its
 * profiles, and whoever has one may have opted out. So that counts only where nobody did, or where
 * the operator says that there are none and every profile that opted out shows its address.
 */
export function isKnown(row: OpenRow, knowledge: Knowledge): boolean {
  const { remembered, mirror, coveredMs } = knowledge;
  const mayBeAbsent = absentIsNew(knowledge);
  const isComplete = isWhole(mirror);
  return addressesOf(row).every(({ spelling }) => {
    const address = remembered.get(spelling) ?? NOTHING;
    const { profiles } = address;
    const isLookedUp = wasLookedUp(address, mirror);
    if (profiles.length === 0) return isLookedUp || mayBeAbsent;
    // What is older than the mirror is not brought up to date, and may be gone.
    const readWithinMs = Math.min(coveredMs, mirror.wholeMs, KNOWN_FOR_MS);
    return (isLookedUp || isComplete) && profiles.every(({ ageMs }) => ageMs <= readWithinMs);
  });
}

/** Whether the row has to be looked up even if the mirror and all feeds are brought up to date. */
export function isStranger(row: OpenRow, knowledge: Omit<Knowledge, 'coveredMs'>): boolean {
  if (!isFedRow(row)) return true;
  const { remembered, mirror } = knowledge;
  if (absentIsNew({ ...knowledge, coveredMs: Infinity })) return false;
  return addressesOf(row).some(({ spelling }) => {
    const address = remembered.get(spelling) ?? NOTHING;
    return address.profiles.length === 0 && !wasLookedUp(address, mirror);
  });
}

/** Whether an address without a profile is known to have none. */
function absentIsNew({
  mirror,
  coveredMs,
  settings,
}: Pick<Knowledge, 'mirror' | 'coveredMs' | 'settings'>): boolean {
  const { wholeMs, saysNo, namelessSaysNo } = mirror;
  const nobodySaysNo = !saysNo && wholeMs <= coveredMs;
  const mayTrust = settings.absentIsNew && !namelessSaysNo;
  return isWhole(mirror) && (mayTrust || nobodySaysNo);
}

function isWhole({ complete, wholeMs }: Mirror): boolean {
  return complete && wholeMs <= KNOWN_FOR_MS;
}

function wasLookedUp({ lookedUpMs }: RememberedAddress, { wholeMs }: Mirror): boolean {
  return lookedUpMs !== null && lookedUpMs <= Math.min(wholeMs, KNOWN_FOR_MS);
}

/** What is remembered, as if it had been looked up. */
export function indexOf(remembered: ReadonlyMap<string, RememberedAddress>): {
  readonly index: ProfileIndex;
  /** Milliseconds since the oldest of it was read; 0 if nothing is remembered. */
  readonly oldestMs: number;
} {
  const index = new ProfileIndex();
  const ids = new Set<string>();
  let oldestMs = 0;
  for (const { lookedUpMs, profiles } of remembered.values()) {
    oldestMs = Math.max(oldestMs, lookedUpMs ?? 0, ...profiles.map(({ ageMs }) => ageMs));
    for (const profile of profiles) {
      if (ids.has(profile.id)) continue;
      ids.add(profile.id);
      index.add(fromMirrored(profile));
    }
  }
  return { index, oldestMs };
}

/**
 * Whether a judgement needs no look-up. One that settles a row as subscribed does, since that has to
 * be read back, and one that rests on a profile of which Klaviyo did not say everything, or that an
 * opt-out contradicts.
 *
 * @param isOut whether an opt-out of the person is known from elsewhere
 */
export function mayRelyOn(
  { settlements, joinsList }: Judgement,
  { parts }: OpenRow,
  isOut: boolean,
): boolean {
  const isSure = settlements.every(
    ({ outcome, reason }) => outcome === 'skipped_opted_out' && reason !== 'consent_state_unknown',
  );
  return isSure && !joinsList && (!isOut || settlements.length === parts.length);
}

/**
 * Klaviyo may answer with one id for profiles that differ. Nothing is known of them then, and all their
 * addresses are kept: the last under the id, in place of what was known of it, the others beside it.
 */
export function apart(profiles: readonly ProfileConsent[]): ProfileConsent[] {
  // Asked of millions of people, one by one.
  if (profiles.length === 1) return [...profiles];
  const byId = new Map<string, ProfileConsent[]>();
  for (const profile of profiles) {
    const same = byId.get(profile.id);
    if (same === undefined) byId.set(profile.id, [profile]);
    else same.push(profile);
  }
  return [...byId.values()].flatMap((same) => {
    const last = same.slice(-1);
    if (!isDisputed(same)) return last;
    const byAddresses = new Map(same.map((each) => [addressesIn(each), each]));
    for (const each of last) byAddresses.delete(addressesIn(each));
    return [...[...byAddresses.values()].map(besideOthers), ...last].map((profile) => ({
      ...profile,
      ...UNKNOWN_CONSENT,
    }));
  });
}

/** Whether what was read of one profile differs in its addresses or in anything that the guard decides by. */
export function isDisputed(same: readonly ProfileConsent[]): boolean {
  if (same.length < 2) return false;
  return new Set(same.map((profile) => JSON.stringify(toMirrored(profile)))).size > 1;
}

/**
 * What a look-up showed, as the mirror keeps it. Whoever may own a profile that Klaviyo does not assign is
 * looked up again, whatever was remembered of them before.
 */
export function lookedUpProfiles(profiles: readonly ProfileConsent[]): MirroredProfile[] {
  return apart(
    profiles.map((profile) => (isUnknown(profile) ? besideOthers(profile) : profile)),
  ).map(toMirrored);
}

/** Under an id of its own, so that it replaces nothing that is known of the profile. */
function besideOthers(profile: ProfileConsent): ProfileConsent {
  return { ...profile, id: `${profile.id} ${addressesIn(profile)}` };
}

function addressesIn({ email, phoneNumber }: ProfileConsent): string {
  return JSON.stringify([foldEmail(email), phoneNumber]);
}
