import { CONSENT_KEYS, type ConsentKey, type ConsentRecord } from '../../store/channel.js';
import type { ProfileDetails } from '../../store/details.js';
import { MAX_EMAILS } from '../../store/identifiers/email-book.js';
import type { ProfileStore, Suppression, SuppressionReason } from '../../store/profiles.js';
import type { Base } from '../base.js';
import { PHONE_KEYS } from '../consent/consent.js';

/** What a merge works with. */
export type MergeParts = Pick<
  Base,
  'profiles' | 'lists' | 'segments' | 'journal' | 'book' | 'clock'
>;

/**
 * Merges the first profile into the second and deletes it.
 *
 * Documented: the destination keeps its primary e-mail and its identities, the source adds its
 * addresses as secondary ones, its properties, its events, and its consent and suppressions, which
 * belong to their address (help article 48274807144475). The sandbox stores one consent per
 * channel, so if both have an address, it chooses: the destination's consent stays, except that an
 * opt-out or a deliberate suppression of either survives. An opt-in is only carried over with its
 * address, also if both have the same one.
 *
 * @param phoneOf whose number is kept if both have one; consent to texts follows the number
 */
export function mergeProfiles(
  parts: MergeParts,
  from: number,
  into: number,
  phoneOf: 'source' | 'destination',
): void {
  const { profiles, lists, segments, journal, book, clock } = parts;
  const source = contentsOf(profiles, from);
  const sharesEmail =
    source.emails[0] !== undefined && profiles.email(into) === source.emails[0].email;
  const sharesPhone = source.phone !== null && profiles.phone(into) === source.phone;
  const joined = lists.all().map((list) => ({ list, since: list.joinedAt(from) }));
  const chosen = segments.all().filter((segment) => segment.chosen.has(from));
  for (const { list } of joined) list.leave(from);
  profiles.remove(from);
  journal.events.moved(from, into);

  const takesEmail = giveEmails(profiles, into, source.emails) || sharesEmail;
  const takesPhone =
    source.phone !== null &&
    !sharesPhone &&
    (phoneOf === 'source' || profiles.phone(into) === null);
  if (takesPhone) book.changePhone(into, source.phone);
  for (const key of CONSENT_KEYS) {
    const column = profiles.channel(key);
    const left = consentAfter(key, column.get(into), source.consents[key], {
      takesEmail,
      takesPhone,
      sharesPhone,
    });
    if (left !== null) column.set(into, left);
  }
  giveSuppressions(profiles, into, source, takesEmail);
  if (Object.keys(source.details).length > 0) {
    profiles.details.set(into, bothDetails(source.details, profiles.details.get(into) ?? {}));
  }
  for (const token of source.tokens) profiles.pushTokens.set(into, token);
  if (profiles.exchangeIds.of(into) === null) profiles.exchangeIds.set(into, source.kx);
  if (profiles.anonymousIds.of(into) === null) profiles.anonymousIds.set(into, source.anonymousId);
  for (const { list, since } of joined) if (since !== undefined) list.join(into, since);
  for (const segment of chosen) {
    segment.chosen.add(into);
    segment.join(into, clock.wall());
  }
  profiles.touch(into, clock.wall());
}

/** Deletes everything that belongs to the profile. */
function contentsOf(profiles: ProfileStore, index: number) {
  const primary = profiles.email(index);
  const consents = CONSENT_KEYS.map((key) => [key, profiles.channel(key).get(index)] as const);
  return {
    emails: [...(primary === null ? [] : [primary]), ...profiles.secondaryEmails(index)].map(
      (email) => ({ email, written: profiles.writtenEmail(index, email) }),
    ),
    phone: profiles.phone(index),
    consents: Object.fromEntries(consents) as Record<ConsentKey, ConsentRecord | null>,
    suppressions: profiles.suppressions.get(index) ?? [],
    listSuppressions: profiles.listSuppressions.get(index) ?? [],
    details: profiles.details.get(index) ?? {},
    tokens: profiles.pushTokens.of(index),
    kx: profiles.exchangeIds.of(index),
    anonymousId: profiles.anonymousIds.of(index),
  };
}

/**
 * Returns whether the first of them became the primary one. More than five are dropped, and
 * addresses that the profile already has are left out.
 */
function giveEmails(
  profiles: ProfileStore,
  into: number,
  emails: readonly { email: string; written: string }[],
): boolean {
  const [first] = emails;
  const takesEmail = first !== undefined && profiles.email(into) === null;
  if (takesEmail) profiles.setEmail(into, first.email);
  const room = MAX_EMAILS - 1 - profiles.secondaryEmails(into).length;
  const others = (takesEmail ? emails.slice(1) : emails)
    .filter(({ email }) => !profiles.allWithEmail(email).includes(into))
    .slice(0, room);
  for (const { email } of others) profiles.addSecondaryEmail(into, email);
  for (const { written } of takesEmail ? [first, ...others] : others) {
    profiles.writeEmail(into, written);
  }
  return takesEmail;
}

const TEXTS: ReadonlySet<ConsentKey> = new Set(PHONE_KEYS);

function consentAfter(
  key: ConsentKey,
  present: ConsentRecord | null,
  source: ConsentRecord | null,
  along: { takesEmail: boolean; takesPhone: boolean; sharesPhone: boolean },
): ConsentRecord | null {
  if (source === null) return present;
  // Consent to texts belongs to one number and is void without it.
  if (TEXTS.has(key) && !along.sharesPhone) return along.takesPhone ? source : present;
  const comesAlong = along.takesEmail || TEXTS.has(key) || key === 'mobile_push.marketing';
  if (present === null) return comesAlong || source.consent === 'UNSUBSCRIBED' ? source : null;
  return source.consent === 'UNSUBSCRIBED' && present.consent === 'SUBSCRIBED' ? source : present;
}

/** Reasons that are a decision of the person or the account, not a failing address. */
const BY_WILL: ReadonlySet<SuppressionReason> = new Set([
  'SPAM_COMPLAINT',
  'UNSUBSCRIBE',
  'USER_SUPPRESSED',
]);

function giveSuppressions(
  profiles: ProfileStore,
  into: number,
  {
    suppressions,
    listSuppressions,
  }: Pick<ReturnType<typeof contentsOf>, 'suppressions' | 'listSuppressions'>,
  takesEmail: boolean,
): void {
  const comesAlong = ({ reason }: Suppression) => takesEmail || BY_WILL.has(reason);
  for (const suppression of suppressions.filter(comesAlong)) {
    profiles.addSuppression(into, suppression);
  }
  const present = new Set(profiles.listSuppressions.get(into)?.map(({ listId }) => listId));
  for (const suppression of listSuppressions) {
    if (!present.has(suppression.listId)) profiles.setListSuppression(into, suppression);
  }
}

/** The destination's values win; `properties` and `location` key by key. */
function bothDetails(source: ProfileDetails, present: ProfileDetails): ProfileDetails {
  const inside = (field: string) => ({
    ...(source[field] as object | undefined),
    ...(present[field] as object | undefined),
  });
  const merged: Record<string, unknown> = { ...source, ...present };
  for (const field of ['properties', 'location']) {
    if (field in merged) merged[field] = inside(field);
  }
  return merged;
}
