import { foldEmail } from '../contracts/addresses.js';
import { CONSENT_CHANNELS } from '../contracts/channels.js';
import {
  consentOf,
  type ChannelConsent,
  type ConsentState,
  type EmailMarketing,
  type ProfileConsent,
  type SmsConsent,
} from '../klaviyo/profiles/profile-consent.js';
import type { MirroredProfile } from '../ledger/index.js';

/** What is kept of a profile's consent: all that the guard decides by. Absent: it has none. */
interface KeptConsent {
  readonly email?: KeptEmail;
  readonly sms?: Kept;
  readonly smsTransactional?: Kept;
  readonly whatsapp?: Kept;
  readonly push?: Kept;
}

interface Kept {
  readonly is: ConsentState;
  /** When it was given or withdrawn; absent if Klaviyo does not say. */
  readonly at?: string;
}

interface KeptEmail extends Kept {
  /** Absent: none. */
  readonly suppressions?: EmailMarketing['suppressions'];
  /** Absent: Klaviyo did not say. */
  readonly lists?: NonNullable<EmailMarketing['listSuppressions']>;
}

/** What the ledger keeps of a profile. */
export function toMirrored(profile: ProfileConsent): MirroredProfile {
  const { id, email, phoneNumber, emailMarketing } = profile;
  const consent: KeptConsent = {
    ...(emailMarketing === null ? {} : { email: keptEmail(emailMarketing) }),
    ...keptAs('sms', profile.smsMarketing),
    ...keptAs('smsTransactional', profile.smsTransactional),
    ...keptAs('whatsapp', profile.whatsappMarketing),
    ...keptAs('push', profile.pushMarketing),
  };
  return { id, email: foldEmail(email), phoneNumber, saysNo: saysNo(profile), consent };
}

/** The profile as the guard needs it: with what else Klaviyo said of its consent left out. */
export function fromMirrored({ id, email, phoneNumber, consent }: MirroredProfile): ProfileConsent {
  const kept: KeptConsent = consent;
  return {
    id,
    email,
    phoneNumber,
    emailMarketing: kept.email === undefined ? null : emailOf(kept.email),
    smsMarketing: smsOf(kept.sms),
    smsTransactional: smsOf(kept.smsTransactional),
    whatsappMarketing: channelOf(kept.whatsapp),
    pushMarketing: channelOf(kept.push),
    emailTracking: { opens: null, clicks: null },
    joinedAt: null,
  };
}

/** Whether the person opted out of anything, or may have. */
function saysNo(profile: ProfileConsent): boolean {
  const { email, emailMarketing } = profile;
  if (isUnknown(profile)) return true;
  if (CONSENT_CHANNELS.some((each) => consentOf(profile, each)?.consent === 'UNSUBSCRIBED'))
    return true;
  if (emailMarketing === null) return false;
  const { suppressions, listSuppressions } = emailMarketing;
  const lists = listSuppressions ?? (email === null ? [] : null);
  return suppressions.length > 0 || lists === null || lists.length > 0;
}

/** Whether Klaviyo did not say what consent the profile has for some channel. */
export function isUnknown(profile: ProfileConsent): boolean {
  return CONSENT_CHANNELS.some((channel) => consentOf(profile, channel)?.consent === 'unknown');
}

function kept({ consent, consentedAt }: ChannelConsent): Kept {
  return { is: consent, ...(consentedAt === null ? {} : { at: consentedAt }) };
}

function keptAs(channel: keyof KeptConsent, held: ChannelConsent | null): KeptConsent {
  return held === null ? {} : { [channel]: kept(held) };
}

function keptEmail(held: EmailMarketing): KeptEmail {
  const { suppressions, listSuppressions } = held;
  return {
    ...kept(held),
    ...(suppressions.length === 0 ? {} : { suppressions }),
    ...(listSuppressions === null ? {} : { lists: listSuppressions }),
  };
}

function channelOf(kept: Kept | undefined): ChannelConsent | null {
  return kept === undefined ? null : { consent: kept.is, consentedAt: kept.at ?? null };
}

const NOT_KEPT = { canReceive: null, method: null, lastUpdated: null } as const;

function smsOf(kept: Kept | undefined): SmsConsent | null {
  const held = channelOf(kept);
  return held && { ...held, ...NOT_KEPT };
}

function emailOf(kept: KeptEmail): EmailMarketing {
  return {
    consent: kept.is,
    consentedAt: kept.at ?? null,
    ...NOT_KEPT,
    doubleOptIn: null,
    customMethodDetail: null,
    suppressions: kept.suppressions ?? [],
    listSuppressions: kept.lists ?? null,
  };
}
