import { ChannelColumn, CONSENT_KEYS, type ConsentKey } from './channel.js';
import { EmailOrder } from './email-order.js';
import { roomFor } from './growing.js';
import { profileId, profileIndex } from './profile-id.js';
import { TimeIndex } from './time-index.js';

export const SUPPRESSION_REASONS = [
  'HARD_BOUNCE',
  'INVALID_EMAIL',
  'SPAM_COMPLAINT',
  'UNSUBSCRIBE',
  'USER_SUPPRESSED',
] as const;
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];

export interface Suppression {
  reason: SuppressionReason;
  /** Epoch ms. */
  timestamp: number;
}
export interface ListSuppression {
  listId: string;
  reason: string;
  timestamp: number;
}

/** Attributes that a bulk import may set beside the identifiers, as they were sent. */
export type ProfileDetails = Readonly<Record<string, unknown>>;

/**
 * All profiles, column by column. A profile is a number: its place in the columns, in order of
 * creation. Rare things (suppressions, names, addresses) are kept only for those who have them.
 */
export class ProfileStore {
  readonly suppressions = new Map<number, Suppression[]>();
  readonly listSuppressions = new Map<number, ListSuppression[]>();
  readonly details = new Map<number, ProfileDetails>();
  readonly byCreated = new TimeIndex((index) => this.#timeWhileAlive(this.#created, index));
  readonly byUpdated = new TimeIndex((index) => this.#timeWhileAlive(this.#updated, index));
  readonly byEmail = new EmailOrder(
    (index) => this.email(index),
    () => this.all(),
  );
  readonly #seed: number;
  readonly #emails: (string | null)[] = [];
  readonly #phones: (string | null)[] = [];
  readonly #withEmail = new Map<string, number>();
  readonly #withPhone = new Map<string, number>();
  readonly #channels: Record<ConsentKey, ChannelColumn>;
  readonly #gone = new Set<number>();
  #created = new Float64Array(0);
  #updated = new Float64Array(0);

  constructor(seed: number) {
    this.#seed = seed;
    const columns = CONSENT_KEYS.map((key) => [key, new ChannelColumn()] as const);
    this.#channels = Object.fromEntries(columns) as Record<ConsentKey, ChannelColumn>;
  }

  /** Profiles that exist. */
  get size(): number {
    return this.#emails.length - this.#gone.size;
  }

  /** One more than the highest number ever given. */
  get end(): number {
    return this.#emails.length;
  }

  create(email: string | null, phone: string | null, created: number, updated = created): number {
    const index = this.#emails.length;
    this.#emails.push(email);
    this.#phones.push(phone);
    if (email !== null) this.#withEmail.set(email, index);
    if (phone !== null) this.#withPhone.set(phone, index);
    this.#created = roomFor(this.#created, index);
    this.#updated = roomFor(this.#updated, index);
    this.#created[index] = created;
    this.#updated[index] = updated;
    this.byCreated.add(created, index, false);
    this.byUpdated.add(updated, index, false);
    this.byEmail.added(index);
    return index;
  }

  remove(index: number): void {
    const email = this.email(index);
    const phone = this.phone(index);
    if (email !== null) this.#withEmail.delete(email);
    if (phone !== null) this.#withPhone.delete(phone);
    this.#gone.add(index);
    this.suppressions.delete(index);
    this.listSuppressions.delete(index);
    this.details.delete(index);
    for (const key of CONSENT_KEYS) this.#channels[key].clear(index);
    this.byCreated.removed();
    this.byUpdated.removed();
    this.byEmail.changed();
  }

  *all(): Generator<number> {
    yield* this.from(0);
  }

  /** Profiles in order of their ids, beginning with number `first`. */
  *from(first: number): Generator<number> {
    for (let index = first; index < this.end; index++) if (!this.#gone.has(index)) yield index;
  }

  /** The same backwards, beginning with number `first`. */
  *backFrom(first: number): Generator<number> {
    for (let index = first; index >= 0; index--) if (!this.#gone.has(index)) yield index;
  }

  id(index: number): string {
    return profileId(this.#seed, index);
  }

  withId(id: string): number | undefined {
    const index = profileIndex(this.#seed, id);
    return index !== undefined && this.isAlive(index) ? index : undefined;
  }

  withEmail(email: string): number | undefined {
    return this.#withEmail.get(email);
  }

  withPhone(phone: string): number | undefined {
    return this.#withPhone.get(phone);
  }

  isAlive(index: number): boolean {
    return index < this.end && !this.#gone.has(index);
  }

  email(index: number): string | null {
    return this.#emails[index] ?? null;
  }

  phone(index: number): string | null {
    return this.#phones[index] ?? null;
  }

  setEmail(index: number, email: string): void {
    const before = this.email(index);
    if (before !== null) this.#withEmail.delete(before);
    this.#emails[index] = email;
    this.#withEmail.set(email, index);
    this.byEmail.changed();
  }

  setPhone(index: number, phone: string | null): void {
    const before = this.phone(index);
    if (before !== null) this.#withPhone.delete(before);
    this.#phones[index] = phone;
    if (phone !== null) this.#withPhone.set(phone, index);
  }

  created(index: number): number {
    return this.#created[index]!;
  }

  updated(index: number): number {
    return this.#updated[index]!;
  }

  /** Moves `updated`. */
  touch(index: number, now: number): void {
    if (this.#updated[index] === now) return;
    this.#updated[index] = now;
    this.byUpdated.add(now, index, true);
  }

  channel(key: ConsentKey): ChannelColumn {
    return this.#channels[key];
  }

  #timeWhileAlive(times: Float64Array, index: number): number | undefined {
    return this.isAlive(index) ? times[index] : undefined;
  }
}
