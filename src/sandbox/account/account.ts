import { Clock } from '../clock.js';
import { isoDate, isoDateOrNull } from '../dates.js';
import { people, type Population } from '../generator.js';
import { Latencies } from '../latency.js';
import { shareOf, type ListOptions, type SegmentOptions, type Settings } from '../options.js';
import { Scheduler } from '../scheduler.js';
import { ListStore, type List } from '../store/lists.js';
import { ProfileStore } from '../store/profiles.js';
import { SegmentStore, type Segment } from '../store/segments.js';
import { ConsentBook } from './consent.js';
import type { Core } from './core.js';
import { Deleting } from './deleting.js';
import { Exporting } from './exporting.js';
import type { Fault } from './fault.js';
import { FaultQueue } from './faults.js';
import { Identities } from './identity.js';
import { Importing } from './importing.js';
import { Journal } from './journal.js';
import { Labels } from './labels.js';
import { Listing } from './listing.js';
import { Merging } from './merging.js';
import { ProfileChanges } from './profile-changes.js';
import { PushTokens } from './push-tokens.js';
import { RequestLog, type EndpointCounts, type SubscribedLine } from './request-log.js';
import { RequestTrail } from './request-trail.js';
import { Seeding, type SeedProfile } from './seeding.js';
import { Segmenting } from './segmenting.js';
import { Subscribing } from './subscribing.js';
import { Suppressing } from './suppressing.js';
import { Texting } from './texting.js';
import { subscriptionsOf, type SubscriptionsView } from './subscriptions-view.js';
import { Webhooks } from './webhooks.js';

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
  readonly segments = new SegmentStore();
  readonly journal: Journal;
  readonly book: ConsentBook;
  readonly identities: Identities;
  readonly changes: ProfileChanges;
  readonly merging: Merging;
  readonly deleting: Deleting;
  readonly pushTokens: PushTokens;
  readonly listing: Listing;
  readonly segmenting: Segmenting;
  readonly subscribing: Subscribing;
  readonly suppressing: Suppressing;
  readonly importing: Importing;
  readonly texting: Texting;
  readonly exporting: Exporting;
  readonly webhooks: Webhooks;
  readonly log = new RequestLog();
  /** The latest requests, one by one. */
  readonly trail = new RequestTrail();
  readonly faults: FaultQueue;
  readonly latency: Latencies;
  /** Set by the `revoke_key` fault. */
  keyRevoked = false;
  readonly #seeding: Seeding;
  /** Numbers of the next made-up person and phone. */
  readonly #invented = { person: 0, phone: 0 };
  /** When the account was opened: dates of senders and configuration. */
  readonly openedAt: number;

  /** @param endpoints what faults can name: operation ids, and methods with paths */
  constructor(
    readonly settings: Settings,
    endpoints: ReadonlySet<string>,
  ) {
    this.clock = new Clock(settings.speed);
    this.faults = new FaultQueue(endpoints, settings.seed, this.clock);
    this.latency = new Latencies(settings.seed, endpoints);
    this.latency.set(settings.latency);
    this.openedAt = this.clock.wall();
    this.scheduler = new Scheduler(this.clock);
    this.profiles = new ProfileStore(settings.seed);
    this.journal = new Journal(settings, this.clock, this.scheduler);
    this.book = new ConsentBook(this.profiles, this.clock, this.journal);
    this.identities = new Identities(this);
    this.changes = new ProfileChanges(this);
    this.merging = new Merging(this);
    this.deleting = new Deleting(this);
    this.pushTokens = new PushTokens(this);
    const labels = new Labels(settings.seed);
    this.listing = new Listing(this, labels);
    this.segmenting = new Segmenting(this, labels);
    this.texting = new Texting(this);
    this.exporting = new Exporting(this);
    this.subscribing = new Subscribing(this);
    this.suppressing = new Suppressing(this);
    this.webhooks = new Webhooks(this);
    this.importing = new Importing(this);
    this.#seeding = new Seeding(this.profiles, this.lists, this.identities, this.clock);
    for (const list of settings.lists) this.listing.create(list);
    for (const segment of settings.segments) this.segmenting.open(segment);
  }

  /** @throws RangeError where the id is taken or the name is missing */
  createList(options: ListOptions): List {
    return this.listing.create(options);
  }

  /**
   * A new segment, as somebody makes it in Klaviyo: members show after the `segment` delay.
   *
   * @throws RangeError where the id is taken, the name is missing or the rule is none
   */
  createSegment(options: SegmentOptions): Segment {
    this.scheduler.runDue();
    return this.segmenting.create(options);
  }

  /**
   * People enter and leave a segment without a rule; it shows after the `segmentMember` delay.
   *
   * @throws RangeError for an unknown segment, one with a rule, or somebody without a profile
   */
  moveInSegment(id: string, moves: { enter?: Person[]; leave?: Person[] }): void {
    const numbersOf = (people: unknown = []) => {
      if (Array.isArray(people)) return people.map((who: Person) => this.#numberOf({ ...who }));
      throw new RangeError('enter and leave must be arrays of people');
    };
    this.segmenting.move(id, { enter: numbersOf(moves.enter), leave: numbersOf(moves.leave) });
  }

  /** @throws RangeError for an unknown segment */
  deleteSegment(id: string): void {
    this.segmenting.delete(id);
  }

  /**
   * Made-up people, who were not made up before; `seed` puts them into the account.
   *
   * @throws RangeError naming what is out of its range
   */
  invent(population: Population): Iterable<SeedProfile> {
    return people(population, {
      seed: this.settings.seed,
      lists: this.lists.all().map(({ id }) => id),
      now: this.clock.wall(),
      next: this.#invented,
    });
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

  /** Counters, log and the people of subscribe calls begin anew. */
  forgetRequests(): void {
    this.log.clear();
    this.trail.clear();
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

  /** The carrier takes the number back: SMS consent ends. @throws RangeError without a profile */
  deactivatePhone({ phone_number }: Person): void {
    const index = this.#known('phone_number', phone_number);
    this.book.deactivatePhone(index, this.settings.switches.personOptOutMovesUpdated);
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
    const shares = { share: shareOf('share', share), smsShare: shareOf('smsShare', smsShare) };
    Object.assign(this.settings.clicks, shares);
    this.subscribing.confirmations.setShare(share, smsShare);
  }

  close(): void {
    this.exporting.close();
    this.webhooks.close();
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

  #numberOf({ email, phone_number }: Person): number {
    return email === undefined
      ? this.#known('phone_number', phone_number)
      : this.#known('email', email.toLowerCase());
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
