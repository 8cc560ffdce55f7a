import type { Channel, Operation } from './channels.js';
import type { Reason } from './outcomes.js';

/** What one row of a source asks for one person, as an importer passes it to the ledger. */
export interface Intent {
  /** Line of the source where the record begins; the header is line 1. */
  readonly line: number;
  /** Trimmed and lower-cased; null if the row has none or it is not an address. */
  readonly email: string | null;
  /** E.164; null if the row has none or it is not a valid number. */
  readonly phoneNumber: string | null;
  /** ISO 3166-1 alpha-2 code of the phone number's country, else of the row's. */
  readonly country: string | null;
  /** The identifiers as in the source, only where they differ from the normalised ones. */
  readonly rawEmail: string | null;
  readonly rawPhone: string | null;
  /** `YYYY-MM-DD`, if the row has one: age-gated accounts require it for SMS consent. */
  readonly dateOfBirth?: string;
  /** Device to register with push consent, if the row has one. */
  readonly push?: { readonly token: string; readonly platform: 'ios' | 'android' };
  /** What tells the people of a segment apart, if the source is one. */
  readonly key?: string;
  readonly parts: readonly IntentPart[];
}

/** One channel of an intent. A row always has parts: a refused row has refused parts. */
export interface IntentPart {
  readonly channel: Channel;
  readonly operation: Operation;
  /**
   * When consent was given or withdrawn: RFC 3339 in UTC (`2021-03-04T05:06:07Z`), after the 1990
   * clamp; null if not known. Refused parts have it only if they may be an opt-out.
   */
  readonly consentedAt: string | null;
  /** Set when the importer refuses this part; the part is then `rejected` and never sent. */
  readonly rejected: Reason | null;
  /** What the importer changed, e.g. `clamped_to_1990`; never personal data. */
  readonly note: string | null;
}
