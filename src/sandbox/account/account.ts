import { shortId } from '../chance.js';
import { Clock } from '../clock.js';
import { isoDate, isoDateOrNull } from '../dates.js';
import { shareOf, type ListOptions, type Settings } from '../options.js';
import { Scheduler } from '../scheduler.js';
import { List, ListStore } from '../store/lists.js';
import { ProfileStore } from '../store/profiles.js';
import { ConsentBook } from './consent.js';
import type { Core } from './core.js';
import { FaultQueue, type Fault } from './faults.js';
import { Identities } from './identity.js';
import { Importing } from './importing.js';
import { Journal } from './journal.js';
import { RequestLog, type EndpointCounts, type SubscribedLine } from './request-log.js';
import { Seeding, type SeedProfile } from './seeding.js';
import { Subscribing } from './subscribing.js';
import { subscriptionsOf, type SubscriptionsView } from './subscriptions-view.js';

/** What is true of one profile, whatever the API has shown so far. */
export interface TruthLine {
  id: string;
  email: string | null;
  phone_number: string | null;
  created: string;
  updated: string;
  subscriptions: SubscriptionsView;
  lists: { id: string; joined_group_at: string }[];
}

/** One person's double opt-in messages for one list. */
export interface MessageLine {
  channel: 'email' | 'sms';
  to: string;
  list_id: string | null;
  sent_at: string;
  count: number;
  clicked_at: string | null;
}

/** Who a control call is about. */
export interface Person {
  email?: string;
  phone_number?: string;
}

/**
 * The simulated account: its data, what is under way, and everything that `/sandbox/` can ask of
 * it. Methods take and give the same shapes as the control surface.
 */
export class SandboxAccount implements Core {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly profiles: ProfileStore;
  readonly lists = new ListStore();
  readonly journal: Journal;
  readonly book: ConsentBook;
  readonly identities: Identities;
  readonly subscribing: Subscribing;
  readonly importing: Importing;
  readonly log = new RequestLog();
  readonly faults: FaultQueue;
  /** Set by the `revoke_key` fault. */
  keyRevoked = false;
  readonly #seeding: Seeding;
  #listsMade = 0;
  /** When the account was opened: dates of senders and configuration. */
  readonly openedAt: number;

  /** @param endpoints what faults can name: operation ids, and methods with paths */
  constructor(
    readonly settings: Settings,
    endpoints: ReadonlySet<string>,
  ) {
    this.faults = new FaultQueue(endpoints);
    this.clock = new Clock(settings.speed);
    this.openedAt = this.clock.wall();
    this.scheduler = new Scheduler(this.clock);
    this.profiles = new ProfileStore(settings.seed);
    this.journal = new Journal(settings, this.clock, this.scheduler);
    this.book = new ConsentBook(this.profiles, this.clock, this.journal);
    const { twoProfiles } = settings.switches;
    this.identities = new Identities(this.profiles, this.lists, this.book, twoProfiles);
    this.subscribing = new Subscribing(this);
    this.importing = new Importing(this);
    this.#seeding = new Seeding(this.profiles, this.lists, this.identities, this.clock);
    for (const list of settings.lists) this.createList(list);
  }

  /** @throws RangeError where the id is taken or the name is missing */
  createList({ id, name, opt_in_process }: ListOptions): List {
    if (typeof name !== 'string' || name === '') throw new RangeError('a list needs a name');
    const optIn = opt_in_process ?? this.settings.account.defaultOptIn;
    if (optIn !== 'single_opt_in' && optIn !== 'double_opt_in') {
      throw new RangeError(
        `opt_in_process must be single_opt_in or double_opt_in; got ${String(optIn)}`,
      );
    }
    const listId = id ?? shortId(this.settings.seed, 'list', String(this.#listsMade));
    this.#listsMade += 1;
    if (this.lists.get(listId) !== undefined) throw new RangeError(`list "${listId}" exists`);
    const list = new List(listId, name, optIn, this.clock.wall());
    this.lists.add(list);
    return list;
  }

  /** Adds a profile, or the given consent to the profile that has its identifiers. */
  seed(profile: SeedProfile): void {
    this.#seeding.add(profile);
  }

  *truth(): Generator<TruthLine> {
    this.scheduler.runDue();
    for (const index of this.profiles.all()) yield this.#truthOf(index);
  }

  /** Truth of one person; undefined where there is no profile. */
  truthFor({ email, phone_number }: Person): TruthLine | undefined {
    this.scheduler.runDue();
    const index = this.identities.find({
      email: email?.toLowerCase() ?? null,
      phone: phone_number ?? null,
    });
    return index === undefined ? undefined : this.#truthOf(index);
  }

  *messages(): Generator<MessageLine> {
    this.scheduler.runDue();
    for (const confirmation of this.subscribing.confirmations.all()) {
      yield {
        channel: confirmation.channel,
        to: confirmation.to,
        list_id: confirmation.listId,
        sent_at: isoDate(confirmation.sentAt),
        count: confirmation.count,
        clicked_at: isoDateOrNull(confirmation.clickedAt),
      };
    }
  }

  requests(): EndpointCounts[] {
    return this.log.counters();
  }

  subscribed(): Generator<SubscribedLine> {
    return this.log.subscribed();
  }

  /**
   * The person confirms every open message to the address (`list_id`: only that list's). Returns
   * how many; the consent shows after the `confirmed` delay.
   */
  click(who: Person & { list_id?: string | null }): number {
    this.scheduler.runDue();
    const { confirmations } = this.subscribing;
    const addresses = [who.email?.toLowerCase(), who.phone_number];
    return addresses.reduce(
      (clicked, to) => clicked + (to === undefined ? 0 : confirmations.click(to, who.list_id)),
      0,
    );
  }

  /** The person follows the unsubscribe link of a mail. @throws RangeError without a profile */
  unsubscribe({ email }: Person): void {
    const index = this.#known('email', email?.toLowerCase());
    const { personOptOutMovesUpdated } = this.settings.switches;
    this.book.unsubscribe(index, 'email.marketing', 'PREFERENCE_PAGE', personOptOutMovesUpdated);
  }

  /** The person texts STOP. @throws RangeError without a profile */
  stopSms({ phone_number }: Person): void {
    const index = this.#known('phone_number', phone_number);
    const { personOptOutMovesUpdated } = this.settings.switches;
    this.book.unsubscribe(index, 'sms.marketing', 'TEXT', personOptOutMovesUpdated);
  }

  addFault(fault: Fault): void {
    this.faults.add(fault);
  }

  /** Empties the queue of faults and gives a revoked key back. */
  clearFaults(): void {
    this.faults.clear();
    this.keyRevoked = false;
  }

  /** Skips `ms` of Klaviyo's time: delayed effects up to then apply at once, rate windows end. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`ms must be a number from 0, got ${String(ms)}`);
    this.clock.advance(ms);
    this.scheduler.runDue();
  }

  /** Share of the people who click from now on, messages that wait already included. */
  setClicks(share: number, smsShare = share): void {
    const { confirmations } = this.subscribing;
    confirmations.setShare(shareOf('share', share), shareOf('smsShare', smsShare));
  }

  close(): void {
    this.scheduler.close();
  }

  #known(field: 'email' | 'phone_number', value: string | undefined): number {
    this.scheduler.runDue();
    if (value === undefined) throw new RangeError(`${field} is missing`);
    const index =
      field === 'email' ? this.profiles.withEmail(value) : this.profiles.withPhone(value);
    if (index === undefined) throw new RangeError(`no profile has the ${field} ${value}`);
    return index;
  }

  #truthOf(index: number): TruthLine {
    const lists = this.lists.all().flatMap((list) => {
      const joined = list.joinedAt(index);
      return joined === undefined ? [] : [{ id: list.id, joined_group_at: isoDate(joined) }];
    });
    return {
      id: this.profiles.id(index),
      email: this.profiles.email(index),
      phone_number: this.profiles.phone(index),
      created: isoDate(this.profiles.created(index)),
      updated: isoDate(this.profiles.updated(index)),
      subscriptions: subscriptionsOf(this.profiles, index),
      lists,
    };
  }
}
