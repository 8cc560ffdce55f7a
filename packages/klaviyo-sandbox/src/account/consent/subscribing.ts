import { delayWithin } from '../../settings/delays.js';
import { phoneVerdict } from '../../phone.js';
import { TRACKING_KEYS, type ConsentKey } from '../../store/channel.js';
import type { List } from '../../store/lists.js';
import { Confirmations, type Confirmation, type ConfirmationChannel } from './confirmations.js';
import type { Core } from '../core.js';
import { isReached, type Identifiers } from '../profiles/identity.js';
import type { Grant, SubscribeRow } from './subscribe-row.js';

export interface SubscribeJob {
  rows: readonly SubscribeRow[];
  listId: string | null;
  historical: boolean;
  customSource: string | null;
}

type AppliedRow = SubscribeRow & { joins?: boolean };
type AppliedJob = Pick<SubscribeJob, 'listId' | 'customSource'>;

/** What a person agrees to with a click. */
interface Wish {
  identifiers: Identifiers;
  keys: readonly ConsentKey[];
  listId: string | null;
  customSource: string | null;
}

/**
 * Carries out accepted subscribe calls later: after a delay, or after a click.
 *
 * Double opt-in is only documented for e-mail and texts. So consent to push and WhatsApp is applied
 * without a message, as with single opt-in.
 */
export class Subscribing {
  readonly confirmations: Confirmations<Wish>;

  constructor(private readonly core: Core) {
    const { settings, clock, scheduler } = core;
    this.confirmations = new Confirmations(settings, clock, scheduler, bothWishes, (confirmation) =>
      this.#confirmed(confirmation),
    );
  }

  accept(job: SubscribeJob): void {
    const { losses } = this.core;
    const rows = job.rows
      .filter((row) => !losses.takesNext() && row.grants.length > 0 && !this.#isFiltered(row))
      .map((row) => losses.leftOf(row));
    const asksFirst = !job.historical && this.#optInOf(job.listId) === 'double_opt_in';
    const direct = asksFirst ? rows.flatMap(unasked) : rows;
    this.#after(job.historical ? 'subscribeHistorical' : 'subscribeLive', direct, (row) =>
      this.#apply(row, job, false),
    );
    if (asksFirst) this.#after('confirmationMessage', rows, (row) => this.#ask(row, job));
  }

  #optInOf(listId: string | null) {
    const list = listId === null ? undefined : this.core.lists.get(listId);
    return list?.optIn ?? this.core.settings.account.defaultOptIn;
  }

  #isFiltered({ identifiers: { email } }: SubscribeRow): boolean {
    return (
      email !== null &&
      this.core.settings.filteredDomains.has(email.slice(email.lastIndexOf('@') + 1))
    );
  }

  #after(
    kind: 'subscribeLive' | 'subscribeHistorical' | 'confirmationMessage' | 'confirmed',
    rows: readonly SubscribeRow[],
    effect: (row: SubscribeRow) => void,
  ): void {
    const { delays, seed } = this.core.settings;
    const dues = Float64Array.from(rows, ({ identifiers }) =>
      this.core.clock.in(delayWithin(delays[kind], seed, kind, wordFor(identifiers))),
    );
    this.core.scheduler.each(dues, (i) => effect(rows[i]!));
  }

  #apply(row: AppliedRow, job: AppliedJob, confirmed: boolean): void {
    const now = this.core.clock.wall();
    const { identities } = this.core;
    const index = identities.resolve(row.identifiers, now);
    this.#give(index, row.grants, row, job, confirmed);
    for (const twin of identities.twins(index, row.identifiers)) {
      const grants = row.grants.filter(({ key }) => isReached(twin, key));
      this.#give(twin.index, grants, { ...row, tokens: [] }, job, confirmed);
    }
  }

  #give(
    index: number,
    grants: readonly Grant[],
    { tokens, joins }: Pick<AppliedRow, 'tokens' | 'joins'>,
    { listId, customSource }: AppliedJob,
    confirmed: boolean,
  ): void {
    const now = this.core.clock.wall();
    const given = grants.filter(({ key, consentedAt }) =>
      this.core.book.subscribe(index, { key, consentedAt, customSource, confirmed }, now),
    );
    if (given.some(({ key }) => key === 'mobile_push.marketing')) {
      for (const token of tokens) {
        this.core.profiles.pushTokens.set(index, { ...token, created: now, recorded: now });
      }
    }
    const list = joins === false ? undefined : this.#listToJoin(given, listId);
    if (list === undefined) return;
    const dates = given.map(({ consentedAt }) => consentedAt).filter((date) => date !== null);
    this.core.book.joinAsSubscriber(index, list, dates.length > 0 ? Math.min(...dates) : null);
  }

  /** Tracking alone adds nobody to a list, and neither does consent that was removed since. */
  #listToJoin(given: readonly Grant[], listId: string | null): List | undefined {
    const joins = given.some(({ key }) => !TRACKING_KEYS.includes(key));
    return joins && listId !== null ? this.core.lists.get(listId) : undefined;
  }

  #ask(row: SubscribeRow, job: SubscribeJob): void {
    const { email, phone } = row.identifiers;
    for (const [channel, to] of [['email', email] as const, ['sms', phone] as const]) {
      const keys = keysAskedBy(channel, row);
      if (to === null || keys.length === 0) continue;
      const { listId, customSource } = job;
      const wish: Wish = { identifiers: row.identifiers, keys, listId, customSource };
      if (this.#isAlreadySubscribed(wish)) {
        this.#applyBeside(wish);
        continue;
      }
      const answerable = channel === 'email' || this.#canReply(to);
      this.confirmations.send(channel, to, job.listId, wish, answerable);
    }
  }

  #isAlreadySubscribed({ identifiers, keys, listId }: Wish): boolean {
    const index = this.core.identities.find(identifiers);
    if (index === undefined) return false;
    const subscribed = keys.every((key) => !ASKING.has(key) || this.#isReached(index, key));
    const list = listId === null ? undefined : this.core.lists.get(listId);
    if (!subscribed || list === undefined || list.has(index)) return subscribed;
    if (this.core.settings.switches.subscribedOnDoubleOptIn === 'messaged') return false;
    this.core.book.joinAsSubscriber(index, list, null);
    return true;
  }

  /** Somebody who was suppressed by hand counts as not subscribed, as in Klaviyo's events. */
  #isReached(index: number, key: ConsentKey): boolean {
    const { profiles } = this.core;
    if (profiles.channel(key).get(index)?.consent !== 'SUBSCRIBED') return false;
    const suppressions = key === 'email.marketing' ? profiles.suppressions.get(index) : undefined;
    return suppressions?.some(({ reason }) => reason === 'USER_SUPPRESSED') !== true;
  }

  /** Consent that already existed needs no confirmation. */
  #applyBeside({ identifiers, keys, ...wish }: Wish): void {
    const grants = keys
      .filter((key) => !ASKING.has(key))
      .map((key) => ({ key, consentedAt: null }));
    if (grants.length > 0) this.#apply({ identifiers, grants, tokens: [] }, wish, false);
  }

  #canReply(phone: string): boolean {
    const verdict = phoneVerdict(phone);
    return verdict.kind === 'valid' && this.core.texting.hears(verdict.country);
  }

  #confirmed({ wish }: Confirmation<Wish>): void {
    const row: SubscribeRow = {
      identifiers: wish.identifiers,
      grants: wish.keys.map((key) => ({ key, consentedAt: null })),
      tokens: [],
    };
    this.#after('confirmed', [row], () => this.#apply(row, wish, true));
  }
}

/** The consent that double opt-in asks to confirm, and by which message. */
const ASKING: ReadonlyMap<ConsentKey, ConfirmationChannel> = new Map([
  ['email.marketing', 'email'],
  ['sms.marketing', 'sms'],
  ['sms.transactional', 'sms'],
]);

/**
 * The consent that a message asks to confirm. Tracking waits for the e-mail consent that it came
 * with.
 */
function keysAskedBy(channel: ConfirmationChannel, { grants }: SubscribeRow): ConsentKey[] {
  const keys = grants.map(({ key }) => key);
  const asked = keys.filter((key) => ASKING.get(key) === channel);
  return channel === 'email' && asked.length > 0
    ? [...asked, ...keys.filter((key) => TRACKING_KEYS.includes(key))]
    : asked;
}

/** The rest of a row, which needs no message. The list waits for the confirmation. */
function unasked(row: SubscribeRow): (SubscribeRow & { joins: boolean })[] {
  const asked = [...keysAskedBy('email', row), ...keysAskedBy('sms', row)];
  const grants = row.grants.filter(({ key }) => !asked.includes(key));
  return grants.length > 0 ? [{ ...row, grants, joins: asked.length === 0 }] : [];
}

const bothWishes = (earlier: Wish, later: Wish): Wish => ({
  ...later,
  keys: [...new Set([...earlier.keys, ...later.keys])],
});

function wordFor({ email, phone, profile, anonymousId }: Identifiers): string {
  return email ?? phone ?? anonymousId ?? String(profile);
}
