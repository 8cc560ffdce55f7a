import type { WirePermission, WireProfile } from '../../klaviyo/index.js';
import {
  byChannel,
  RECORD_CHANNELS,
  specOf,
  type ChannelField,
  type RecordChannel,
} from './channels.js';
import { columnOf, LIST_SUPPRESSIONS, SUPPRESSIONS, type ColumnValue } from './columns.js';
import { nothingStated, type ConsentRecord } from './record.js';
import { microseconds } from './timestamps.js';

type Subscriptions = NonNullable<WireProfile['attributes']['subscriptions']>;

/** What was sent of a channel: undefined if Klaviyo did not say, null if it said that there is none. */
type Sent = Readonly<Record<string, unknown>> | null | undefined;

/** The consent record of a profile as Klaviyo sent it. */
export function recordOf({ id, attributes }: WireProfile): ConsentRecord {
  const { email, phone_number: phoneNumber, external_id: externalId, subscriptions } = attributes;
  const stated = nothingStated();
  stated['email'] = email;
  stated['phone_number'] = phoneNumber;
  stated['external_id'] = externalId;
  for (const channel of RECORD_CHANNELS) {
    const { needs } = specOf(channel);
    const sent = subscriptions === null ? undefined : SENT[channel](subscriptions);
    const isReachable = needs !== undefined && stated[needs] !== null;
    // Klaviyo states the consent of every address and number that it has.
    if (sent === undefined || (sent === null && isReachable)) continue;
    for (const field of FIELDS[channel]) {
      stated[field.column] = sent === null ? null : valueOf(sent, field);
    }
    if (channel === 'email_marketing') putSuppressions(stated, sent);
  }
  return { profileId: id, stated };
}

/** Where Klaviyo sends each channel. */
const SENT: Readonly<Record<RecordChannel, (all: Subscriptions) => Sent>> = {
  email_marketing: ({ email }) => inside(email, 'marketing'),
  email_open_tracking: ({ email }) => inside(email, 'open_tracking'),
  email_click_tracking: ({ email }) => inside(email, 'click_tracking'),
  sms_marketing: ({ sms }) => inside(sms, 'marketing'),
  sms_transactional: ({ sms }) => inside(sms, 'transactional'),
  whatsapp_marketing: ({ whatsapp }) => inside(whatsapp, 'marketing'),
  whatsapp_transactional: ({ whatsapp }) => inside(whatsapp, 'transactional'),
  whatsapp_conversational: ({ whatsapp }) => inside(whatsapp, 'conversational'),
  mobile_push_marketing: ({ mobile_push: push }) => inside(push, 'marketing'),
};

function inside<Group extends object, Key extends keyof Group>(
  group: Group | null | undefined,
  key: Key,
): Sent {
  if (group === null || group === undefined) return group;
  return group[key] as Sent;
}

/** Klaviyo names this field after the channel, in some of them. */
const CAN_RECEIVE: Partial<Record<RecordChannel, string>> = {
  email_marketing: 'can_receive_email_marketing',
  sms_marketing: 'can_receive_sms_marketing',
  sms_transactional: 'can_receive_sms_transactional',
  mobile_push_marketing: 'can_receive_push_marketing',
};

const TIMES: ReadonlySet<ChannelField> = new Set<ChannelField & keyof WirePermission>([
  'consent_timestamp',
  'last_updated',
  'valid_until',
]);

/** A field of a channel: its column, and what Klaviyo calls it. */
interface Field {
  readonly column: string;
  readonly sentAs: string;
  readonly is: 'consent' | 'time' | 'other';
}

/** Made once: it is asked of millions of people. */
const FIELDS = byChannel((channel) =>
  specOf(channel).fields.map((field): Field => {
    const sentAs = field === 'can_receive' ? (CAN_RECEIVE[channel] ?? field) : field;
    const is = field === 'consent' ? field : TIMES.has(field) ? 'time' : 'other';
    return { column: columnOf(channel, field), sentAs, is };
  }),
);

function valueOf(
  sent: Readonly<Record<string, unknown>>,
  { sentAs, is }: Field,
): ColumnValue | undefined {
  const value = sent[sentAs] as ColumnValue | undefined;
  // A consent without a word says nothing.
  if (is === 'consent') return value ?? undefined;
  return is === 'time' && typeof value === 'string' ? microseconds(value) : value;
}

function putSuppressions(stated: Record<string, ColumnValue | undefined>, sent: Sent): void {
  const email = sent as NonNullable<Subscriptions['email']>['marketing'];
  const {
    suppression,
    can_receive_email_marketing: canReceive,
    list_suppressions: ofLists,
  } = email ?? {};
  if (email === null) {
    stated[SUPPRESSIONS] = null;
    stated[LIST_SUPPRESSIONS] = null;
  }
  if (suppression) {
    stated[SUPPRESSIONS] = json(
      suppression.map(({ reason, timestamp }) => ({ reason, timestamp: timeOf(timestamp) })),
    );
  } else if (canReceive === true) {
    // Documented: true only for a profile without a suppression. Null alone does not say that.
    stated[SUPPRESSIONS] = '[]';
  }
  if (ofLists) {
    stated[LIST_SUPPRESSIONS] = json(
      ofLists.map(({ list_id, reason, timestamp }) => ({
        list_id,
        reason,
        timestamp: timeOf(timestamp),
      })),
    );
  }
}

function timeOf(sent: string | null): string | null {
  return sent === null ? null : microseconds(sent);
}

/** Klaviyo may send the same suppressions in another order. */
function json(items: readonly object[]): string {
  const texts = items.map((item) => JSON.stringify(item));
  return `[${texts.sort().join(',')}]`;
}
