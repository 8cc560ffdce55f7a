import {
  type MessageLine,
  type SeedProfile,
  startSandbox,
  type SubscribedLine,
  type TruthLine,
} from 'klaviyo-sandbox';
import { compareWithTruth, type Comparison } from '../../src/demo/truth.js';
import type { ReportedPart } from '../../src/ledger/index.js';
import { reportedPart } from '../support/reports.js';

export const LIST = 'LIST01';
export const OTHER_LIST = 'LIST02';
export const SOURCE = 'demo run';
export const STARTED = new Date('2026-03-01T10:00:00Z');
export const CLICKED = '2026-03-01T10:00:10Z';
export const SETTLED = new Date('2026-03-01T10:00:20Z');
export const LATER = '2026-03-01T10:00:30Z';
export const EARLIER = '2025-05-05T05:05:05Z';

export const ADA = 'ada@example.com';
export const PHONE = '+12015550123';

export function part(change: Partial<ReportedPart>): ReportedPart {
  return reportedPart({
    email: ADA,
    phoneNumber: PHONE,
    operation: change.channel === 'list' ? 'add_to_list' : 'subscribe',
    settledAt: SETTLED,
    consentBefore: null,
    consentAfter: null,
    consentAfterAt: null,
    readAt: null,
    requestId: null,
    ...change,
  });
}

/** Profiles as the sandbox shows them, so that no shape is made up here. */
export async function account(...profiles: SeedProfile[]): Promise<TruthLine[]> {
  const sandbox = await startSandbox({
    lists: [
      { id: LIST, name: 'a' },
      { id: OTHER_LIST, name: 'b' },
    ],
  });
  try {
    for (const profile of profiles) sandbox.account.seed(profile);
    return [...sandbox.account.truth()];
  } finally {
    await sandbox.close();
  }
}

export function carried(
  channel: 'email' | 'sms',
  who = channel === 'email' ? ADA : PHONE,
): SubscribedLine {
  return {
    email: channel === 'email' ? who : null,
    phone_number: channel === 'sms' ? who : null,
    channels: [channel],
    list_id: LIST,
    historical_import: false,
    custom_source: null,
    sent_at: STARTED.toISOString(),
  };
}

export function message(channel: 'email' | 'sms', listId = LIST): MessageLine {
  return {
    channel,
    to: channel === 'email' ? ADA : PHONE,
    list_id: listId,
    sent_at: STARTED.toISOString(),
    count: 1,
    clicked_at: null,
  };
}

export interface Case {
  readonly parts: readonly ReportedPart[];
  readonly before?: readonly SeedProfile[];
  /** The same as before where it is left out. */
  readonly after?: readonly SeedProfile[];
  readonly carried?: readonly SubscribedLine[];
  readonly messages?: readonly MessageLine[];
}

export async function differences(given: Case): Promise<string[]> {
  const comparison: Comparison = {
    listId: LIST,
    customSource: SOURCE,
    startedAt: STARTED,
    readBackWithinMs: 2_000,
    parts: given.parts,
    before: await account(...(given.before ?? [])),
    after: await account(...(given.after ?? given.before ?? [])),
    carried: given.carried ?? [],
    messages: given.messages ?? [],
    droppedDomains: ['dropped.example'],
  };
  return compareWithTruth(comparison).map(({ what }) => what);
}

export const subscribed = (at: string, source = SOURCE): SeedProfile => ({
  email: ADA,
  email_consent: 'SUBSCRIBED',
  consent_timestamp: at,
  custom_method_detail: source,
  lists: [LIST],
});
export const textable = (at: string): SeedProfile => ({
  phone_number: PHONE,
  sms_consent: 'SUBSCRIBED',
  consent_timestamp: at,
});
export const optedOut: SeedProfile = {
  email: ADA,
  email_consent: 'UNSUBSCRIBED',
  consent_timestamp: EARLIER,
};
export const bounced: SeedProfile = {
  email: ADA,
  suppressions: [{ reason: 'HARD_BOUNCE', timestamp: EARLIER }],
};
export const leftList: SeedProfile = {
  email: ADA,
  list_suppressions: [{ list_id: LIST, timestamp: EARLIER }],
};
export const known: SeedProfile = { email: ADA };

export const pending = part({ outcome: 'pending_double_opt_in', reason: 'no_click_yet' });
export const asked = part({ outcome: 'pending_double_opt_in', reason: 'asked_already' });
export const consented = part({ outcome: 'already_consented' });
export const skipped = part({ outcome: 'skipped_opted_out', reason: 'opted_out_before_run' });
export const optedOutDuringRun = part({ ...skipped, reason: 'opted_out_during_run' });
export const unsubscribedAgain = part({ ...skipped, reason: 'unsubscribed_again' });
export const notReadBack = part({ outcome: 'unconfirmed', reason: 'opt_out_not_read_back' });
export const doubted = part({ outcome: 'rejected', reason: 'newer_statement_refused' });
/** What stops it: another row of the person with a word that nobody knows. */
export const doubt = part({
  rowNumber: 2,
  line: 3,
  outcome: 'rejected',
  reason: 'consent_value_unknown',
});
export const listOnly = part({ channel: 'list', outcome: 'list_only' });
export const rejected = part({ outcome: 'rejected', reason: 'consent_date_invalid' });
export const cancelled = part({ outcome: 'cancelled', reason: 'cancelled_before_sending' });
export const member: SeedProfile = { email: ADA, lists: [LIST] };
