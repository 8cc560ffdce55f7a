import { roomFor } from './growing.js';
import { Interner } from './interner.js';

/** Channel and message type, with the names used in Klaviyo's answers. */
export const CONSENT_KEYS = [
  'email.marketing',
  'email.open_tracking',
  'email.click_tracking',
  'sms.marketing',
  'sms.transactional',
  'whatsapp.marketing',
  'whatsapp.transactional',
  'whatsapp.conversational',
  'mobile_push.marketing',
] as const;
export type ConsentKey = (typeof CONSENT_KEYS)[number];

/** Consent to tracking of mail, which is not consent to get mail. */
export const TRACKING_KEYS: readonly ConsentKey[] = ['email.open_tracking', 'email.click_tracking'];

/** People who never subscribed have no record. */
export type Consent = 'SUBSCRIBED' | 'UNSUBSCRIBED';
const NO_RECORD = 0;
const SUBSCRIBED = 1;
const UNSUBSCRIBED = 2;

export interface ConsentRecord {
  consent: Consent;
  /** Epoch ms: when consent was given or removed. */
  timestamp: number;
  /** Epoch ms: when Klaviyo last wrote this record. */
  lastUpdated: number;
  method: string | null;
  methodDetail: string | null;
  customMethodDetail: string | null;
  doubleOptIn: boolean;
}

/** Watches consent and suppressions, by the numbers of the profiles. */
export interface ConsentWatch {
  /** Called before a write, even if it changes nothing. */
  before?: (index: number) => void;
  /** Called after a write that gave or removed consent or a suppression. */
  after?: (index: number, changed: ConsentKey | 'suppressions') => void;
}

/** One channel's consent of all profiles, 30 bytes per profile. */
export class ChannelColumn {
  static readonly #texts = new Interner();
  #consent = new Uint8Array(0);
  #doubleOptIn = new Uint8Array(0);
  #timestamp = new Float64Array(0);
  #lastUpdated = new Float64Array(0);
  #method = new Uint32Array(0);
  #methodDetail = new Uint32Array(0);
  #customMethodDetail = new Uint32Array(0);

  /** @param changed called with the number of each profile whose record was written */
  constructor(
    private readonly key: ConsentKey,
    private readonly changed: (index: number) => void,
    private readonly watch: ConsentWatch,
  ) {}

  /** Null while nobody ever consented or objected. */
  get(index: number): ConsentRecord | null {
    const stored = this.#consent[index] ?? NO_RECORD;
    if (stored === NO_RECORD) return null;
    const texts = ChannelColumn.#texts;
    return {
      consent: stored === SUBSCRIBED ? 'SUBSCRIBED' : 'UNSUBSCRIBED',
      timestamp: this.#timestamp[index]!,
      lastUpdated: this.#lastUpdated[index]!,
      method: texts.text(this.#method[index]!),
      methodDetail: texts.text(this.#methodDetail[index]!),
      customMethodDetail: texts.text(this.#customMethodDetail[index]!),
      doubleOptIn: this.#doubleOptIn[index] === 1,
    };
  }

  set(index: number, record: ConsentRecord): void {
    this.watch.before?.(index);
    this.#consent = roomFor(this.#consent, index);
    this.#doubleOptIn = roomFor(this.#doubleOptIn, index);
    this.#timestamp = roomFor(this.#timestamp, index);
    this.#lastUpdated = roomFor(this.#lastUpdated, index);
    this.#method = roomFor(this.#method, index);
    this.#methodDetail = roomFor(this.#methodDetail, index);
    this.#customMethodDetail = roomFor(this.#customMethodDetail, index);
    const texts = ChannelColumn.#texts;
    const before = this.#consent[index];
    this.#consent[index] = record.consent === 'SUBSCRIBED' ? SUBSCRIBED : UNSUBSCRIBED;
    this.#doubleOptIn[index] = record.doubleOptIn ? 1 : 0;
    this.#timestamp[index] = record.timestamp;
    this.#lastUpdated[index] = record.lastUpdated;
    this.#method[index] = texts.numberOf(record.method);
    this.#methodDetail[index] = texts.numberOf(record.methodDetail);
    this.#customMethodDetail[index] = texts.numberOf(record.customMethodDetail);
    this.changed(index);
    if (this.#consent[index] !== before) this.watch.after?.(index, this.key);
  }

  clear(index: number): void {
    if (index >= this.#consent.length) return;
    const hadAny = this.#consent[index] !== NO_RECORD;
    if (hadAny) this.watch.before?.(index);
    this.#consent[index] = NO_RECORD;
    this.changed(index);
    if (hadAny) this.watch.after?.(index, this.key);
  }
}
