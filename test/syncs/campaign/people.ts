import { populate, type Sandbox, type TruthLine } from 'klaviyo-sandbox';
import { LISTS } from '../../adversary/play/account.js';
import { expectedRow } from '../truth.js';
import { mailOf, numberOf } from './identifiers.js';
import { callFromOutside } from './outside.js';
import type { Act } from './scenario.js';

/** What has been known of a profile, by the clock of this process, epoch ms. */
interface Past {
  /** Until when each column `may_send_…` was true; `Infinity` while it is. */
  readonly may: Map<string, number>;
  /** Every address and number that it had. */
  readonly held: Set<string>;
  /** By list that it was on. */
  readonly left: Map<string, Left>;
  readonly since: number;
  goneAt: number | null;
  mergedInto: string | null;
}

/** How somebody left a list. */
export interface Left {
  /** `Infinity` while they are on it. */
  readonly at: number;
  /** Whether a source shows it besides whole readings. */
  readonly isShown: boolean;
}

/** Klaviyo takes that long at most to carry out what people ask for. */
const PENDING_MS = 5 * 3_600_000;

/** The people of an account: lets them act, and remembers who could be sent what until when. */
export class People {
  readonly #past = new Map<string, Past>();
  readonly #deletedEmails: string[] = [];
  #names = 0;
  #isDirty = false;
  /** Whether a source shows who leaves a list by what is done now. */
  #isShown = false;
  /** Ids of those whose suppression was lifted: no source shows it. */
  readonly lifted = new Set<string>();
  /** Ids of those whom others were merged into: no source shows which lists they got. */
  readonly heirs = new Set<string>();
  /** Acts that did not apply to whom they met. */
  skipped = 0;
  done = 0;

  constructor(private readonly sandbox: Sandbox) {
    const { account } = sandbox;
    account.onConsentChange(() => {
      if (this.#isDirty) return;
      this.#isDirty = true;
      // After the act, whose parts come one by one.
      queueMicrotask(() => this.look());
    });
    const { identities } = account;
    const merge = identities.merge.bind(identities);
    identities.merge = (from, into, phoneOf) => {
      this.look();
      const [source, target] = [account.profiles.id(from), account.profiles.id(into)];
      merge(from, into, phoneOf);
      const past = this.#past.get(source);
      if (past !== undefined) past.mergedInto = target;
      this.heirs.add(target);
      this.look();
    };
  }

  async settle(profiles: number, seed: number): Promise<void> {
    const { account } = this.sandbox;
    await populate(account, {
      profiles,
      seed,
      phone_share: 0.6,
      subscribed_share: 0.7,
      user_suppressed_share: 0.1,
    });
    // More than a page, and beside those who join by themselves.
    const ids = [...account.truth()].map(({ id }) => id);
    for (const [n, id] of ids.entries()) {
      if (n % 2 === 0) this.#join(LISTS.single, id);
      if (n % 5 === 0) this.#join(LISTS.double, id);
    }
    for (let n = 0; n < 5; n += 1) {
      account.seed({
        email: `app${n}@example.com`,
        email_consent: 'SUBSCRIBED',
        push_consent: n % 2 === 0 ? 'SUBSCRIBED' : 'UNSUBSCRIBED',
        whatsapp_consent: 'SUBSCRIBED',
        open_tracking_consent: 'UNSUBSCRIBED',
        list_suppressions: [LISTS.single],
      });
    }
    // Two profiles with one address.
    account.seed({ email: 'app0@example.com', separate_profile: true });
    this.look();
  }

  /** Notes what is true now. */
  look(): void {
    this.#isDirty = false;
    const now = Date.now();
    const present = new Set<string>();
    for (const line of this.sandbox.account.truth()) {
      present.add(line.id);
      const past = this.#pastOf(line.id);
      for (const identifier of this.#identifiersOf(line)) past.held.add(identifier);
      for (const [column, value] of expectedRow(line)) {
        if (!column.startsWith('may_send_')) continue;
        if (value === true) past.may.set(column, Infinity);
        else if (past.may.get(column) === Infinity) past.may.set(column, now);
      }
      this.#lookAtLists(line, past, now);
    }
    for (const [id, past] of this.#past) {
      if (present.has(id) || past.goneAt !== null) continue;
      past.goneAt = now;
      // With the profile, its events are gone.
      for (const [list, { at }] of past.left) {
        past.left.set(list, { at: Math.min(at, now), isShown: false });
      }
      if (past.mergedInto === null) {
        this.#deletedEmails.push(...[...past.held].filter((text) => text.includes('@')));
      }
    }
  }

  /** The account's lists. */
  get lists(): readonly { readonly id: string; readonly name: string }[] {
    return this.sandbox.account.lists.all();
  }

  /** How the profile left a list; null if it was never on it. */
  leftOf(id: string, listId: string): Left | null {
    return this.#past.get(id)?.left.get(listId) ?? null;
  }

  /** When the profile ceased to be there; null if it is there. */
  goneAt(id: string): number | null {
    return this.#past.get(id)?.goneAt ?? null;
  }

  /** Until when the column was true; `Infinity` if it is; null if it never was. */
  mayUntil(id: string, column: string): number | null {
    return this.#past.get(id)?.may.get(column) ?? null;
  }

  /** Ids of those who are known to be deleted, and every address and number that only they had. */
  traces(): string[] {
    const ends = [...this.#past].map(([id, past]) => ({ id, past, end: this.#endOf(id) }));
    const kept = ends.filter(({ end }) => end.goneAt === null).map(({ past }) => past);
    return ends
      .filter(({ past, end }) => end.goneAt !== null && !kept.some((one) => hasTaken(one, past)))
      .flatMap(({ id, past }) => [
        id,
        ...[...past.held].filter((text) => !kept.some(({ held }) => held.has(text))),
      ]);
  }

  async act({ do: what, person, other }: Act): Promise<void> {
    const line = this.#at(person);
    const second = this.#at(other);
    if (line === undefined || second === undefined) return;
    try {
      await this.#do(what, line, second);
      this.done += 1;
    } catch (error) {
      // They have no such address, are not on the list, or are not suppressed.
      if (!(error instanceof RangeError)) throw error;
      this.skipped += 1;
    }
    this.look();
    this.#isShown = false;
  }

  /** Lets all come true that was asked for. */
  finish(): void {
    this.sandbox.account.pass(PENDING_MS);
    this.look();
  }

  async #do(what: Act['do'], line: TruthLine, other: TruthLine): Promise<void> {
    const { account } = this.sandbox;
    const { profiles, identities, changes, deleting } = account;
    switch (what) {
      case 'follow_link':
        return account.unsubscribe(mailOf(line));
      case 'leave_list':
        this.#isShown = true;
        return account.unsubscribe({ ...mailOf(line), list_id: LISTS.single });
      case 'text_stop':
        return account.stopSms(numberOf(line));
      case 'complain':
        return account.complain(mailOf(line));
      case 'lose_number':
        return account.deactivatePhone(numberOf(line));
      case 'suppress':
        return account.suppress(mailOf(line));
      case 'suppress_late':
        return account.suppress({ ...mailOf(line), surfaces_after_ms: 2 * 3_600_000 });
      case 'unsuppress':
        account.unsuppress(mailOf(line));
        for (const { id } of account.truthsFor(mailOf(line))) this.lifted.add(id);
        return;
      case 'fill_form':
        return account.subscribe(mailOf(line));
      case 'give_number':
        return account.subscribe({ ...mailOf(line), ...numberOf(other) });
      case 'join_list':
        return account.subscribe({ ...mailOf(line), list_id: LISTS.single });
      case 'appear':
        return account.subscribe({ email: this.#newEmail(), phone_number: this.#newNumber() });
      case 'change_email': {
        const email = this.#newEmail();
        return changes.update(indexOf(profiles, line), { ...NO_CHANGE, email, written: [email] });
      }
      case 'change_number':
        return changes.update(indexOf(profiles, line), { ...NO_CHANGE, phone: this.#newNumber() });
      case 'take_number': {
        const { phone_number: phone } = numberOf(other);
        changes.update(indexOf(profiles, other), { ...NO_CHANGE, phone: null });
        return changes.update(indexOf(profiles, line), { ...NO_CHANGE, phone });
      }
      case 'merge':
      case 'merge_with_number': {
        if (line.id === other.id) throw new RangeError('one person');
        const phoneOf = what === 'merge' ? 'destination' : 'source';
        return identities.merge(indexOf(profiles, line), indexOf(profiles, other), phoneOf);
      }
      case 'be_deleted':
        deleting.accept({ field: 'id', value: line.id });
        return;
      case 'be_added':
        this.#join(LISTS.single, line.id);
        return;
      case 'be_removed':
        account.lists.get(LISTS.single)?.leave(indexOf(profiles, line));
        return;
      case 'rename_list': {
        const list = account.lists.get(LISTS.single);
        this.#names += 1;
        if (list !== undefined)
          account.listing.change(list, { name: `Single ${this.#names}`, optIn: null });
        return;
      }
      case 'delete_list':
        this.#isShown = true;
        account.listing.delete(LISTS.double);
        return;
      case 'come_back': {
        const email = this.#deletedEmails.shift();
        if (email === undefined) throw new RangeError('nobody was deleted');
        return account.subscribe({ email });
      }
      default:
        return callFromOutside(this.sandbox, what, line);
    }
  }

  /** By the API or by hand: no event is written. */
  #join(listId: string, id: string): void {
    const { lists, profiles, clock } = this.sandbox.account;
    const index = profiles.withId(id);
    if (index !== undefined) lists.get(listId)?.join(index, clock.wall());
  }

  #lookAtLists({ lists }: TruthLine, past: Past, now: number): void {
    const held = new Set(lists.map(({ id }) => id));
    for (const id of held) past.left.set(id, { at: Infinity, isShown: false });
    for (const [id, { at }] of past.left) {
      if (at === Infinity && !held.has(id)) past.left.set(id, { at: now, isShown: this.#isShown });
    }
  }

  #at(number: number): TruthLine | undefined {
    const lines = [...this.sandbox.account.truth()];
    return lines[number % lines.length];
  }

  #pastOf(id: string): Past {
    const known = this.#past.get(id);
    if (known !== undefined) return known;
    const past: Past = {
      may: new Map(),
      left: new Map(),
      held: new Set(),
      since: Date.now(),
      goneAt: null,
      mergedInto: null,
    };
    this.#past.set(id, past);
    return past;
  }

  /** What became of a profile, through all merges. */
  #endOf(id: string): Past {
    const past = this.#pastOf(id);
    return past.mergedInto === null ? past : this.#endOf(past.mergedInto);
  }

  #identifiersOf({ id, email, phone_number: phone }: TruthLine): string[] {
    const { profiles } = this.sandbox.account;
    const index = profiles.withId(id);
    const secondary = index === undefined ? [] : profiles.secondaryEmails(index);
    return [email?.toLowerCase(), phone, ...secondary].filter((text) => typeof text === 'string');
  }

  #newEmail(): string {
    this.#names += 1;
    return `new${this.#names}@example.com`;
  }

  #newNumber(): string {
    this.#names += 1;
    return `+1212555${String(1_000 + this.#names).slice(-4)}`;
  }
}

/**
 * Somebody who was there beside the other has the same address, or the number of one without an
 * address. Klaviyo shows the same if the other was deleted, and if they were merged.
 */
function hasTaken(one: Past, other: Past): boolean {
  const held = [...other.held];
  const addresses = held.filter((text) => text.includes('@'));
  const telling = addresses.length > 0 ? addresses : held;
  return one.since <= (other.goneAt ?? 0) && telling.some((text) => one.held.has(text));
}

const NO_CHANGE = {
  details: {},
  properties: { append: {}, unappend: {}, unset: [] },
  addEmails: [],
  removeEmails: [],
  written: [],
};

function indexOf(profiles: { withId(id: string): number | undefined }, { id }: TruthLine): number {
  const index = profiles.withId(id);
  if (index === undefined) throw new RangeError(`${id} is gone`);
  return index;
}
