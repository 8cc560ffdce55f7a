import { delayWithin } from '../../settings/delays.js';
import type { Core } from '../core.js';

/** Whom a deletion request names; one of the three. */
export interface DeletionTarget {
  field: 'id' | 'email' | 'phone_number';
  value: string;
}

/** Deletions that somebody asked for, some time later. */
export class Deleting {
  constructor(private readonly core: Core) {}

  /**
   * Deletes whoever has the identifier when the `deletion` delay is over.
   *
   * @returns false where nobody has it now
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

  /** Documented: all that have the identifier. */
  #find({ field, value }: DeletionTarget): readonly number[] {
    const { profiles } = this.core;
    if (field === 'email') return profiles.allWithEmail(value);
    if (field === 'phone_number') return profiles.allWithPhone(value);
    const index = profiles.withId(value);
    return index === undefined ? [] : [index];
  }

  /** The segments hear of it from the store. */
  #delete(index: number): void {
    const { profiles, lists, journal } = this.core;
    for (const list of lists.all()) list.leave(index);
    profiles.remove(index);
    journal.events.forget(index);
  }
}
