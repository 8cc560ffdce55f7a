import type { Consent, ConsentKey } from '../../store/channel.js';
import type { ProfileStore, SuppressionReason } from '../../store/profiles.js';

/** The state of one channel of a profile after a change. */
export interface ConsentChangeLine {
  profile_id: string;
  email: string | null;
  phone_number: string | null;
  /** Suppressions belong to `email.marketing`. */
  channel: ConsentKey;
  consent: Consent | 'NEVER_SUBSCRIBED';
  /** How the consent changed; null if it was deleted, and if a suppression changed instead. */
  method: string | null;
  /** Reasons of the current suppressions; none on other channels. */
  suppressions: SuppressionReason[];
  /** Ids of the lists whose mail is currently suppressed; none on other channels. */
  list_suppressions: string[];
  /** Epoch ms by this machine's clock. */
  at: number;
}

export type ConsentListener = (line: ConsentChangeLine) => void;

/** Reports each change of consent as it is written. Without listeners, the store is not watched. */
export class ConsentChanges {
  readonly #listeners = new Set<ConsentListener>();

  constructor(private readonly profiles: ProfileStore) {}

  /** Returns a function that ends the subscription. */
  listen(listener: ConsentListener): () => void {
    // A new function each time: a listener that subscribes twice is called twice.
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
