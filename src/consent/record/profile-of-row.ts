import type {
  ChannelConsent,
  ConsentState,
  EmailMarketing,
  ListSuppression,
  ProfileConsent,
  SmsConsent,
  Suppression,
} from '../../klaviyo/profiles/profile-consent.js';
import type { RecordChannel } from './channels.js';
import { columnOf, LIST_SUPPRESSIONS, SUPPRESSIONS } from './columns.js';
import type { ConsentRow } from './record.js';

/**
 * The profile that a destination's row tells of, as the guard sees one: what was stated of its consent
 * at any time. It serves to find opt-outs. It permits nothing, since Klaviyo may state less by now.
 */
export function profileOfRow(profileId: string, row: ConsentRow): ProfileConsent {
  return {
    id: profileId,
    email: text(row['email']),
    phoneNumber: text(row['phone_number']),
    emailMarketing: emailOf(row),
    smsMarketing: textsOf(row, 'sms_marketing'),
    smsTransactional: textsOf(row, 'sms_transactional'),
    whatsappMarketing: consentOf(row, 'whatsapp_marketing'),
    pushMarketing: consentOf(row, 'mobile_push_marketing'),
    emailTracking: { opens: null, clicks: null },
    joinedAt: null,
  };
}

function consentOf(row: ConsentRow, channel: RecordChannel): ChannelConsent | null {
  const consent = text(row[columnOf(channel, 'consent')]);
  if (consent === null) return null;
  return {
    consent: stateOf(consent),
    consentedAt: text(row[columnOf(channel, 'consent_timestamp')]),
  };
}

function stateOf(consent: string): ConsentState {
  switch (consent) {
    case 'SUBSCRIBED':
    case 'UNSUBSCRIBED':
    case 'NEVER_SUBSCRIBED':
      return consent;
    default:
      return 'unknown';
  }
}

const NOT_NEEDED = { canReceive: null, method: null, lastUpdated: null } as const;

function textsOf(row: ConsentRow, channel: RecordChannel): SmsConsent | null {
  const held = consentOf(row, channel);
  return held && { ...held, ...NOT_NEEDED };
}

function emailOf(row: ConsentRow): EmailMarketing | null {
  const suppressions = items(row[SUPPRESSIONS]);
  const lists = items(row[LIST_SUPPRESSIONS]);
  const held = consentOf(row, 'email_marketing');
  // A suppression counts whatever was stated of consent.
  if (held === null && suppressions.length === 0 && lists.length === 0) return null;
  return {
    consent: held?.consent ?? 'unknown',
    consentedAt: held?.consentedAt ?? null,
    ...NOT_NEEDED,
    doubleOptIn: null,
    customMethodDetail: null,
    suppressions: suppressions.map(({ reason, timestamp }): Suppression => ({
      reason: reasonOf(reason),
      timestamp: text(timestamp),
    })),
    listSuppressions: lists.flatMap(({ list_id: listId, reason, timestamp }): ListSuppression[] =>
      typeof listId === 'string'
        ? [{ listId, reason: text(reason) ?? 'unknown', timestamp: text(timestamp) }]
        : [],
    ),
  };
}

function reasonOf(reason: unknown): Suppression['reason'] {
  switch (reason) {
    case 'HARD_BOUNCE':
    case 'INVALID_EMAIL':
    case 'SPAM_COMPLAINT':
    case 'UNSUBSCRIBE':
    case 'USER_SUPPRESSED':
      return reason;
    default:
      return 'unknown';
  }
}

/** The elements of a JSON column. */
function items(value: unknown): Readonly<Record<string, unknown>>[] {
  if (typeof value !== 'string') return [];
  const parsed: unknown = JSON.parse(value);
  return Array.isArray(parsed) ? (parsed as Readonly<Record<string, unknown>>[]) : [];
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
