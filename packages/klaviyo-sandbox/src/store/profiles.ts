import { ChannelColumn, CONSENT_KEYS, type ConsentKey, type ConsentWatch } from './channel.js';
import { DetailStore } from './details.js';
import { roomFor } from './growing.js';
import { EmailBook } from './identifiers/email-book.js';
import { EmailOrder } from './identifiers/email-order.js';
import { Owners } from './identifiers/owners.js';
import { UniqueTexts } from './identifiers/unique-texts.js';
import { profileId, profileIndex } from './profile-id.js';
import { PushTokenStore } from './push-tokens.js';
import { SuppressionStore } from './suppressions.js';
import { TimeIndex } from './events/time-index.js';

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
 * All profiles, column by column. A profile is a number: its position in the columns, in order of
 * creation. Rare data (suppressions, names, tokens) is only stored for profiles that have it.
 */
export class ProfileStore {
  readonly suppressions = new SuppressionStore<Suppression>(() => '');
  readonly listSuppressions = new SuppressionStore<ListSuppression>(({ listId }) => listId);
  readonly details = new DetailStore((index) => this.#changed(index));
  readonly pushTokens: PushTokenStore;
  /** `_kx`, the identifier of Klaviyo's web tracking. */
  readonly exchangeIds = new UniqueTexts();
  /** For people who are known only from an app. */
  readonly anonymousIds = new UniqueTexts();
  readonly byCreated = new TimeIndex((index) => this.#timeWhileAlive(this.#created, index));
  readonly byUpdated = new TimeIndex((index) => this.#timeWhileAlive(this.#updated, index));
  readonly byEmail = new EmailOrder(this);
  readonly watch: ConsentWatch = {};
  readonly #seed: number;
  readonly #emails = new EmailBook();
  readonly #phones: (string | null)[] = [];
  readonly #withPhone = new Owners();
  readonly #channels: Record<ConsentKey, ChannelColumn>;
  readonly #gone = new Set<number>();
  readonly #watchers: ((index: number) => void)[] = [];
  #created = new Float64Array(0);
  #updated = new Float64Array(0);

  /** @param keepsSpelling whether addresses are currently stored as they were written */
  constructor(
    seed: number,
    private readonly keepsSpelling: () => boolean = () => false,
  ) {
    this.#seed = seed;
    this.pushTokens = new PushTokenStore(seed);
    const columns = CONSENT_KEYS.map(
      (key) => [key, new ChannelColumn(key, (index) => this.#changed(index), this.watch)] as const,
    );
    this.#channels = Object.fromEntries(columns) as Record<ConsentKey, ChannelColumn>;
  }

  /**
   * Calls `watcher` with the number of a profile that is new, was deleted, or changed its consent
   * or details.
   */
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
    if (phone !== null) this.#withPhone.add(phone, index);
    this.#created = roomFor(this.#created, index);
    this.#updated = roomFor(this.#updated, index);
    this.#created[index] = created;
    this.#updated[index] = updated;
    this.byCreated.add(created, index, false);
    this.byUpdated.add(updated, index, false);
    this.#changed(index);
    return index;
  }

  /** Memberships are stored in the lists and segments. */
  remove(index: number): void {
    this.#gone.add(index);
    this.suppressions.lift(index, () => true);
    this.listSuppressions.lift(index, () => true);
    this.details.delete(index);
    this.pushTokens.clear(index);
    this.exchangeIds.set(index, null);
    this.anonymousIds.set(index, null);
    for (const key of CONSENT_KEYS) this.#channels[key].clear(index);
    // Last, so that watchers of consent still know whose it was.
    this.#emails.clear(index);
    this.setPhone(index, null);
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

  /** By the primary or a secondary address in lower case; the oldest of several profiles. */
  withEmail(email: string): number | undefined {
    return this.#emails.owner(email);
  }

  /** Every profile that has the address, in order of creation. */
  allWithEmail(email: string): readonly number[] {
    return this.#emails.owners(email);
  }

  /** The oldest of several profiles. */
  withPhone(phone: string): number | undefined {
    return this.#withPhone.oldest(phone);
  }

  /** Every profile that has the number, in order of creation. */
  allWithPhone(phone: string): readonly number[] {
    return this.#withPhone.all(phone);
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

  /** The primary address in lower case, which identifies the profile. */
  email(index: number): string | null {
    return this.#emails.primary(index);
  }

  /** The primary address as the account shows it. */
  shownEmail(index: number): string | null {
    const email = this.#emails.primary(index);
    return email === null ? null : this.#emails.written(index, email);
  }

  /** An address of the profile, given in lower case, as the account stores it. */
  writtenEmail(index: number, email: string): string {
    return this.#emails.written(index, email);
  }

  /** Records how an address was written that the profile has just got. */
  writeEmail(index: number, text: string): void {
    if (this.keepsSpelling()) this.#emails.write(index, text);
  }

  secondaryEmails(index: number): readonly string[] {
    return this.#emails.secondary(index);
  }

  phone(index: number): string | null {
    return this.#phones[index] ?? null;
  }

  /** The previous primary address is removed. */
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
    if (before !== null) this.#withPhone.remove(before, index);
    this.#phones[index] = phone;
    if (phone !== null) this.#withPhone.add(phone, index);
  }

  /** Returns whether it is new: an existing suppression with the same reason stays unchanged. */
  addSuppression(index: number, suppression: Suppression): boolean {
    this.watch.before?.(index);
    return this.#told(index, this.suppressions.add(index, suppression));
  }

  /** Returns whether there was any of these reasons. */
  liftSuppressions(index: number, reasons: ReadonlySet<SuppressionReason>): boolean {
    if (!this.suppressions.has(index)) return false;
    this.watch.before?.(index);
    const lifted = this.suppressions.lift(index, ({ reason }) => reasons.has(reason));
    return this.#told(index, lifted);
  }

  /** Replaces the one for the same list. */
  setListSuppression(index: number, suppression: ListSuppression): void {
    this.liftListSuppression(index, suppression.listId);
    this.watch.before?.(index);
    this.#told(index, this.listSuppressions.add(index, suppression));
  }

  /** Returns whether there was one. */
  liftListSuppression(index: number, listId: string): boolean {
    if (!this.listSuppressions.has(index)) return false;
    this.watch.before?.(index);
    const lifted = this.listSuppressions.lift(index, (entry) => entry.listId === listId);
    return this.#told(index, lifted);
  }

  created(index: number): number {
    return this.#created[index]!;
  }

  updated(index: number): number {
    return this.#updated[index]!;
  }

  /** Changes `updated`. */
  touch(index: number, now: number): void {
    if (this.#updated[index] === now) return;
    this.#updated[index] = now;
    this.byUpdated.add(now, index, true);
  }

  channel(key: ConsentKey): ChannelColumn {
    return this.#channels[key];
  }

  /** Notifies the watchers if suppressions changed. Returns whether they did. */
  #told(index: number, changed: boolean): boolean {
    if (changed) this.watch.after?.(index, 'suppressions');
    return changed;
  }

  #changed(index: number): void {
    for (const watcher of this.#watchers) watcher(index);
  }

  #timeWhileAlive(times: Float64Array, index: number): number | undefined {
    return this.isAlive(index) ? times[index] : undefined;
  }
}
