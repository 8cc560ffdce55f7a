import { delayWithin } from '../../settings/delays.js';
import type { SenderOptions } from '../../settings/options.js';
import { ulid } from '../../chance/ulid.js';
import type { Base } from '../base.js';
import {
  decide,
  SENDER_STATUSES,
  SENDER_TYPES,
  type Registration,
  type Sender,
  type SenderStatus,
  type SenderType,
} from './senders.js';

/** The account's SMS set-up. Dates in epoch ms. */
export interface TextConfiguration {
  readonly orgPrefix: string;
  readonly optOutLanguage: string;
  readonly status: 'active' | 'disabled';
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A toll-free number serves both. */
const TOLL_FREE_COUNTRIES = ['US', 'CA'] as const;
export type TollFreeCountry = (typeof TOLL_FREE_COUNTRIES)[number];

/** Numbers that belong to nobody, without their last three digits. */
const FICTION: Readonly<Record<string, string>> = {
  US: '+12015550',
  CA: '+14165550',
  GB: '+447700900',
  FR: '+33639980',
};
const OPT_OUT_LANGUAGE = 'Reply STOP to opt out';
const OBJECTION = 'The business website could not be verified.';

/** SMS: whether it is set up, and the senders of texts. */
export class Texting {
  #configuration: TextConfiguration | null = null;
  readonly #senders = new Map<string, Sender>();
  /** The latest registration of each sender, and earlier ones. */
  readonly #registrations = new Map<string, Registration>();

  /** @throws RangeError for a sender with an unknown type or status */
  constructor(private readonly core: Pick<Base, 'settings' | 'clock' | 'scheduler'>) {
    const { sms, account } = core.settings;
    const opened = core.clock.wall();
    if (sms.status === 'none') return;
    this.#configuration = configurationOf(account.name, sms.status, opened);
    sms.senders.forEach((sender, i) => this.#open(sender, opened + i));
  }

  configuration(): TextConfiguration | null {
    return this.#configuration;
  }

  /** Sets up SMS; null if it is already set up. */
  configure(orgPrefix: string): TextConfiguration | null {
    if (this.#configuration !== null) return null;
    this.#configuration = configurationOf(orgPrefix, 'active', this.core.clock.wall());
    return this.#configuration;
  }

  get isActive(): boolean {
    return this.#configuration?.status === 'active';
  }

  senders(): Iterable<Sender> {
    return this.#senders.values();
  }

  sender(id: string): Sender | undefined {
    return this.#senders.get(id);
  }

  registration(id: string): Registration | undefined {
    return this.#registrations.get(id);
  }

  /** Whether numbers of the country can get consent to texts. */
  reaches(country: string): boolean {
    return this.isActive && this.#active(country).length > 0;
  }

  /** Whether people of the country can answer a text: a branded sender id gets no replies. */
  hears(country: string): boolean {
    return this.#active(country).some(({ type }) => type !== 'alpha');
  }

  /**
   * Provisions a toll-free number, in the US and in Canada, and has it reviewed: it is active after
   * the `senderReview` delay. Returns the sender of the given country.
   */
  addTollFree(country: TollFreeCountry, forwardingNumber: string | null): Sender {
    const now = this.core.clock.wall();
    const added = TOLL_FREE_COUNTRIES.map((region, i) =>
      this.#add('toll_free', region, 'registering', now + i, forwardingNumber),
    );
    this.#review(added);
    return added.find((sender) => sender.country === country)!;
  }

  /**
   * Submits another registration for a sender, which is reviewed like the first. Null if the
   * carrier has approved the sender, or has not decided yet.
   */
  registerAgain(sender: Sender): Registration | null {
    const { registration } = sender;
    const isOpen =
      registration?.status === 'rejected' || registration?.status === 'action_required';
    if (!isOpen) return null;
    const again = this.#newRegistration(sender.id, this.core.clock.wall());
    sender.registration = again;
    this.#decide(sender, 'registering', []);
    this.#review([sender]);
    return again;
  }

  /**
   * After the `senderReview` delay, the carrier approves the senders that are still registering.
   */
  #review(senders: readonly Sender[]): void {
    const { seed, delays } = this.core.settings;
    const reviewed = senders.map(({ registration }) => registration);
    const wait = delayWithin(delays.senderReview, seed, 'senderReview', senders[0]!.id);
    this.core.scheduler.at(this.core.clock.in(wait), () => {
      for (const sender of senders) {
        const isLatest = reviewed.includes(sender.registration);
        if (isLatest && sender.status === 'registering') this.#decide(sender, 'active', []);
      }
    });
  }

  #newRegistration(senderId: string, createdAt: number): Registration {
    const word = String(this.#registrations.size);
    const registration: Registration = {
      id: ulid(createdAt, this.core.settings.seed, 'registration', word),
      senderId,
      status: 'in_review',
      failures: [],
      createdAt,
      updatedAt: createdAt,
      submittedAt: createdAt,
      decidedAt: null,
    };
    this.#registrations.set(registration.id, registration);
    return registration;
  }

  /**
   * Applies a decision of the carrier or Klaviyo now instead of after the delay.
   *
   * @throws RangeError for an unknown sender or status
   */
  decide(id: string, status: string, failures: readonly string[] = [OBJECTION]): Sender {
    const sender = this.#senders.get(id);
    if (sender === undefined) throw new RangeError(`no sender has the id ${id}`);
    this.#decide(sender, oneOf(SENDER_STATUSES, status, 'status'), failures);
    return sender;
  }

  #decide(sender: Sender, status: SenderStatus, failures: readonly string[]): void {
    const now = this.core.clock.wall();
    decide(sender, status, failures, this.#identifierOf(sender), now);
  }

  #active(country: string): Sender[] {
    return [...this.#senders.values()].filter(
      (sender) => sender.status === 'active' && sender.country === country,
    );
  }

  #open({ type, status, country }: SenderOptions, createdAt: number): void {
    const known = oneOf(SENDER_TYPES, type, 'sms.senders.type');
    const state = oneOf(SENDER_STATUSES, status, 'sms.senders.status');
    this.#add(known, country, state, createdAt, null);
  }

  #add(
    type: SenderType,
    country: string,
    status: SenderStatus,
    createdAt: number,
    forwardingNumber: string | null,
  ): Sender {
    const { seed } = this.core.settings;
    const word = String(this.#senders.size);
    const id = ulid(createdAt, seed, 'sender', word);
    const sender: Sender = {
      id,
      type,
      country,
      status: 'registering',
      createdAt,
      forwardingNumber,
      identifier: null,
      registration: type === 'toll_free' ? this.#newRegistration(id, createdAt) : null,
    };
    this.#senders.set(id, sender);
    decide(sender, status, [OBJECTION], this.#identifierOf(sender), createdAt);
    return sender;
  }

  /** A number reserved for fiction, if the country has any; one toll-free number serves both. */
  #identifierOf({ id, type, country }: Sender): string | null {
    const place = [...this.#senders.keys()].indexOf(id);
    const line = 100 + (place % 100);
    if (type === 'alpha') return this.#configuration?.orgPrefix.slice(0, 11) ?? null;
    if (type === 'short_code' || type === 'vanity_short_code') return `55${line}`;
    if (type === 'toll_free') return `+18885550${line - (country === 'CA' ? 1 : 0)}`;
    const range = FICTION[country];
    return range === undefined ? null : `${range}${line}`;
  }
}

function configurationOf(
  orgPrefix: string,
  status: 'active' | 'disabled',
  now: number,
): TextConfiguration {
  return { orgPrefix, optOutLanguage: OPT_OUT_LANGUAGE, status, createdAt: now, updatedAt: now };
}

function oneOf<T extends string>(known: readonly T[], value: string, name: string): T {
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  throw new RangeError(`${name} must be one of ${known.join(', ')}; got ${value}`);
}
