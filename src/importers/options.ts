import { isSupportedCountry } from 'libphonenumber-js/max';
import type { ConsentChannel, Operation } from '../contracts/channels.js';
import type { Mapping } from './mapping/schema.js';
import type { Encoding } from '../connectors/files/encodings.js';
import { SourceError } from '../connectors/source-error.js';
import type { PresetName } from './presets/names.js';
import type { Ask } from './values/consent-value.js';
import { checkTimezone } from './values/timezone.js';

/** What can be asked of every row, whatever its columns say. */
export const SAME_FOR_ALL = [
  'unsubscribe',
  'suppress',
  'unsuppress',
  'remove_from_list',
] as const satisfies readonly Operation[];
export type SameForAll = (typeof SAME_FOR_ALL)[number];

export interface ImportOptions {
  /**
   * Channels that the run asks consent for, usually `['email']`. Any other channel is never
   * touched, whatever the file says.
   */
  readonly channels: readonly ConsentChannel[];
  /** ISO 3166-1 alpha-2 code for phone numbers in national format whose row names no country. */
  readonly country: string | null;
  /** IANA name, e.g. `Europe/Berlin`, for dates without a zone. Null: such a date stops the import. */
  readonly timezone: string | null;
  /**
   * What happens to a subscribe without a consent date: `subscribe` asks for it without a date,
   * `list_only` makes it a list membership without consent, `reject` refuses it.
   */
  readonly undated: 'subscribe' | 'list_only' | 'reject';
  /** Of a file. Null or absent: as its bytes show. */
  readonly encoding?: Encoding | null;
  /** Null: recognised by the header. */
  readonly preset: PresetName | null;
  /** Consent dates after this are refused. */
  readonly now: Date;
  /**
   * Column with the phone number, for Mailchimp audiences that do not call theirs `Phone Number`;
   * for any other preset it replaces the preset's column.
   */
  readonly smsColumn?: string;
  /**
   * `implicit`: rows that would be subscribed are added to the list without consent instead, and
   * without consent columns every row is added. E-mail only. Default `explicit`.
   */
  readonly consent?: 'explicit' | 'implicit';
  /** What every row asks, whatever its columns say; null or absent: what they say. */
  readonly operation?: SameForAll | null;
  /** Every row asks to join the run's list and to leave another one, whatever its columns say. */
  readonly moves?: boolean;
  /** `unsubscribe`: whoever is suppressed is also unsubscribed from e-mail, which counts at once. */
  readonly floor?: 'unsubscribe' | null;
  /**
   * Consent date, attested by the operator, for rows without one: `YYYY-MM-DD` (12:00), or with
   * time and zone. A date without a zone is in `timezone`.
   */
  readonly consentedAt?: string | null;
  /**
   * Who consented, when and how, as the operator attests it for rows about which an export records neither
   * consent nor an opt-out.
   */
  readonly attested?: string | null;
  /** The source says who is in a segment: every row consents where no column says who did. */
  readonly segment?: SegmentSource | null;
  /** How to read a source without a preset; then `preset` is null. */
  readonly mapping?: Mapping | null;
}

/** A source of which each row is a person who is in a segment. */
export interface SegmentSource {
  /** Column that tells people apart. */
  readonly key: string;
  /** Column with the date of consent to each channel that has no date column of its own; null for none. */
  readonly consentHistory: string | null;
}

/** Whether every row asks the same, whatever its columns say. */
export function asksTheSame({ operation = null, moves = false }: ImportOptions): boolean {
  return operation !== null || moves;
}

/**
 * Whether a row says nothing about a channel. "No" is nothing either, but in a segment, which takes back what
 * it gave before.
 */
export function isSilent(ask: Ask, { segment = null }: ImportOptions): boolean {
  return ask === 'nothing' || (ask === 'no' && segment === null);
}

/** Throws `SourceError` for an unknown time zone or country, and for contradicting options. */
export function checkOptions(file: string, options: ImportOptions): void {
  refuseImplicitTexts(file, options);
  if (options.preset !== null && (options.mapping ?? null) !== null) {
    throw new SourceError(
      'options_conflict',
      { file },
      'Both a preset and a mapping are given, but only one can say what the columns mean.',
      'Leave out --preset or --map.',
    );
  }
  if (options.timezone !== null && checkTimezone(options.timezone) !== null) {
    throw new SourceError(
      'timezone_unknown',
      { file },
      `There is no time zone "${options.timezone}".`,
      'Give --timezone an IANA name such as Europe/Berlin, America/New_York or UTC.',
    );
  }
  if (options.country !== null && !isSupportedCountry(options.country)) {
    throw new SourceError(
      'country_unknown',
      { file },
      `There is no country "${options.country}".`,
      'Give --country two capital letters of ISO 3166-1, such as US or GB.',
    );
  }
}

/**
 * Neither the law on texts nor Klaviyo accepts implied consent; push consent comes from the
 * device's owner.
 */
function refuseImplicitTexts(file: string, options: ImportOptions): void {
  if (options.consent !== 'implicit') return;
  const refused = options.channels.filter((channel) => channel !== 'email');
  if (refused.length === 0) return;
  const words = refused.map((channel) => (channel.startsWith('sms') ? 'SMS' : channel));
  throw new SourceError(
    'implicit_consent_refused',
    { file },
    `Implicit consent is refused for ${[...new Set(words)].join(' and ')}: it has to be given by the person.`,
    `Leave ${refused.join(' and ')} out of --channels, or leave --implicit out and use a source that says who consented.`,
  );
}
