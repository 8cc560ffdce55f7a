import { isTextChannel, TEXT_CHANNELS, type ConsentChannel } from '../contracts/channels.js';
import type { Reason } from '../contracts/outcomes.js';
import { consentOf, type ProfileConsent } from '../klaviyo/profiles/profile-consent.js';
import type { GivenConsent } from '../ledger/index.js';

/**
 * Why a consent may not be taken back, from what Klaviyo shows now; null if it is certainly the one
 * that the program gave. In doubt it is not.
 *
 * @param profiles with the channel's identifier: all of them must have it from the program, or be out
 * @param given undefined if the ledger does not know that the program gave it
 */
export function whyNotOurs(
  channel: ConsentChannel,
  profiles: readonly ProfileConsent[],
  given: GivenConsent | undefined,
): Reason | null {
  if (given === undefined) return 'consent_origin_unknown';
  if (given.isAskedElsewhere) return 'asked_for_elsewhere';
  const held = profiles.filter(
    (profile) => consentOf(profile, channel)?.consent !== 'UNSUBSCRIBED',
  );
  if (held.length === 0) return 'not_subscribed';
  return held.map((profile) => whyNotOurIn(profile, channel, given)).find(isReason) ?? null;
}

const isReason = (reason: Reason | null): reason is Reason => reason !== null;

function whyNotOurIn(
  profile: ProfileConsent,
  channel: ConsentChannel,
  given: GivenConsent,
): Reason | null {
  const present = consentOf(profile, channel);
  if (present === null || present.consent === 'NEVER_SUBSCRIBED') return 'not_subscribed';
  const origin = originOf(profile, channel);
  if (present.consent === 'unknown' || present.consentedAt === null)
    return 'consent_origin_unknown';
  if (origin === null) return 'consent_origin_unknown';
  const age = ageOf(Date.parse(present.consentedAt), given);
  if (age === 'newer') return 'renewed_elsewhere';
  if (age === 'older') return 'given_by_another';
  const isOurs = origin.isApi && (channel !== 'email' || origin.source === given.source);
  if (!isOurs) return given.consentedAt === null ? 'renewed_elsewhere' : 'given_by_another';
  if (Date.parse(origin.changedAt ?? '') > given.readBackAt.getTime() + LATE_MS) {
    return 'renewed_elsewhere';
  }
  return isTextChannel(channel) ? endsOtherTexts(profile, channel) : null;
}

interface Origin {
  readonly isApi: boolean;
  /** Null where Klaviyo does not show it, as for texts. */
  readonly source: string | null;
  /** When anything about the consent was changed last. */
  readonly changedAt: string | null;
}

/** How the present consent was given; null if Klaviyo does not say, as for WhatsApp and push. */
function originOf(profile: ProfileConsent, channel: ConsentChannel): Origin | null {
  const { emailMarketing, smsMarketing, smsTransactional } = profile;
  const held = { email: emailMarketing, sms: smsMarketing, sms_transactional: smsTransactional };
  const shown = channel in held ? held[channel as keyof typeof held] : null;
  const method = shown?.method ?? '';
  if (shown === null || method === '') return null;
  const source = channel === 'email' ? (emailMarketing?.customMethodDetail ?? null) : null;
  return { isApi: method.toUpperCase() === 'API', source, changedAt: shown.lastUpdated };
}

/** Klaviyo shows dates with microseconds, and takes dates of whole seconds. */
const SAME_MS = 1_000;

/** Klaviyo's clock is known to a second or two. */
const CLOCK_MS = 5_000;

/** What belongs to a call, such as joining its list, may be dated some seconds after its consent. */
const LATE_MS = 60_000;

/** Whoever joins a list after this did not do so by the program's call. */
export function joinedAfter({ readBackAt }: GivenConsent): Date {
  return new Date(readBackAt.getTime() + LATE_MS);
}

/**
 * Whether a date of consent is that of the program's call. Back-dated consent has the date that was sent.
 * Other consent has Klaviyo's time of processing: the date that a profile showed when it was read back, or
 * if only an event proved it, which is dated on its own, one between the call and that reading.
 */
function ageOf(at: number, given: GivenConsent): 'same' | 'older' | 'newer' {
  const known = given.consentedAt ?? given.shownAt;
  const earliest = known === null ? given.sentAt.getTime() : known.getTime() - SAME_MS;
  const latest = known === null ? given.readBackAt.getTime() + CLOCK_MS : known.getTime() + SAME_MS;
  if (Number.isNaN(at) || at < earliest) return 'older';
  return at > latest ? 'newer' : 'same';
}

/**
 * An unsubscribe from one kind of texts ends the other one too. It may only end what came with the same
 * call, which has the same date.
 */
function endsOtherTexts(profile: ProfileConsent, channel: ConsentChannel): Reason | null {
  const ours = consentOf(profile, channel)?.consentedAt ?? null;
  const ends = TEXT_CHANNELS.some((other) => {
    const held = consentOf(profile, other);
    const isHeld = held?.consent === 'SUBSCRIBED' || held?.consent === 'unknown';
    return isHeld && held.consentedAt !== ours;
  });
  return ends ? 'ends_other_texts' : null;
}
