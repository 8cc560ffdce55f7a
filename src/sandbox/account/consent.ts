import type { Clock } from '../clock.js';
import type { ConsentKey } from '../store/channel.js';
import type { List } from '../store/lists.js';
import type { MetricName } from '../store/event-store.js';
import type { ProfileStore, SuppressionReason } from '../store/profiles.js';
import type { Journal } from './journal.js';

/** 1990-01-01: Klaviyo clamps older consent dates to it. */
const OLDEST_CONSENT = Date.UTC(1990, 0, 1);

/** Suppressions that a subscribe lifts; HARD_BOUNCE and INVALID_EMAIL stay. */
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
}

/** The channels whose changes are recorded as events. */
const SUBSCRIBED_METRIC: Partial<Record<ConsentKey, MetricName>> = {
  'email.marketing': 'Subscribed to Email Marketing',
  'sms.marketing': 'Subscribed to SMS Marketing',
};
const UNSUBSCRIBED_METRIC: Partial<Record<ConsentKey, MetricName>> = {
  'email.marketing': 'Unsubscribed from Email Marketing',
  'sms.marketing': 'Unsubscribed from SMS Marketing',
};

/** How somebody came to be out: through the API, a link in a mail, or a text. */
export type OptOutMethod = 'API' | 'PREFERENCE_PAGE' | 'TEXT';

/** Writes consent into the profile store as Klaviyo does. Knows nothing of requests or delays. */
export class ConsentBook {
  constructor(
    private readonly profiles: ProfileStore,
    private readonly clock: Clock,
    private readonly journal: Journal,
  ) {}

  subscribe(index: number, optIn: OptInRecord): void {
    const now = this.clock.wall();
    const timestamp = Math.max(optIn.consentedAt ?? now, OLDEST_CONSENT);
    const column = this.profiles.channel(optIn.key);
    const present = column.get(index);
    const optedOutSince =
      optIn.consentedAt !== null &&
      present?.consent === 'UNSUBSCRIBED' &&
      present.timestamp > timestamp;
    if (optedOutSince) return;
    if (present?.consent !== 'SUBSCRIBED') {
      column.set(index, {
        consent: 'SUBSCRIBED',
        timestamp,
        lastUpdated: now,
        method: 'API',
        methodDetail: null,
        customMethodDetail: optIn.customSource,
        doubleOptIn: optIn.confirmed,
      });
      const metric = SUBSCRIBED_METRIC[optIn.key];
      if (metric !== undefined) {
        const backdatedTo = optIn.consentedAt === null ? null : timestamp;
        this.journal.record({ metric, profile: index, backdatedTo });
      }
    }
    if (optIn.key === 'email.marketing') this.#liftSuppressions(index);
    this.profiles.touch(index, now);
  }

  /** Takes consent back as of now. Opting out of one kind of text opts out of the other. */
  unsubscribe(index: number, key: ConsentKey, method: OptOutMethod, movesUpdated: boolean): void {
    const now = this.clock.wall();
    this.#optOut(index, key, method, now);
    if (key === 'sms.marketing') this.#optOut(index, 'sms.transactional', method, now);
    if (key === 'sms.transactional') this.#optOut(index, 'sms.marketing', method, now);
    if (key === 'email.marketing') this.suppress(index, 'UNSUBSCRIBE', now);
    if (movesUpdated) this.profiles.touch(index, now);
  }

  suppress(index: number, reason: SuppressionReason, timestamp: number): void {
    const present = this.profiles.suppressions.get(index) ?? [];
    if (present.some((suppression) => suppression.reason === reason)) return;
    this.profiles.suppressions.set(index, [...present, { reason, timestamp }]);
  }

  /** Takes somebody off a list by an unsubscribe that named the list they are on. */
  unsubscribeFromList(index: number, list: List): void {
    list.leave(index);
    this.journal.record({ metric: 'Unsubscribed from List', profile: index, listId: list.id });
    const others = (this.profiles.listSuppressions.get(index) ?? []).filter(
      (suppression) => suppression.listId !== list.id,
    );
    this.profiles.listSuppressions.set(index, [
      ...others,
      { listId: list.id, reason: 'UNSUBSCRIBE', timestamp: this.clock.wall() },
    ]);
  }

  /** @param backdatedTo epoch ms of a historical consent, which dates the event but not the joining */
  joinAsSubscriber(index: number, list: List, backdatedTo: number | null): void {
    if (!list.has(index)) {
      const metric = 'Subscribed to List';
      this.journal.record({ metric, profile: index, listId: list.id, backdatedTo });
    }
    list.join(index, this.clock.wall());
    const present = this.profiles.listSuppressions.get(index);
    if (present === undefined) return;
    const others = present.filter((suppression) => suppression.listId !== list.id);
    if (others.length > 0) this.profiles.listSuppressions.set(index, others);
    else this.profiles.listSuppressions.delete(index);
  }

  /** A new number has no consent: it was given for the old one. */
  changePhone(index: number, phone: string): void {
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

  #liftSuppressions(index: number): void {
    const present = this.profiles.suppressions.get(index);
    if (present === undefined) return;
    const left = present.filter((suppression) => !LIFTED.has(suppression.reason));
    if (left.length > 0) this.profiles.suppressions.set(index, left);
    else this.profiles.suppressions.delete(index);
  }
}

export const PHONE_KEYS = [
  'sms.marketing',
  'sms.transactional',
  'whatsapp.marketing',
  'whatsapp.transactional',
  'whatsapp.conversational',
] as const satisfies readonly ConsentKey[];
