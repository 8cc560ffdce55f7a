import { IANAZone } from 'luxon';
import { isSupportedCountry } from 'libphonenumber-js/max';
import type { ConsentChannel } from '../contracts/channels.js';
import { SourceError } from './source-error.js';

export const PRESET_NAMES = ['mailchimp-subscribed', 'mailchimp-unsubscribed', 'generic'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

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
}

/** Throws `SourceError` for a time zone or country that does not exist. */
export function checkOptions(file: string, options: ImportOptions): void {
  if (options.timezone !== null && !IANAZone.isValidZone(options.timezone)) {
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
