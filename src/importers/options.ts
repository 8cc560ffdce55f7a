import { isSupportedCountry } from 'libphonenumber-js/max';
import type { ConsentChannel } from '../contracts/channels.js';
import type { Mapping } from './mapping/schema.js';
import { SourceError } from '../connectors/source-error.js';
import type { PresetName } from './presets/names.js';
import { checkTimezone } from './values/timezone.js';

export interface ImportOptions {
  /**
   * Channels that the run asks consent for. A channel that is not named here is never touched,
   * whatever the file says; usually `['email']`.
   */
  readonly channels: readonly ConsentChannel[];
  /** ISO 3166-1 alpha-2 for phone numbers in national format whose row names no country. */
  readonly country: string | null;
  /** IANA name, e.g. `Europe/Berlin`, for dates without a zone. Null: such a date stops the import. */
  readonly timezone: string | null;
  /**
   * What a subscribe without a consent date becomes: `subscribe` asks for it without a date,
   * `list_only` makes it a list membership without consent, `reject` refuses it.
   */
  readonly undated: 'subscribe' | 'list_only' | 'reject';
  /** Null: recognised by the header. */
  readonly preset: PresetName | null;
  /** Consent dates after this are refused. */
  readonly now: Date;
  /**
   * Column with the phone number, for Mailchimp audiences that named theirs otherwise than
   * `Phone Number`, and for any other layout in place of its own name.
   */
  readonly smsColumn?: string;
  /**
   * `implicit`: what would subscribe a row puts it on the list without consent instead, and a
   * layout without consent columns is taken whole. E-mail only. Default `explicit`.
   */
  readonly consent?: 'explicit' | 'implicit';
  /**
   * Consent date of rows without one, which the operator attests: `YYYY-MM-DD` (12:00), or with time
   * and zone. A date without zone is in `timezone`.
   */
  readonly consentedAt?: string | null;
  /** How to read a layout that no preset knows; then `preset` is null. */
  readonly mapping?: Mapping | null;
}

/**
 * Throws `SourceError` for a time zone or country that does not exist, and for options that
 * contradict each other.
 */
export function checkOptions(file: string, options: ImportOptions): void {
  refuseImplicitTexts(file, options);
  if (options.preset !== null && (options.mapping ?? null) !== null) {
    throw new SourceError(
      'options_conflict',
      { file },
      'Both a preset and a mapping are given, and each says what the columns mean.',
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

/** The law on texts knows no implied consent, nor does Klaviyo; push is the device owner's word. */
function refuseImplicitTexts(file: string, options: ImportOptions): void {
  if (options.consent !== 'implicit') return;
  const refused = options.channels.filter((channel) => channel !== 'email');
  if (refused.length === 0) return;
  const words = refused.map((channel) => (channel.startsWith('sms') ? 'SMS' : channel));
  throw new SourceError(
    'implicit_consent_refused',
    { file },
    `Implicit consent is refused for ${[...new Set(words)].join(' and ')}: there it has to be given by the person.`,
    `Leave ${refused.join(' and ')} out of --channels, or leave --implicit out and use a source that says who consented.`,
  );
}
