/**
 * What a segment is to do, told a second time: person by person, without a ledger, a workflow or SQL. It
 * knows what happens in the world, and says what Klaviyo must show after each run.
 */

export type Consent = 'none' | 'never' | 'subscribed' | 'unsubscribed';

/** Somebody who is known by one address, in Klaviyo. */
export interface Address {
  consent: Consent;
  /** The segment gave the consent that is there, and nobody has given or taken any since. */
  isOurs: boolean;
  onList: boolean;
}

/** What the segment knows of a member's address. */
interface Part {
  readonly address: string;
  /** It may be at Klaviyo because of the segment. */
  isIn: boolean;
  triedAt: number;
}

interface Member {
  address: string;
  missing: number;
}

const DAY_HOURS = 24;

export class Model {
  readonly addresses = new Map<string, Address>();
  readonly #members = new Map<string, Member>();
  /** By key, then by address. */
  #parts: { key: string; part: Part }[] = [];

  constructor(private readonly graceRuns: number) {}

  of(address: string): Address {
    const found = this.addresses.get(address);
    if (found === undefined) throw new Error(`Nobody has ${address}.`);
    return found;
  }

  get members(): number {
    return this.#members.size;
  }

  /** The person follows the link of a mail. */
  unsubscribes(address: string): void {
    const person = this.of(address);
    person.consent = 'unsubscribed';
    person.isOurs = false;
  }

  /** The person signs up by a form, for the account. */
  signsUp(address: string): void {
    const person = this.of(address);
    person.consent = 'subscribed';
    person.isOurs = false;
  }

  /** The ledger was lost: nothing proves any more what the segment gave. */
  losesLedger(): void {
    this.#members.clear();
    this.#parts = [];
    for (const person of this.addresses.values()) person.isOurs = false;
  }

  /**
   * A run that was not held.
   *
   * @param source address by key
   * @param hour of the run
   */
  runs(source: ReadonlyMap<string, string>, hour: number, isBaseline: boolean): void {
    for (const [key, member] of this.#members) {
      if (source.has(key)) continue;
      member.missing += 1;
      if (!isBaseline && member.missing >= this.graceRuns) this.#members.delete(key);
    }
    for (const [key, address] of source) this.#members.set(key, { address, missing: 0 });
    // An address with another key is the same person.
    const keyOf = new Map([...this.#members].map(([key, { address }]) => [address, key]));
    for (const each of this.#parts) each.key = keyOf.get(each.part.address) ?? each.key;
    const known = new Map(this.#parts.map(({ key, part }) => [`${key} ${part.address}`, part]));
    for (const [key, address] of source) {
      const part = known.get(`${key} ${address}`);
      if (part === undefined) this.#parts.push({ key, part: this.#asked(address, hour) });
      else if (!part.isIn && hour - part.triedAt >= DAY_HOURS) {
        Object.assign(part, this.#asked(address, hour));
      }
    }
    this.#parts = this.#parts.filter(({ part }) => {
      if (keyOf.has(part.address)) return true;
      if (part.isIn) this.#leaves(part.address);
      return false;
    });
  }

  #asked(address: string, hour: number): Part {
    const person = this.of(address);
    if (person.consent === 'never') {
      person.consent = 'subscribed';
      person.isOurs = true;
    }
    const isIn = person.consent === 'subscribed';
    if (isIn) person.onList = true;
    return { address, isIn, triedAt: hour };
  }

  #leaves(address: string): void {
    const person = this.of(address);
    if (person.consent === 'subscribed' && person.isOurs) {
      person.consent = 'unsubscribed';
      person.isOurs = false;
    }
    person.onList = false;
  }
}
