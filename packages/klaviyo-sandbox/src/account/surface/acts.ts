import { phoneVerdict } from '../../phone.js';
import type { ConsentKey } from '../../store/channel.js';
import { isEmail } from '../../store/identifiers/email-book.js';
import type { List } from '../../store/lists.js';
import type { SuppressionReason } from '../../store/profiles.js';
import type { Core } from '../core.js';
import { isReached, type Identifiers } from '../profiles/identity.js';

/** The person in a control call. */
export interface Person {
  email?: string;
  phone_number?: string;
}

const MANUAL = new Set(['USER_SUPPRESSED'] as const);

/**
 * What people do by themselves and what happens to them, at once and outside the API. If several
 * profiles have one identifier, the switch `sameIdentifier` decides which ones change.
 */
export class Acts {
  constructor(private readonly core: Core) {}

  /** Numbers of the profiles of a person. @throws RangeError without a profile */
  known(field: 'email' | 'phone_number', value: unknown): number[] {
    this.core.scheduler.runDue();
    const text = textOf(field, value);
    if (text === undefined) throw new RangeError(`${field} is missing`);
    const found = this.#all(identifiersOf(field, text));
    if (found.length === 0) throw new RangeError(`no profile has the ${field} ${text}`);
    return found;
  }

  /** Numbers of the profiles of people who enter or leave a segment. @throws RangeError */
  numbersOf(people: unknown = []): number[] {
    if (!Array.isArray(people)) throw new RangeError('enter and leave must be arrays of people');
    return people.flatMap((who: unknown) => {
      const { email, phone_number }: Person = Object.assign({}, who);
      return email === undefined
        ? this.known('phone_number', phone_number)
        : this.known('email', email);
    });
  }

  subscribe(who: Person & { list_id?: string }): void {
    const { clock, book, identities, scheduler } = this.core;
    scheduler.runDue();
    const identifiers = this.#subscriber(who);
    const list = who.list_id === undefined ? undefined : this.#list(who.list_id);
    const { email, phone } = identifiers;
    const keys: ConsentKey[] = [
      ...(email === null ? [] : (['email.marketing'] as const)),
      ...(phone === null ? [] : (['sms.marketing'] as const)),
    ];
    const index = identities.resolve(identifiers, clock.wall());
    const twins = identities.twins(index, identifiers);
    const all = [
      { index, keys },
      ...twins.map((twin) => ({
        index: twin.index,
        keys: keys.filter((key) => isReached(twin, key)),
      })),
    ];
    for (const one of all) {
      for (const key of one.keys) {
        const consent = { key, consentedAt: null, customSource: null, confirmed: false };
        book.subscribe(one.index, { ...consent, method: 'FORM' });
      }
      if (list !== undefined) book.joinAsSubscriber(one.index, list, null);
    }
  }

  unsubscribe({ email, list_id }: Person & { list_id?: string }): void {
    const found = this.known('email', email);
    const moves = this.core.settings.switches.personOptOutMovesUpdated;
    if (list_id !== undefined) return this.#leave(found, this.#list(list_id), email!, moves);
    for (const index of found) {
      this.core.book.unsubscribe(index, 'email.marketing', 'PREFERENCE_PAGE', moves);
    }
  }

  stopSms({ phone_number }: Person): void {
    const moves = this.core.settings.switches.personOptOutMovesUpdated;
    for (const index of this.known('phone_number', phone_number)) {
      this.core.book.unsubscribe(index, 'sms.marketing', 'TEXT', moves);
    }
  }

  deactivatePhone({ phone_number }: Person): void {
    const moves = this.core.settings.switches.personOptOutMovesUpdated;
    for (const index of this.known('phone_number', phone_number)) {
      this.core.book.deactivatePhone(index, moves);
    }
  }

  complain({ email }: Person): void {
    const now = this.core.clock.wall();
    const complained = this.#suppress(this.known('email', email), 'SPAM_COMPLAINT', now);
    for (const profile of complained) {
      this.core.journal.record({ metric: 'Marked Email as Spam', profile });
    }
  }

  suppress({ email, surfaces_after_ms: wait = 0 }: Person & { surfaces_after_ms?: number }): void {
    const found = this.known('email', email);
    if (!(typeof wait === 'number' && wait >= 0 && wait < Infinity)) {
      throw new RangeError(`surfaces_after_ms must be a number from 0, got ${String(wait)}`);
    }
    const { clock, scheduler } = this.core;
    const asked = clock.wall();
    if (wait === 0) {
      this.#suppress(found, 'USER_SUPPRESSED', asked);
      return;
    }
    const who = identifiersOf('email', email!);
    scheduler.at(clock.in(wait), () => this.#suppress(this.#all(who), 'USER_SUPPRESSED', asked));
  }

  unsuppress({ email }: Person): void {
    const { profiles } = this.core;
    const lifted = this.known('email', email).filter((index) =>
      profiles.liftSuppressions(index, MANUAL),
    );
    if (lifted.length === 0) throw new RangeError(`${email} is not suppressed by hand`);
    this.#move(lifted);
  }

  #leave(found: readonly number[], list: List, email: string, moves: boolean): void {
    const members = found.filter((index) => list.has(index));
    if (members.length === 0) throw new RangeError(`${email} is not on the list "${list.id}"`);
    const { book, clock, profiles } = this.core;
    for (const index of members) {
      book.unsubscribeFromList(index, list);
      if (moves) profiles.touch(index, clock.wall());
    }
  }

  /** @returns the profiles that it is new to */
  #suppress(
    found: readonly number[],
    reason: SuppressionReason,
    timestamp: number,
  ): readonly number[] {
    const { profiles } = this.core;
    const changed = found.filter((index) => profiles.addSuppression(index, { reason, timestamp }));
    this.#move(changed);
    return changed;
  }

  /** Changes `updated` if an added or removed suppression does so. */
  #move(changed: readonly number[]): void {
    const { clock, profiles, settings } = this.core;
    if (!settings.switches.suppressionMovesUpdated) return;
    for (const index of changed) profiles.touch(index, clock.wall());
  }

  #all(who: Identifiers): number[] {
    const { identities } = this.core;
    const index = identities.find(who);
    if (index === undefined) return [];
    return [index, ...identities.twins(index, who).map((twin) => twin.index)];
  }

  /** @throws RangeError if the person could not subscribe through a form */
  #subscriber({ email, phone_number }: Person): Identifiers {
    const written = textOf('email', email);
    const phone = textOf('phone_number', phone_number) ?? null;
    if (written === undefined && phone === null) {
      throw new RangeError('to subscribe, a person needs an email or a phone_number');
    }
    if (written !== undefined && !isEmail(written)) {
      throw new RangeError(`email must be an address such as ada@shop.test; got "${written}"`);
    }
    if (phone !== null) this.#checkTexts(phone);
    return { email: written?.toLowerCase() ?? null, phone, written };
  }

  #checkTexts(phone: string): void {
    const verdict = phoneVerdict(phone);
    if (verdict.kind !== 'valid') {
      const what = 'a number that gets texts, such as +12015550123';
      throw new RangeError(`phone_number must be ${what}; got "${phone}"`);
    }
    if (this.core.texting.reaches(verdict.country)) return;
    throw new RangeError(`the account has no active sender for texts to ${verdict.country}`);
  }

  #list(id: string): List {
    const list = this.core.lists.get(id);
    if (list === undefined) throw new RangeError(`there is no list "${id}"`);
    return list;
  }
}

function textOf(field: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new RangeError(`${field} must be text; got ${JSON.stringify(value)}`);
}

function identifiersOf(field: 'email' | 'phone_number', text: string): Identifiers {
  return field === 'email'
    ? { email: text.toLowerCase(), phone: null }
    : { email: null, phone: text };
}
