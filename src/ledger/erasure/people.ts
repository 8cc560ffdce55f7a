import type { OptOut } from '../opt-outs/known.js';
import type { MirroredProfile } from '../people/mirror.js';

/** Somebody who is to be erased: whatever is known of them. */
export interface PersonToErase {
  /** As Klaviyo has it, in any case. */
  readonly email: string | null;
  /** E.164. */
  readonly phoneNumber: string | null;
  /**
   * Klaviyo's id of a profile that is gone there. Null if it is not known, or may still be there: then
   * all that is remembered under the address or the number is looked up again.
   */
  readonly profileId: string | null;
}

/** Who is erased, and what is known of their opt-outs from outside the ledger. */
export interface Erasing {
  readonly people: readonly PersonToErase[];
  readonly optOuts: readonly OptOut[];
  /** The opt-outs that a profile of the account's mirror shows. */
  readonly optOutsOf: (profile: MirroredProfile) => readonly OptOut[];
}
