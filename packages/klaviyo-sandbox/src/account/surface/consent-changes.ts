import type { Consent, ConsentKey } from '../../store/channel.js';
import type { ProfileStore, SuppressionReason } from '../../store/profiles.js';

/** How one channel of a profile stands after a change of it. */
export interface ConsentChangeLine {
  profile_id: string;
  email: string | null;
  phone_number: string | null;
  /** Suppressions are of `email.marketing`. */
  channel: ConsentKey;
  consent: Consent | 'NEVER_SUBSCRIBED';
  /** How consent came to be that; null where it is no more, and where a suppression changed instead. */
  method: string | null;
  /** Reasons of the suppressions that there are now; none on other channels. */
  suppressions: SuppressionReason[];
  /** Ids of the lists whose mail is suppressed now; none on other channels. */
  list_suppressions: string[];
  /** Epoch ms by this machine's clock. */
  at: number;
}

export type ConsentListener = (line: ConsentChangeLine) => void;

/** Tells of each change of consent as it is written. The store is not watched while nobody listens. */
export class ConsentChanges {
  readonly #listeners = new Set<ConsentListener>();

  constructor(private readonly profiles: ProfileStore) {}

  /** Returns what ends it. */
  listen(listener: ConsentListener): () => void {
    // Another function each time: whoever listens twice is told twice.
    const told: ConsentListener = (line) => listener(line);
    this.#listeners.add(told);
    this.profiles.watch.after = (index, changed) => this.#tell(index, changed);
    return () => {
      this.#listeners.delete(told);
      if (this.#listeners.size === 0) delete this.profiles.watch.after;
    };
  }

  #tell(index: number, changed: ConsentKey | 'suppressions'): void {
    const { profiles } = this;
    const channel = changed === 'suppressions' ? 'email.marketing' : changed;
    const record = profiles.channel(channel).get(index);
    const isMail = channel === 'email.marketing';
    const suppressions = isMail ? (profiles.suppressions.get(index) ?? []) : [];
    const ofLists = isMail ? (profiles.listSuppressions.get(index) ?? []) : [];
    const line: ConsentChangeLine = {
      profile_id: profiles.id(index),
      email: profiles.shownEmail(index),
      phone_number: profiles.phone(index),
      channel,
      consent: record?.consent ?? 'NEVER_SUBSCRIBED',
      method: changed === 'suppressions' ? null : (record?.method ?? null),
      suppressions: suppressions.map(({ reason }) => reason),
      list_suppressions: ofLists.map(({ listId }) => listId),
      at: Date.now(),
    };
    for (const listener of this.#listeners) listener(line);
  }
}
