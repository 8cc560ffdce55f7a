import { ChannelColumn, CONSENT_KEYS, type ConsentKey } from './channel.js';
import { DetailStore } from './details.js';
import { EmailBook } from './email-book.js';
import { EmailOrder } from './email-order.js';
import { roomFor } from './growing.js';
import { profileId, profileIndex } from './profile-id.js';
import { PushTokenStore } from './push-tokens.js';
import { SuppressionStore } from './suppressions.js';
import { TimeIndex } from './time-index.js';
import { UniqueTexts } from './unique-texts.js';

export type { ProfileDetails } from './details.js';

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

/**
 * All profiles, column by column. A profile is a number: its place in the columns, in order of
 * creation. Rare things (suppressions, names, tokens) are kept only for those who have them.
 */
export class ProfileStore {
  readonly suppressions = new SuppressionStore<Suppression>(() => '');
  readonly listSuppressions = new SuppressionStore<ListSuppression>(({ listId }) => listId);
  readonly details = new DetailStore((index) => this.#changed(index));
  readonly pushTokens: PushTokenStore;
  /** `_kx`, by which Klaviyo's web tracking knows somebody. */
  readonly exchangeIds = new UniqueTexts();
  /** Of people who are known by an app alone. */
  readonly anonymousIds = new UniqueTexts();
  readonly byCreated = new TimeIndex((index) => this.#timeWhileAlive(this.#created, index));
  readonly byUpdated = new TimeIndex((index) => this.#timeWhileAlive(this.#updated, index));
  readonly byEmail = new EmailOrder(this);
  readonly #seed: number;
  readonly #emails = new EmailBook();
  readonly #phones: (string | null)[] = [];
  readonly #withPhone = new Map<string, number>();
  readonly #channels: Record<ConsentKey, ChannelColumn>;
  readonly #gone = new Set<number>();
  readonly #watchers: ((index: number) => void)[] = [];
  #created = new Float64Array(0);
  #updated = new Float64Array(0);

  constructor(seed: number) {
    this.#seed = seed;
    this.pushTokens = new PushTokenStore(seed);
    const columns = CONSENT_KEYS.map(
      (key) => [key, new ChannelColumn((index) => this.#changed(index))] as const,
    );
    this.#channels = Object.fromEntries(columns) as Record<ConsentKey, ChannelColumn>;
  }

  /** Calls `watcher` with the number of a profile that is new, changed its consent or details, or went. */
  onChange(watcher: (index: number) => void): void {
    this.#watchers.push(watcher);
  }

  /** Profiles that exist. */
  get size(): number {
    return this.end - this.#gone.size;
  }

  /** One more than the highest number ever given. */
  get end(): number {
    return this.#emails.end;
  }

  create(email: string | null, phone: string | null, created: number, updated = created): number {
    const index = this.#emails.push(email);
    this.#phones.push(phone);
    if (phone !== null) this.#withPhone.set(phone, index);
    this.#created = roomFor(this.#created, index);
    this.#updated = roomFor(this.#updated, index);
    this.#created[index] = created;
    this.#updated[index] = updated;
    this.byCreated.add(created, index, false);
    this.byUpdated.add(updated, index, false);
    this.#changed(index);
    return index;
  }

  /** Memberships are the lists' and segments' own. */
  remove(index: number): void {
    this.#emails.clear(index);
    this.setPhone(index, null);
    this.#gone.add(index);
    this.suppressions.lift(index, () => true);
    this.listSuppressions.lift(index, () => true);
    this.details.delete(index);
    this.pushTokens.clear(index);
    this.exchangeIds.set(index, null);
    this.anonymousIds.set(index, null);
    for (const key of CONSENT_KEYS) this.#channels[key].clear(index);
    this.byCreated.removed();
    this.byUpdated.removed();
    this.byEmail.changed(index);
    this.#changed(index);
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

  /** By the primary or a secondary address. */
  withEmail(email: string): number | undefined {
    return this.#emails.owner(email);
  }

  withPhone(phone: string): number | undefined {
    return this.#withPhone.get(phone);
  }

  withExternalId(id: string): number | undefined {
    return this.details.withExternalId(id);
  }

  withKx(kx: string): number | undefined {
    return this.exchangeIds.owner(kx);
  }

  withAnonymousId(id: string): number | undefined {
    return this.anonymousIds.owner(id);
  }

  withPushToken(token: string): number | undefined {
    return this.pushTokens.owner(token);
  }

  isAlive(index: number): boolean {
    return index < this.end && !this.#gone.has(index);
  }

  /** The primary address. */
  email(index: number): string | null {
    return this.#emails.primary(index);
  }

  secondaryEmails(index: number): readonly string[] {
    return this.#emails.secondary(index);
  }

  phone(index: number): string | null {
    return this.#phones[index] ?? null;
  }

  /** The primary address before is forgotten; the caller sees to it that the new one is free. */
  setEmail(index: number, email: string | null): void {
    this.#emails.setPrimary(index, email);
    this.byEmail.changed(index);
  }

  addSecondaryEmail(index: number, email: string): void {
    this.#emails.addSecondary(index, email);
  }

  removeSecondaryEmail(index: number, email: string): void {
    this.#emails.removeSecondary(index, email);
  }

  setPhone(index: number, phone: string | null): void {
    const before = this.phone(index);
    if (before !== null) this.#withPhone.delete(before);
    this.#phones[index] = phone;
    if (phone !== null) this.#withPhone.set(phone, index);
  }

  /** Returns whether it is new: a suppression of the same reason stays as it is. */
  addSuppression(index: number, suppression: Suppression): boolean {
    return this.suppressions.add(index, suppression);
  }

  /** Returns whether there was any of these reasons. */
  liftSuppressions(index: number, reasons: ReadonlySet<SuppressionReason>): boolean {
    return this.suppressions.lift(index, ({ reason }) => reasons.has(reason));
  }

  /** Replaces the one of the same list. */
  setListSuppression(index: number, suppression: ListSuppression): void {
    this.liftListSuppression(index, suppression.listId);
    this.listSuppressions.add(index, suppression);
  }

  /** Returns whether there was one. */
  liftListSuppression(index: number, listId: string): boolean {
    return this.listSuppressions.lift(index, (suppression) => suppression.listId === listId);
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

  #changed(index: number): void {
    for (const watcher of this.#watchers) watcher(index);
  }

  #timeWhileAlive(times: Float64Array, index: number): number | undefined {
    return this.isAlive(index) ? times[index] : undefined;
  }
}
