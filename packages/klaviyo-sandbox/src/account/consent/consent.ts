import type { Clock } from '../../time/clock.js';
import type { ConsentKey } from '../../store/channel.js';
import type { List } from '../../store/lists.js';
import type { MetricName } from '../../store/events/event-store.js';
import type { ProfileStore, SuppressionReason } from '../../store/profiles.js';
import type { Journal } from '../events/journal.js';

/** 1990-01-01: Klaviyo clamps older consent dates to it. */
const OLDEST_CONSENT = Date.UTC(1990, 0, 1);

/** Suppressions that a subscribe removes; HARD_BOUNCE and INVALID_EMAIL stay. */
const LIFTED: ReadonlySet<SuppressionReason> = new Set([
  'UNSUBSCRIBE',
  'SPAM_COMPLAINT',
  'USER_SUPPRESSED',
]);

/** An opt-in of one channel, ready to be written. */
export interface OptInRecord {
  key: ConsentKey;
  /** Epoch ms of a historical consent; null for consent given now. */
  consentedAt: number | null;
  customSource: string | null;
  /** The person clicked or replied. */
  confirmed: boolean;
  /** @default 'API' */
  method?: OptInMethod;
}

/** The method of an opt-in. The second value is ours, because none is recorded. */
export type OptInMethod = 'API' | 'FORM';

/** The channels whose changes are recorded as events: the others have no metric. */
const SUBSCRIBED_METRIC: Partial<Record<ConsentKey, MetricName>> = {
  'email.marketing': 'Subscribed to Email Marketing',
  'sms.marketing': 'Subscribed to SMS Marketing',
};
const UNSUBSCRIBED_METRIC: Partial<Record<ConsentKey, MetricName>> = {
  'email.marketing': 'Unsubscribed from Email Marketing',
  'sms.marketing': 'Unsubscribed from SMS Marketing',
};

/** The method of an opt-out: the API, a link in a mail, a text, or the carrier. */
export type OptOutMethod = 'API' | 'PREFERENCE_PAGE' | 'TEXT' | 'CARRIER_DEACTIVATION';

/**
 * Writes consent into the profile store as Klaviyo does. Knows nothing about requests or delays.
 */
export class ConsentBook {
  constructor(
    private readonly profiles: ProfileStore,
    private readonly clock: Clock,
    private readonly journal: Journal,
  ) {}

  /**
   * Writes the opt-in, unless an opt-out is newer than its historical date. Returns whether the
   * person is subscribed now.
   *
   * The event is written if the person was not subscribed or was suppressed by hand (help article
   * on consent in profiles).
   *
   * @param now epoch ms; all consent of one call has the same date
   */
  subscribe(index: number, optIn: OptInRecord, now = this.clock.wall()): boolean {
    const timestamp = Math.max(optIn.consentedAt ?? now, OLDEST_CONSENT);
    const column = this.profiles.channel(optIn.key);
    const present = column.get(index);
    const optedOutSince =
      optIn.consentedAt !== null &&
      present?.consent === 'UNSUBSCRIBED' &&
      present.timestamp > timestamp;
    if (optedOutSince) return false;
    const isNew = present?.consent !== 'SUBSCRIBED';
    if (isNew) {
      column.set(index, {
        consent: 'SUBSCRIBED',
        timestamp,
        lastUpdated: now,
        method: optIn.method ?? 'API',
        methodDetail: null,
        customMethodDetail: optIn.customSource,
        doubleOptIn: optIn.confirmed,
      });
    }
    const unsuppressed = optIn.key === 'email.marketing' && this.#liftBySubscribing(index);
    const metric = SUBSCRIBED_METRIC[optIn.key];
    if (metric !== undefined && (isNew || unsuppressed)) {
      const backdatedTo = optIn.consentedAt === null ? null : timestamp;
      this.journal.record({ metric, profile: index, backdatedTo });
    }
    this.profiles.touch(index, now);
    return true;
  }

  /** Removes consent as of now. Opting out of one kind of text opts out of the other. */
  unsubscribe(index: number, key: ConsentKey, method: OptOutMethod, movesUpdated: boolean): void {
    const now = this.clock.wall();
    this.#optOut(index, key, method, now);
    if (key === 'sms.marketing') this.#optOut(index, 'sms.transactional', method, now);
    if (key === 'sms.transactional') this.#optOut(index, 'sms.marketing', method, now);
    if (key === 'email.marketing') this.suppress(index, 'UNSUBSCRIBE', now);
    if (movesUpdated) this.profiles.touch(index, now);
  }

  suppress(index: number, reason: SuppressionReason, timestamp: number): void {
    this.profiles.addSuppression(index, { reason, timestamp });
  }

  /** The carrier has taken the number back: consent to texts, if any, ends. */
  deactivatePhone(index: number, movesUpdated: boolean): void {
    const isIn = (['sms.marketing', 'sms.transactional'] as const).some(
      (key) => this.profiles.channel(key).get(index)?.consent === 'SUBSCRIBED',
    );
    if (isIn) this.unsubscribe(index, 'sms.marketing', 'CARRIER_DEACTIVATION', movesUpdated);
  }

  /** Removes somebody from a list after an unsubscribe that named it; consent stays. */
  unsubscribeFromList(index: number, list: List): void {
    list.leave(index);
    this.journal.record({ metric: 'Unsubscribed from List', profile: index, listId: list.id });
    const timestamp = this.clock.wall();
    const suppression = { listId: list.id, reason: 'UNSUBSCRIBE', timestamp };
    this.profiles.setListSuppression(index, suppression);
  }

  /** @param backdatedTo epoch ms of a historical consent, which dates the event but not the joining */
  joinAsSubscriber(index: number, list: List, backdatedTo: number | null): void {
    if (!list.has(index)) {
      const metric = 'Subscribed to List';
      this.journal.record({ metric, profile: index, listId: list.id, backdatedTo });
    }
    list.join(index, this.clock.wall());
    this.profiles.liftListSuppression(index, list.id);
  }

  /** A new number, or none, has no consent: consent was given for the old one. */
  changePhone(index: number, phone: string | null): void {
    if (this.profiles.phone(index) === phone) return;
    this.profiles.setPhone(index, phone);
    for (const key of PHONE_KEYS) this.profiles.channel(key).clear(index);
  }

  #optOut(index: number, key: ConsentKey, method: OptOutMethod, now: number): void {
    const column = this.profiles.channel(key);
    const present = column.get(index);
    if (present?.consent === 'UNSUBSCRIBED') return;
    column.set(index, {
      consent: 'UNSUBSCRIBED',
      timestamp: now,
      lastUpdated: now,
      method,
      methodDetail: method === 'TEXT' ? 'STOP' : null,
      customMethodDetail: null,
      doubleOptIn: false,
    });
    const metric = UNSUBSCRIBED_METRIC[key];
    if (metric !== undefined) this.journal.record({ metric, profile: index });
  }

  /** Whether a suppression by hand was among those that the subscribe removed. */
  #liftBySubscribing(index: number): boolean {
    const present = this.profiles.suppressions.get(index) ?? [];
    this.profiles.liftSuppressions(index, LIFTED);
    return present.some(({ reason }) => reason === 'USER_SUPPRESSED');
  }
}

export const PHONE_KEYS = [
  'sms.marketing',
  'sms.transactional',
  'whatsapp.marketing',
  'whatsapp.transactional',
  'whatsapp.conversational',
] as const satisfies readonly ConsentKey[];
