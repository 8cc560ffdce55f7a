import { delayWithin } from '../../settings/delays.js';
import type { Core } from '../core.js';

/** Requested merges, carried out after a delay. */
export class MergeRequests {
  constructor(private readonly core: Core) {}

  /** Both profiles stay unchanged until the `merge` delay is over. */
  accept(from: number, into: number): void {
    const { profiles, settings, scheduler, clock } = this.core;
    const wait = delayWithin(settings.delays.merge, settings.seed, 'merge', profiles.id(from));
    scheduler.at(clock.in(wait), () => {
      if (profiles.isAlive(from) && profiles.isAlive(into)) {
        this.core.identities.merge(from, into, 'destination');
      }
    });
  }
}
