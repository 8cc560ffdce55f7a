/**
 * How a row, or one channel of a row, ended.
 *
 * A row with several channels gets the first outcome in this list that any of its channels has.
 * What is still open comes first, then what was achieved, then what was not. The ledger's enum has
 * the same order, so `min(outcome)` is the row's outcome.
 */
export const OUTCOMES = [
  /**
   * Klaviyo accepted it, but the read-back does not show it, or does not show that somebody who
   * opted out was unsubscribed again.
   */
  'unconfirmed',
  /** Accepted into a double opt-in process; the profile was read back and does not show consent yet. */
  'pending_double_opt_in',
  /** The consent that was asked for was read back from Klaviyo. */
  'confirmed',
  /** Klaviyo already held the consent before the run; nothing was sent for it. */
  'already_consented',
  /** Added to the list without consent, and read back as a member. */
  'list_only',
  /** The person opted out: nothing was sent, or they were read back as opted out afterwards. */
  'skipped_opted_out',
  /** Refused by the importer, the checks or Klaviyo, with a reason. */
  'rejected',
  /** The run was cancelled or stopped before it was sent. */
  'cancelled',
] as const;

/** How a row, or one channel of a row, ended: one of `OUTCOMES`. */
export type Outcome = (typeof OUTCOMES)[number];

/** Why a part lost to another row of its source. */
export const CONFLICT_REASONS = [
  'duplicate_email',
  'duplicate_phone',
  'conflicting_opt_out',
  'conflicting_removal',
  'superseded_by_consent',
  /** The other row was refused, and may be an opt-out. */
  'newer_statement_refused',
] as const;

export type ConflictReason = (typeof CONFLICT_REASONS)[number];

/** Why a row, or a channel of it, has its outcome. The keys are stable: they are in reports and JSON. */
export type Reason =
  // the importer
  | 'email_missing'
  | 'email_invalid'
  | 'identifier_missing'
  | 'phone_missing'
  | 'phone_invalid'
  | 'phone_scientific_notation'
  | 'phone_country_unknown'
  | 'phone_landline'
  | 'phone_type_not_textable'
  | 'consent_date_invalid'
  | 'consent_date_in_future'
  | 'consent_date_missing'
  | 'consent_value_unknown'
  | 'list_value_unknown'
  | 'nothing_asked'
  | 'says_no'
  | 'row_malformed'
  | ConflictReason
  // checks before sending
  | 'phone_country_without_sender'
  | 'sms_not_configured'
  // the guard
  | 'asked_already'
  | 'already_opted_out'
  | 'already_suppressed'
  | 'not_suppressed'
  | 'suppression_not_by_hand'
  | 'not_on_list'
  | 'not_moved'
  // the guard of a program that only asks people whom Klaviyo knows
  | 'not_in_klaviyo'
  // the guard of a program that takes back what it gave
  | 'not_subscribed'
  | 'given_by_another'
  | 'renewed_elsewhere'
  | 'asked_for_elsewhere'
  | 'ends_other_texts'
  | 'consent_origin_unknown'
  | 'consent_state_unknown'
  | 'opted_out_before_run'
  | 'opted_out_during_run'
  | 'unsubscribed_again'
  | 'suppressed'
  | 'spam_complaint'
  | 'hard_bounce'
  // Klaviyo's answers
  | 'klaviyo_refused'
  | 'klaviyo_refused_phone'
  | 'klaviyo_refused_email'
  | 'klaviyo_refused_age'
  | 'phone_dropped_by_klaviyo'
  | 'backdated_before_opt_out'
  | 'backdated_after_subscription'
  // the end of a run
  | 'no_click_yet'
  | 'not_seen_before_deadline'
  | 'opt_out_not_read_back'
  | 'cancelled_before_sending'
  | 'dry_run'
  | 'not_in_pilot'
  | 'canary_failed'
  | 'migration_stopped';

/** What settled a part: where its outcome was read, or what kept it from being sent. */
export type SettledBy =
  | 'importer'
  | 'guard'
  | 'opt_outs'
  | 'klaviyo_answer'
  | 'events'
  | 'list_members'
  | 'profile_lookup'
  | 'cancellation';
