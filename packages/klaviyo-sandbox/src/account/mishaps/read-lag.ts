import { delayWithin } from '../../settings/delays.js';
import type { Core } from '../core.js';
import { subscriptionsOf, type SubscriptionsView } from '../consent/subscriptions-view.js';

/** A past state of a profile. Times on the clock's `now`. */
interface Version {
  readonly view: SubscriptionsView;
  /** When the state ended. */
  readonly ended: number;
  /** How long answers show it. */
  shownUntil: number;
}

/** All writes of one act happen within this many ms: a half-written state is never shown. */
const ONE_ACT_MS = 5;

/**
 * Keeps the state before each change of consent or suppressions, for as long as answers lag behind
 * it. A person's lag is always the same, so that changes show in their order.
 */
export class ReadLag {
  readonly #versions = new Map<number, Version[]>();
  /** When the last of them ends. */
  #shownUntil = 0;
  #sweeps = false;

  constructor(private readonly core: Core) {
    core.profiles.watch.before = (index) => this.#keep(index);
  }

  /** The state that answers show for the profile; undefined if it is the current one. */
  shown(index: number): SubscriptionsView | undefined {
    if (this.#versions.size === 0) return undefined;
    const versions = this.#versions.get(index);
    if (versions === undefined) return undefined;
    const now = this.core.clock.now();
    while (versions[0] !== undefined && versions[0].shownUntil <= now) versions.shift();
    if (versions.length === 0) this.#versions.delete(index);
    return versions[0]?.view;
  }

  /** From now on, answers show the current state of the profile. */
  catchUp(index: number): void {
    this.#versions.delete(index);
  }

  #keep(index: number): void {
    const { clock, profiles, settings } = this.core;
    const { readLag } = settings.delays;
    if (readLag[1] === 0 || !profiles.isAlive(index)) return;
    const now = clock.now();
    const wait = delayWithin(readLag, settings.seed, 'readLag', profiles.id(index));
    const shownUntil = clock.in(wait);
    const versions = this.#versions.get(index) ?? [];
    const last = versions.at(-1);
    if (last !== undefined && now - last.ended <= ONE_ACT_MS) last.shownUntil = shownUntil;
    else versions.push({ view: subscriptionsOf(profiles, index), ended: now, shownUntil });
    this.#versions.set(index, versions);
    this.#shownUntil = Math.max(this.#shownUntil, shownUntil);
    this.#sweepLater();
  }

  /** Drops states that were never read in time. */
  #sweepLater(): void {
    if (this.#sweeps) return;
    this.#sweeps = true;
    this.core.scheduler.at(this.#shownUntil, () => {
      this.#sweeps = false;
      for (const index of [...this.#versions.keys()]) this.shown(index);
      if (this.#versions.size > 0) this.#sweepLater();
    });
  }
}
