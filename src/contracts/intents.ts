import type { Channel, Operation } from './channels.js';
import type { Reason } from './outcomes.js';

/** What one row of a source asks for one person, as an importer gives it to the ledger. */
export interface Intent {
  /** Line of the source on which the record begins; the header is line 1. */
  readonly line: number;
  /** Trimmed and lower-cased; null where the row has none or it is not an address. */
  readonly email: string | null;
  /** E.164; null where the row has none or it is not a valid number. */
  readonly phoneNumber: string | null;
  /** ISO 3166-1 alpha-2 of the phone number, else of the row. */
  readonly country: string | null;
  /** The identifiers as they stand in the source, only where they differ from the normalised. */
  readonly rawEmail: string | null;
  readonly rawPhone: string | null;
  /** `YYYY-MM-DD`, where the row has one: age-gated accounts want it with SMS consent. */
  readonly dateOfBirth?: string;
  /** Device to register with push consent, where the row has one. */
  readonly push?: { readonly token: string; readonly platform: 'ios' | 'android' };
  readonly parts: readonly IntentPart[];
}

/** One channel of an intent. A row's parts are never empty: a refused row has refused parts. */
export interface IntentPart {
  readonly channel: Channel;
  readonly operation: Operation;
  /**
   * When it was said: RFC 3339 in UTC (`2021-03-04T05:06:07Z`), after the 1990 clamp; null where not
   * known. Refused parts have it only where they may be a no.
   */
  readonly consentedAt: string | null;
  /** Set when the importer refuses this part; the part is then `rejected` and never sent. */
  readonly rejected: Reason | null;
  /** What was changed on the way in, e.g. `clamped_to_1990`; never personal data. */
  readonly note: string | null;
}
