import type { MessageLine, SubscribedLine, TruthLine } from 'klaviyo-sandbox';
import type { Channel } from '../contracts/channels.js';
import type { ReportedPart } from '../ledger/index.js';

/** Something that the ledger says but that is not true. */
export interface Difference {
  /** Line of the source; null if it is about a person without a row. */
  readonly line: number | null;
  readonly channel: Channel | null;
  readonly outcome: string | null;
  readonly who: string;
  readonly what: string;
}

/** A run in the ledger, and the account before and now. */
export interface Comparison {
  readonly listId: string;
  /** `custom_source` of the run: Klaviyo stores it with e-mail consent. */
  readonly customSource: string;
  readonly startedAt: Date;
  /** The longest time from reading a profile until its outcome is in the ledger. */
  readonly readBackWithinMs: number;
  readonly parts: readonly ReportedPart[];
  readonly before: Iterable<TruthLine>;
  readonly after: Iterable<TruthLine>;
  /** The people in the accepted subscribe calls of the run. */
  readonly carried: readonly SubscribedLine[];
  readonly messages: Iterable<MessageLine>;
  /** Domains whose addresses the account drops silently. */
  readonly droppedDomains: readonly string[];
}

/** The parts of a profile's consent for one channel that are compared. */
export interface Held {
  readonly consent: string;
  /** Epoch ms. */
  readonly at: number | null;
  readonly source: string | null;
  /** The profile gets no mail, whatever the consent says. */
  readonly suppressed: boolean;
  /** One of the suppressions is by hand. */
  readonly suppressedByHand: boolean;
  /** The person opted out of the channel, of all mail, or of mail to the run's list. */
  readonly optedOut: boolean;
  /** Stays the same as long as nothing about the consent changes. */
  readonly mark: string;
}

const NOBODY: Held = {
  consent: 'NEVER_SUBSCRIBED',
  at: null,
  source: null,
  suppressed: false,
  suppressedByHand: false,
  optedOut: false,
  mark: 'NEVER_SUBSCRIBED',
};

function held(profile: TruthLine | undefined, channel: Channel, listId: string): Held {
  if (profile === undefined) return NOBODY;
  const { email, sms } = profile.subscriptions;
  // A membership is about the e-mail address.
  const marketing = channel === 'sms' ? sms.marketing : email.marketing;
  const { consent, consent_timestamp: at } = marketing;
  const suppression = channel === 'sms' ? [] : email.marketing.suppression;
  const ofList =
    channel === 'sms'
      ? []
      : email.marketing.list_suppressions.filter(({ list_id }) => list_id === listId);
  return {
    consent,
    at: at === null ? null : Date.parse(at),
    source: channel === 'sms' ? null : email.marketing.custom_method_detail,
    suppressed: suppression.length > 0,
    suppressedByHand: suppression.some(({ reason }) => reason === 'USER_SUPPRESSED'),
    optedOut: consent === 'UNSUBSCRIBED' || suppression.length > 0 || ofList.length > 0,
    mark: [
      consent,
      ...(at === null ? [] : [at]),
      ...[...suppression, ...ofList].map(({ reason, timestamp }) => `${reason} ${timestamp}`),
    ].join(' '),
  };
}

/** The account's profiles by identifier. */
class Profiles {
  readonly #byEmail = new Map<string, TruthLine>();
  readonly #byPhone = new Map<string, TruthLine>();

  constructor(readonly all: readonly TruthLine[]) {
    for (const profile of all) {
      if (profile.email !== null) this.#byEmail.set(profile.email.toLowerCase(), profile);
      if (profile.phone_number !== null) this.#byPhone.set(profile.phone_number, profile);
    }
  }

  of(who: Pick<ReportedPart, 'channel' | 'email' | 'phoneNumber'>): TruthLine | undefined {
    const { email, phone } = identifierOf(who);
    return email === null ? this.#byPhone.get(phone ?? '') : this.#byEmail.get(email);
  }
}

/** The identifier of a channel's person in the account: e-mail in lower case, or phone. */
function identifierOf({
  channel,
  email,
  phoneNumber,
}: Pick<ReportedPart, 'channel' | 'email' | 'phoneNumber'>): {
  email: string | null;
  phone: string | null;
} {
  if (channel === 'sms') return { email: null, phone: phoneNumber };
  const known = email?.toLowerCase() ?? null;
  return { email: known, phone: channel === 'list' && known === null ? phoneNumber : null };
}

const SENT: ReadonlySet<string | null> = new Set([
  'confirmed',
  'pending_double_opt_in',
  'unconfirmed',
]);

/** What is known about one run, indexed for the comparison. */
export class RunTruth {
  readonly startedAtMs: number;
  readonly #before: Profiles;
  readonly #after: Profiles;
  readonly #carried = new Map<string, number>();
  readonly #messaged = new Set<string>();
  readonly #messagedForAnotherList = new Set<string>();
  readonly #asked = new Map<string, ReportedPart[]>();

  constructor(private readonly comparison: Comparison) {
    this.startedAtMs = comparison.startedAt.getTime();
    this.#before = new Profiles([...comparison.before]);
    this.#after = new Profiles([...comparison.after]);
    for (const line of comparison.carried) {
      for (const key of carriedKeys(line))
        this.#carried.set(key, (this.#carried.get(key) ?? 0) + 1);
    }
    for (const { channel, to, list_id } of comparison.messages) {
      const ours = list_id === comparison.listId;
      (ours ? this.#messaged : this.#messagedForAnotherList).add(`${channel} ${to.toLowerCase()}`);
    }
    for (const part of comparison.parts) {
      const same = this.#asked.get(keyOf(part));
      if (same === undefined) this.#asked.set(keyOf(part), [part]);
      else same.push(part);
    }
  }

  now(part: ReportedPart): Held {
    return this.#held(this.#after.of(part), part.channel);
  }

  then(part: ReportedPart): Held {
    return this.#held(this.#before.of(part), part.channel);
  }

  #held(profile: TruthLine | undefined, channel: Channel): Held {
    return held(profile, channel, this.comparison.listId);
  }

  wasCarried(part: ReportedPart): boolean {
    return this.#carried.has(consentKeyOf(part));
  }

  wasMessaged(part: ReportedPart): boolean {
    return this.#messaged.has(keyOf(part));
  }

  isMember(part: ReportedPart): boolean {
    return this.#isOn(this.#after.of(part));
  }

  wasMember(part: ReportedPart): boolean {
    return this.#isOn(this.#before.of(part));
  }

  #isOn(profile: TruthLine | undefined): boolean {
    return profile?.lists.some(({ id }) => id === this.comparison.listId) ?? false;
  }

  isOurs(part: ReportedPart, now: Held): boolean {
    if (part.channel !== 'sms') return now.source === this.comparison.customSource;
    return now.at !== null && now.at >= this.startedAtMs;
  }

  /** Whether it was not subscribed when it was read; a later click is fine. */
  wasOpenWhenRead(part: ReportedPart): boolean {
    const { consent, at } = this.now(part);
    if (consent !== 'SUBSCRIBED') return true;
    const readAt = (part.settledAt?.getTime() ?? 0) - this.comparison.readBackWithinMs;
    return at !== null && at >= readAt;
  }

  isDropped({ channel, email }: ReportedPart): boolean {
    if (channel === 'sms' || email === null) return false;
    return this.comparison.droppedDomains.includes(email.slice(email.lastIndexOf('@') + 1));
  }

  /** Whether another row with either identifier of the person says something about the channel. */
  hasAnotherStatement({ rowNumber, channel, email, phoneNumber }: ReportedPart): boolean {
    return this.comparison.parts.some(
      (other) =>
        other.rowNumber !== rowNumber &&
        (other.channel === 'suppression' ? 'email' : other.channel) === channel &&
        ((email !== null && other.email === email) ||
          (phoneNumber !== null && other.phoneNumber === phoneNumber)),
    );
  }

  hasAnotherRow(part: ReportedPart): boolean {
    const same = this.#asked.get(keyOf(part)) ?? [];
    return same.some(({ rowNumber }) => rowNumber !== part.rowNumber);
  }

  /** Whether another row, or another part of it, asked for a change of the same consent or suppression. */
  isAskedByAnotherRow(part: ReportedPart): boolean {
    const asked = (channel: Channel) => this.#asked.get(keyOf({ ...part, channel })) ?? [];
    const isEmail =
      part.channel === 'list' || part.channel === 'suppression' || part.channel === 'email';
    const same = isEmail ? [...asked('email'), ...asked('suppression')] : asked(part.channel);
    return same.some(
      ({ rowNumber, channel, outcome, reason }) =>
        (rowNumber !== part.rowNumber || channel !== part.channel) &&
        SENT.has(outcome) &&
        reason !== 'asked_already',
    );
  }

  /**
   * Differences that no row shows: people asked twice, without a row, or against their opt-out;
   * bystanders.
   */
  *beyondTheRows(): Generator<Difference> {
    for (const [key, times] of this.#carried) {
      if (times > 1) yield about(key, `subscribe calls carried it ${times} times`);
      if (!this.#asked.has(key))
        yield about(key, 'a subscribe call carried it, but no row asks for it');
    }
    for (const profile of this.#before.all) {
      for (const [key, channel] of keysOfProfile(profile)) {
        const then = this.#held(profile, channel);
        if (then.optedOut && this.#carried.has(key)) {
          yield about(key, 'a subscribe call carried it against its opt-out');
        }
        // A person from an earlier run who has clicked meanwhile.
        if (this.#messagedForAnotherList.has(key)) continue;
        const now = this.#after.of({
          channel,
          email: profile.email,
          phoneNumber: profile.phone_number,
        });
        const isAsked =
          this.#asked.has(key) || this.#asked.has(key.replace(/^email/, 'suppression'));
        if (!isAsked && this.#held(now, channel).mark !== then.mark) {
          yield about(key, 'no row is about it, but its consent changed');
        }
      }
    }
  }
}

function about(key: string, what: string): Difference {
  return { line: null, channel: null, outcome: null, who: key, what };
}

function keyOf(part: ReportedPart): string {
  const { email, phone } = identifierOf(part);
  return `${part.channel} ${email ?? phone ?? ''}`;
}

/** As `keyOf`; for a membership, the consent that it must not add. */
function consentKeyOf(part: ReportedPart): string {
  return keyOf(part.channel === 'list' ? { ...part, channel: 'email' } : part);
}

function carriedKeys({ channels, email, phone_number }: SubscribedLine): string[] {
  return [
    ...(channels.includes('email') ? [`email ${(email ?? '').toLowerCase()}`] : []),
    ...(channels.includes('sms') ? [`sms ${phone_number ?? ''}`] : []),
  ];
}

function keysOfProfile({ email, phone_number }: TruthLine): [string, Channel][] {
  return [
    ...(email === null ? [] : [[`email ${email.toLowerCase()}`, 'email'] as [string, Channel]]),
    ...(phone_number === null ? [] : [[`sms ${phone_number}`, 'sms'] as [string, Channel]]),
  ];
}
