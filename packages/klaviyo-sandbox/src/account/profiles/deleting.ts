import { delayWithin } from '../../settings/delays.js';
import type { Core } from '../core.js';

/** The identifier in a deletion request; one of the three. */
export interface DeletionTarget {
  field: 'id' | 'email' | 'phone_number';
  value: string;
}

/** Requested deletions, carried out after a delay. */
export class Deleting {
  constructor(private readonly core: Core) {}

  /**
   * Deletes the profiles that have the identifier when the `deletion` delay is over.
   *
   * @returns false if nobody has it now
   */
  accept(target: DeletionTarget): boolean {
    if (this.#find(target).length === 0) return false;
    const { settings, scheduler, clock } = this.core;
    const { delays, seed } = settings;
    const wait = delayWithin(delays.deletion, seed, 'deletion', target.value);
    scheduler.at(clock.in(wait), () => {
      for (const index of this.#find(target)) this.#delete(index);
    });
    return true;
  }

  /** Documented: all profiles that have the identifier. */
  #find({ field, value }: DeletionTarget): readonly number[] {
    const { profiles } = this.core;
    if (field === 'email') return profiles.allWithEmail(value);
    if (field === 'phone_number') return profiles.allWithPhone(value);
    const index = profiles.withId(value);
    return index === undefined ? [] : [index];
  }

  /** The store notifies the segments. */
  #delete(index: number): void {
    const { profiles, lists, journal } = this.core;
    for (const list of lists.all()) list.leave(index);
    profiles.remove(index);
    journal.events.forget(index);
  }
}
