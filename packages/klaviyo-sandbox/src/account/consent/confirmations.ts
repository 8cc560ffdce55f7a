import { chance } from '../../chance/chance.js';
import type { Clock } from '../../time/clock.js';
import { delayWithin } from '../../settings/delays.js';
import type { Settings } from '../../settings/options.js';
import type { Scheduler } from '../../time/scheduler.js';

export type ConfirmationChannel = 'email' | 'sms';

/** A double opt-in message and its state. */
export interface Confirmation<Wish> {
  readonly channel: ConfirmationChannel;
  readonly to: string;
  readonly listId: string | null;
  /** Epoch ms of the latest message. */
  sentAt: number;
  /** How many messages this person got for this list. */
  count: number;
  clickedAt: number | null;
  /** Runs when the person confirms. */
  wish: Wish;
  /** False if the sender cannot get a reply (branded sender ids): nobody confirms by themselves. */
  readonly answerable: boolean;
  /** Whether a click is already scheduled. */
  willClick: boolean;
}

/** Records double opt-in messages, and clicks for the share of people who confirm. */
export class Confirmations<Wish> {
  readonly #sent = new Map<string, Confirmation<Wish>>();
  readonly #open = new Map<string, Set<Confirmation<Wish>>>();
  #share: number;
  #smsShare: number;

  constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly scheduler: Scheduler,
    /** What a click means if a second message was sent before it: both requests. */
    private readonly together: (earlier: Wish, later: Wish) => Wish,
    private readonly onConfirmed: (confirmation: Confirmation<Wish>) => void,
  ) {
    this.#share = settings.clicks.share;
    this.#smsShare = settings.clicks.smsShare;
  }

  all(): Iterable<Confirmation<Wish>> {
    return this.#sent.values();
  }

  send(
    channel: ConfirmationChannel,
    to: string,
    listId: string | null,
    wish: Wish,
    answerable: boolean,
  ): void {
    const key = `${channel} ${to} ${listId ?? ''}`;
    const before = this.#sent.get(key);
    if (before === undefined) {
      const confirmation: Confirmation<Wish> = {
        channel,
        to,
        listId,
        sentAt: this.clock.wall(),
        count: 1,
        clickedAt: null,
        wish,
        answerable,
        willClick: false,
      };
      this.#sent.set(key, confirmation);
      this.#await(confirmation);
      return;
    }
    const waiting = before.clickedAt === null;
    before.wish = waiting ? this.together(before.wish, wish) : wish;
    if (waiting && !this.settings.switches.repeatDoubleOptInMessage) return;
    before.count += 1;
    before.sentAt = this.clock.wall();
    before.clickedAt = null;
    this.#await(before);
  }

  /** Clicks on every open message to this address. Returns how many there were. */
  click(to: string, listId?: string | null): number {
    const open = [...(this.#open.get(to) ?? [])].filter(
      (confirmation) => listId === undefined || confirmation.listId === listId,
    );
    for (const confirmation of open) this.#confirm(confirmation);
    return open.length;
  }

  /** Changes the share of people who click from now on; 0 stops all clicks. */
  setShare(share: number, smsShare: number): void {
    this.#share = share;
    this.#smsShare = smsShare;
    for (const open of this.#open.values()) {
      for (const confirmation of open) this.#scheduleClick(confirmation);
    }
  }

  #await(confirmation: Confirmation<Wish>): void {
    const open = this.#open.get(confirmation.to) ?? new Set();
    this.#open.set(confirmation.to, open.add(confirmation));
    this.#scheduleClick(confirmation);
  }

  #wouldClick({ channel, to, answerable }: Confirmation<Wish>): boolean {
    if (!answerable) return false;
    const share = channel === 'sms' ? this.#smsShare : this.#share;
    return chance(this.settings.seed, 'click', channel, to) < share;
  }

  #scheduleClick(confirmation: Confirmation<Wish>): void {
    if (confirmation.willClick || !this.#wouldClick(confirmation)) return;
    confirmation.willClick = true;
    const { seed, clicks } = this.settings;
    const wait = delayWithin(clicks.delayMs, seed, 'click delay', confirmation.to);
    this.scheduler.at(this.clock.in(wait), () => {
      confirmation.willClick = false;
      if (confirmation.clickedAt === null && this.#wouldClick(confirmation)) {
        this.#confirm(confirmation);
      }
    });
  }

  #confirm(confirmation: Confirmation<Wish>): void {
    confirmation.clickedAt = this.clock.wall();
    const open = this.#open.get(confirmation.to);
    open?.delete(confirmation);
    if (open?.size === 0) this.#open.delete(confirmation.to);
    this.onConfirmed(confirmation);
  }
}
