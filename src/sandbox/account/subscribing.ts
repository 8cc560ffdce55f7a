import { delayWithin } from '../delays.js';
import { phoneVerdict } from '../phone.js';
import type { ConsentKey } from '../store/channel.js';
import type { List } from '../store/lists.js';
import { Confirmations, type Confirmation, type ConfirmationChannel } from './confirmations.js';
import type { Core } from './core.js';
import type { Identifiers } from './identity.js';

export interface Grant {
  key: ConsentKey;
  /** Epoch ms; null for consent given now. */
  consentedAt: number | null;
}

/** One row of an accepted subscribe call: what is left after the checks. */
export interface SubscribeRow {
  identifiers: Identifiers;
  grants: readonly Grant[];
}

export interface SubscribeJob {
  rows: readonly SubscribeRow[];
  listId: string | null;
  historical: boolean;
  customSource: string | null;
}

/** What a person agrees to with a click. */
interface Wish {
  identifiers: Identifiers;
  keys: readonly ConsentKey[];
  listId: string | null;
  customSource: string | null;
}

/** Carries accepted subscribe calls out, later: at once after a delay, or after a click. */
export class Subscribing {
  readonly confirmations: Confirmations<Wish>;

  constructor(private readonly core: Core) {
    const { settings, clock, scheduler } = core;
    this.confirmations = new Confirmations(settings, clock, scheduler, (confirmation) =>
      this.#confirmed(confirmation),
    );
  }

  accept(job: SubscribeJob): void {
    const rows = job.rows.filter((row) => row.grants.length > 0 && !this.#isFiltered(row));
    const asksFirst = !job.historical && this.#optInOf(job.listId) === 'double_opt_in';
    const direct = asksFirst ? rows.flatMap((row) => without(row, ASKING)) : rows;
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

  #apply(
    row: SubscribeRow,
    { listId, customSource }: Pick<SubscribeJob, 'listId' | 'customSource'>,
    confirmed: boolean,
  ): void {
    const index = this.core.identities.resolve(row.identifiers, this.core.clock.wall());
    for (const { key, consentedAt } of row.grants) {
      this.core.book.subscribe(index, { key, consentedAt, customSource, confirmed });
    }
    const list = this.#listToJoin(row, listId);
    if (list === undefined) return;
    const dates = row.grants.map(({ consentedAt }) => consentedAt).filter((date) => date !== null);
    this.core.book.joinAsSubscriber(index, list, dates.length > 0 ? Math.min(...dates) : null);
  }

  /** Open tracking alone puts nobody on a list. */
  #listToJoin(row: SubscribeRow, listId: string | null): List | undefined {
    const joins = row.grants.some(({ key }) => key !== 'email.open_tracking');
    return joins && listId !== null ? this.core.lists.get(listId) : undefined;
  }

  #ask(row: SubscribeRow, job: SubscribeJob): void {
    const { email, phone } = row.identifiers;
    for (const [channel, to] of [['email', email] as const, ['sms', phone] as const]) {
      const keys = row.grants.map(({ key }) => key).filter((key) => ASKING.get(key) === channel);
      if (to === null || keys.length === 0) continue;
      const { listId, customSource } = job;
      const wish: Wish = { identifiers: row.identifiers, keys, listId, customSource };
      if (this.#isAlreadySubscribed(wish)) continue;
      const answerable = channel === 'email' || this.#canReply(to);
      this.confirmations.send(channel, to, job.listId, wish, answerable);
    }
  }

  #isAlreadySubscribed({ identifiers, keys, listId }: Wish): boolean {
    const index = this.core.identities.find(identifiers);
    if (index === undefined) return false;
    const subscribed = keys.every(
      (key) => this.core.profiles.channel(key).get(index)?.consent === 'SUBSCRIBED',
    );
    const list = listId === null ? undefined : this.core.lists.get(listId);
    if (!subscribed || list === undefined || list.has(index)) return subscribed;
    if (this.core.settings.switches.subscribedOnDoubleOptIn === 'messaged') return false;
    this.core.book.joinAsSubscriber(index, list, null);
    return true;
  }

  #canReply(phone: string): boolean {
    const verdict = phoneVerdict(phone);
    return (
      verdict.kind === 'valid' &&
      this.core.settings.sms.senders.some(
        ({ country, status, type }) =>
          country === verdict.country && status === 'active' && type !== 'alpha',
      )
    );
  }

  #confirmed({ wish }: Confirmation<Wish>): void {
    const row: SubscribeRow = {
      identifiers: wish.identifiers,
      grants: wish.keys.map((key) => ({ key, consentedAt: null })),
    };
    this.#after('confirmed', [row], () => this.#apply(row, wish, true));
  }
}

/** Consent that double opt-in asks for, and by which message. */
const ASKING: ReadonlyMap<ConsentKey, ConfirmationChannel> = new Map([
  ['email.marketing', 'email'],
  ['sms.marketing', 'sms'],
  ['sms.transactional', 'sms'],
]);

function without(row: SubscribeRow, keys: ReadonlyMap<ConsentKey, unknown>): SubscribeRow[] {
  const grants = row.grants.filter(({ key }) => !keys.has(key));
  return grants.length > 0 ? [{ ...row, grants }] : [];
}

function wordFor({ email, phone, profile }: Identifiers): string {
  return email ?? phone ?? String(profile);
}
