import { foldEmail } from '../contracts/addresses.js';
import { isPhoneChannel } from '../contracts/channels.js';
import type { ProfileConsent, SuppressionReason } from '../klaviyo/index.js';
import type { ConsentBefore, OpenPart, OpenRow, OptOut, Settlement } from '../ledger/index.js';
import { guardPart } from './guard.js';
import type { GuardVerdict } from './operations/operation.js';
import type { GuardedRun } from './opt-outs.js';
import { consentHeld, type Known, mayBeOneProfile, profilesFor } from './person.js';

/** What may be sent for a row's person, from all that is known about them at one time. */
export interface Judgement {
  readonly before: ConsentBefore;
  /** Parts that must not or need not be sent. */
  readonly settlements: readonly Settlement[];
  /** Already subscribed, so only the membership of the run's list is missing. */
  readonly joinsList: boolean;
}

/**
 * Judges all open parts of a row together. A reading counts for all of a person's channels, even
 * those in other jobs, so that none is sent on a reading that was checked only for another channel.
 * Pure.
 *
 * @param row with all its open, unsent parts
 */
export function judgePerson(row: OpenRow, known: Known, run: GuardedRun): Judgement {
  const { rowNumber } = row;
  const verdicts = row.parts.map((part) => ({ part, verdict: guardPart(part, known, run) }));
  return {
    before: {
      rowNumber,
      oneProfile: mayBeOneProfile(row, known.held),
      parts: row.parts.map(({ channel }) => {
        const held = consentHeld(channel, profilesFor(channel, known.held));
        return { channel, consent: held?.consent ?? null, at: held?.at ?? null };
      }),
    },
    settlements: verdicts.flatMap(({ part: { channel }, verdict }): Settlement[] => {
      if (verdict.send) return [];
      const { outcome, reason } = verdict;
      return [{ rowNumber, channel, outcome, reason, settledBy: 'guard' }];
    }),
    joinsList: belongsOnList(row, known, run, verdicts),
  };
}

/**
 * Whether an already subscribed person, for whom nothing else is sent, is added to the list. Not if
 * they opted out of any of the row's channels or of mail. Nor if the row's e-mail address, which
 * the membership is asked for by, belongs to another person than the subscribed phone number.
 */
function belongsOnList(
  row: OpenRow,
  known: Known,
  run: GuardedRun,
  verdicts: readonly { readonly part: OpenPart; readonly verdict: GuardVerdict }[],
): boolean {
  if (run.listId === null) return false;
  const [member] = row.email === null ? known.held.byPhone : known.held.byEmail;
  const consented = verdicts.every(
    ({ part: { channel }, verdict }) =>
      !verdict.send &&
      verdict.outcome === 'already_consented' &&
      profilesFor(channel, known.held).every(({ id }) => id === member?.id),
  );
  return consented && guardPart(MEMBERSHIP, known, run).send;
}

const MEMBERSHIP: OpenPart = {
  channel: 'list',
  operation: 'add_to_list',
  consentedAt: null,
  submissionId: null,
  unsent: true,
};

/**
 * The opt-outs that profiles show and that are no older than `since`: a run may have sent a
 * subscribe before Klaviyo showed them, which would undo them.
 *
 * @param undated date of opt-outs that Klaviyo does not date; null leaves them out
 */
export function optOutsShown(
  profiles: Iterable<ProfileConsent>,
  since: Date,
  undated: Date | null = null,
): OptOut[] {
  return [...profiles]
    .flatMap((profile) => optOutsOfProfile(profile, undated?.toISOString() ?? null))
    .filter(({ at }) => Date.parse(at) >= since.getTime());
}

/** Suppressions that a person asked for and that a subscribe lifts; bounces are neither. */
export const SAYS_NO: ReadonlySet<SuppressionReason> = new Set([
  'UNSUBSCRIBE',
  'SPAM_COMPLAINT',
  'USER_SUPPRESSED',
  'unknown',
]);

function optOutsOfProfile(profile: ProfileConsent, undated: string | null): OptOut[] {
  const { emailMarketing, smsMarketing, smsTransactional, whatsappMarketing, pushMarketing } =
    profile;
  const email = foldEmail(profile.email);
  const said: (Omit<OptOut, 'identifier' | 'source' | 'at'> & {
    readonly identifier: string | null;
    readonly at: string | null;
  })[] = [];
  if (emailMarketing !== null) {
    const { consent, consentedAt, suppressions, listSuppressions } = emailMarketing;
    const identifier = email;
    if (consent === 'UNSUBSCRIBED') {
      said.push({ channel: 'email', identifier, listId: null, at: consentedAt });
    }
    for (const { reason, timestamp: at } of suppressions) {
      if (!SAYS_NO.has(reason)) continue;
      said.push({ channel: 'email', identifier, listId: null, at });
    }
    for (const { listId, timestamp: at } of listSuppressions ?? []) {
      for (const identifier of [email, profile.phoneNumber]) {
        said.push({ channel: 'email', identifier, listId, at });
      }
    }
  }
  for (const [channel, held] of [
    ['sms', smsMarketing],
    ['sms_transactional', smsTransactional],
    ['whatsapp', whatsappMarketing],
  ] as const) {
    if (held?.consent !== 'UNSUBSCRIBED') continue;
    said.push({ channel, identifier: profile.phoneNumber, listId: null, at: held.consentedAt });
  }
  if (pushMarketing?.consent === 'UNSUBSCRIBED') {
    const at = pushMarketing.consentedAt;
    for (const identifier of [email, profile.phoneNumber]) {
      said.push({ channel: 'push', identifier, listId: null, at });
    }
  }
  return said.flatMap(({ identifier, at: dated, ...optOut }): OptOut[] => {
    const at = dated ?? undated;
    if (identifier === null || at === null) return [];
    return [{ ...optOut, identifier, at, source: 'profile' }];
  });
}

/**
 * The addresses to look up at Klaviyo: ours in lower case, and the spelling of the source, which
 * finds a profile with capitals if the filter is case-sensitive.
 */
export function spellingsOf({ email, rawEmail }: Pick<OpenRow, 'email' | 'rawEmail'>): string[] {
  if (email === null) return [];
  const raw = rawEmail ?? '';
  const at = foldEmail(raw).indexOf(email);
  const written = at === -1 ? email : raw.slice(at, at + email.length);
  return written === email ? [email] : [email, written];
}

/** The phone number is looked up if a part needs it, or if the row has nothing else. */
export function needsPhone(row: Pick<OpenRow, 'email' | 'parts'>): boolean {
  return row.email === null || row.parts.some(({ channel }) => isPhoneChannel(channel));
}
