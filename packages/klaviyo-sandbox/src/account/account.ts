import { Clock } from '../time/clock.js';
import { people, type Population } from '../people/generator.js';
import { Latencies } from '../settings/latency.js';
import {
  shareOf,
  type ListOptions,
  type SegmentOptions,
  type Settings,
} from '../settings/options.js';
import { Scheduler } from '../time/scheduler.js';
import { ListStore, type List } from '../store/lists.js';
import { ProfileStore } from '../store/profiles.js';
import { SegmentStore, type Segment } from '../store/segments.js';
import { ConsentBook } from './consent/consent.js';
import type { Core } from './core.js';
import { Deleting } from './profiles/deleting.js';
import { Exporting } from './groups/exporting.js';
import type { Fault } from './requests/fault.js';
import { FaultQueue } from './requests/faults.js';
import { Identities } from './profiles/identity.js';
import { Importing } from './profiles/importing.js';
import { Journal } from './events/journal.js';
import { Labels } from './groups/labels.js';
import { Listing } from './groups/listing.js';
import { MergeRequests } from './profiles/merge-requests.js';
import { Losses } from './mishaps/losses.js';
import { ShownProfiles } from './mishaps/shown-profiles.js';
import { ProfileChanges } from './profiles/profile-changes.js';
import { PushTokens } from './consent/push-tokens.js';
import { RequestLog, type EndpointCounts, type SubscribedLine } from './requests/request-log.js';
import { RequestTrail } from './requests/request-trail.js';
import { Seeding, type SeedProfile } from './profiles/seeding.js';
import { Segmenting } from './groups/segmenting.js';
import { Subscribing } from './consent/subscribing.js';
import { Suppressing } from './consent/suppressing.js';
import { Texting } from './texting/texting.js';
import { Acts, type Person } from './surface/acts.js';
import { ConsentChanges, type ConsentListener } from './surface/consent-changes.js';
import { messageOf, truthOf, type MessageLine, type TruthLine } from './surface/lines.js';
import { Webhooks } from './events/webhooks.js';

export type { ConsentChangeLine } from './surface/consent-changes.js';
export type { Person } from './surface/acts.js';
export type { MessageLine, TruthLine } from './surface/lines.js';

const PASSED_AT_ONCE_MS = 60_000;

/**
 * The simulated account: its data, pending changes, and everything that `/sandbox/` can do with it.
 * Methods take and return the same shapes as the control surface.
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
  readonly mergeRequests: MergeRequests;
  readonly deleting: Deleting;
  readonly pushTokens: PushTokens;
  readonly losses: Losses;
  readonly shown: ShownProfiles;
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
  readonly #acts: Acts;
  readonly #consentChanges: ConsentChanges;
  readonly #seeding: Seeding;
  /** Numbers of the next generated person and phone. */
  readonly #invented = { person: 0, phone: 0 };
  /** When the account was opened: dates of senders and configuration. */
  readonly openedAt: number;

  /** @param endpoints what faults can name: operation ids, and methods with paths */
  constructor(
    readonly settings: Settings,
    endpoints: ReadonlySet<string>,
  ) {
    this.clock = new Clock(settings.speed, settings.clockAheadMs);
    this.faults = new FaultQueue(endpoints, settings.seed, this.clock);
    this.latency = new Latencies(settings.seed, endpoints);
    this.latency.set(settings.latency);
    this.openedAt = this.clock.wall();
    this.scheduler = new Scheduler(this.clock);
    const keepsSpelling = () => settings.switches.storedEmails === 'as_written';
    this.profiles = new ProfileStore(settings.seed, keepsSpelling);
    this.losses = new Losses(settings);
    this.shown = new ShownProfiles(this);
    this.journal = new Journal(settings, this.clock, this.scheduler);
    this.book = new ConsentBook(this.profiles, this.clock, this.journal);
    this.identities = new Identities(this);
    this.changes = new ProfileChanges(this);
    this.mergeRequests = new MergeRequests(this);
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
    this.#acts = new Acts(this);
    this.#consentChanges = new ConsentChanges(this.profiles);
    this.#seeding = new Seeding(this.profiles, this.lists, this.identities, this.clock);
    for (const list of settings.lists) this.listing.create(list);
    for (const segment of settings.segments) this.segmenting.open(segment);
  }

  /** @throws RangeError if the id is taken or the name is missing */
  createList(options: ListOptions): List {
    return this.listing.create(options);
  }

  /**
   * A new segment, as created in Klaviyo: members show after the `segment` delay.
   *
   * @throws RangeError if the id is taken, the name is missing or the rule is invalid
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
    const [enter, leave] = [moves.enter, moves.leave].map((who) => this.#acts.numbersOf(who));
    this.segmenting.move(id, { enter: enter!, leave: leave! });
  }

  /** @throws RangeError for an unknown segment */
  deleteSegment(id: string): void {
    this.segmenting.delete(id);
  }

  /**
   * Generates new people; `seed` puts them into the account.
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
    this.shown.lag.catchUp(this.#seeding.add(profile));
  }

  *truth(): Generator<TruthLine> {
    this.scheduler.runDue();
    for (const index of this.profiles.all()) yield truthOf(this, index);
  }

  /** The true state of one person: the oldest of several profiles; undefined if there is none. */
  truthFor(who: Person): TruthLine | undefined {
    return this.truthsFor(who)[0];
  }

  /**
   * The true state of every profile that has the e-mail address or, if no profile has it or it is
   * not given, the number; in order of creation.
   */
  truthsFor(who: Person): TruthLine[] {
    this.scheduler.runDue();
    const email = who.email?.toLowerCase() ?? null;
    const phone = who.phone_number ?? null;
    if (this.identities.find({ email, phone }, 'oldest') === undefined) return [];
    const byEmail = email === null ? [] : this.profiles.allWithEmail(email);
    const byPhone = phone === null ? [] : this.profiles.allWithPhone(phone);
    return (byEmail.length > 0 ? byEmail : byPhone).map((index) => truthOf(this, index));
  }

  /**
   * Calls `listener` with each change of somebody's consent or suppressions, while it is written.
   * One act can make several changes. The listener must not throw. Returns a function that ends the
   * subscription.
   */
  onConsentChange(listener: ConsentListener): () => void {
    return this.#consentChanges.listen(listener);
  }

  *messages(): Generator<MessageLine> {
    this.scheduler.runDue();
    for (const confirmation of this.subscribing.confirmations.all()) yield messageOf(confirmation);
  }

  requests(): EndpointCounts[] {
    return this.log.counters();
  }

  /** Clears the counters, the log and the people of subscribe calls. */
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

  /**
   * The person subscribes through a form, at once: to mail, texts or both, and to the list,
   * whatever its opt-in process.
   *
   * @throws RangeError if they cannot: an invalid address or number, or an unknown list
   */
  subscribe(who: Person & { list_id?: string }): void {
    this.#acts.subscribe(who);
  }

  /**
   * The person follows the unsubscribe link of a mail (`list_id`: leaves that list alone).
   *
   * @throws RangeError without a profile, or if the person is not on the list
   */
  unsubscribe(who: Person & { list_id?: string }): void {
    this.#acts.unsubscribe(who);
  }

  /** The person marks a mail as spam: no event, but a suppression. @throws RangeError without a profile */
  complain(who: Person): void {
    this.#acts.complain(who);
  }

  /** The person texts STOP. @throws RangeError without a profile */
  stopSms(who: Person): void {
    this.#acts.stopSms(who);
  }

  /** The carrier takes the number back: SMS consent ends. @throws RangeError without a profile */
  deactivatePhone(who: Person): void {
    this.#acts.deactivatePhone(who);
  }

  /**
   * An operator suppresses the person by hand. It appears after that much of Klaviyo's time, dated
   * now.
   *
   * @throws RangeError without a profile, or for an invalid time
   */
  suppress(who: Person & { surfaces_after_ms?: number }): void {
    this.#acts.suppress(who);
  }

  /** An operator removes that suppression. @throws RangeError if there is none */
  unsuppress(who: Person): void {
    this.#acts.unsuppress(who);
  }

  addFault(fault: Fault): void {
    this.faults.add(fault);
  }

  /** Empties the queue of faults and makes a revoked key valid again. */
  clearFaults(): void {
    this.faults.clear();
    this.keyRevoked = false;
  }

  /**
   * Lets `ms` of Klaviyo's time pass, for a program that lives through days: as `advance`, but what
   * happens from then on is dated so much later, and the `Date` of answers is.
   */
  pass(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`ms must be a number from 0, got ${String(ms)}`);
    // What is due in it happens close to its time, and is dated so.
    for (let left = ms; left > 0; left -= PASSED_AT_ONCE_MS) {
      this.clock.pass(Math.min(left, PASSED_AT_ONCE_MS));
      this.scheduler.runDue();
    }
  }

  /** Skips `ms` of Klaviyo's time: delayed effects up to then apply at once, rate windows end. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`ms must be a number from 0, got ${String(ms)}`);
    this.clock.advance(ms);
    this.scheduler.runDue();
  }

  /** Share of the people who click from now on, including messages that already wait. */
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
}
