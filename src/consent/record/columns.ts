import {
  RECORD_CHANNELS,
  SENDING_CHANNELS,
  specOf,
  type ChannelField,
  type RecordChannel,
} from './channels.js';

/**
 * `timestamp`: a point in time with microseconds, as `2026-01-02T03:04:05.000006Z`. `json`: JSON
 * text, with keys and elements in a fixed order, so that equal values are equal texts.
 */
export type ColumnType = 'text' | 'boolean' | 'timestamp' | 'json';

/** A value of a column; null: Klaviyo said that there is none, or never said anything. */
export type ColumnValue = string | boolean | null;

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** The channel that it belongs to; null for identifiers. */
  readonly channel: RecordChannel | null;
}

export const SUPPRESSIONS = 'email_marketing_suppressions';
export const LIST_SUPPRESSIONS = 'email_marketing_list_suppressions';

/** The identifiers of a profile besides its id. */
export const IDENTIFIERS = ['email', 'phone_number', 'external_id'] as const;

export function columnOf(channel: RecordChannel, field: ChannelField): string {
  return `${channel}_${field}`;
}

export function maySendColumn(channel: RecordChannel): string {
  return `may_send_${channel}`;
}

const TYPES: Partial<Record<ChannelField, ColumnType>> = {
  consent_timestamp: 'timestamp',
  last_updated: 'timestamp',
  valid_until: 'timestamp',
  double_optin: 'boolean',
  can_receive: 'boolean',
};

/** What Klaviyo states of a profile, besides its id. */
export const STATED_COLUMNS: readonly Column[] = [
  ...IDENTIFIERS.map((name): Column => ({ name, type: 'text', channel: null })),
  ...RECORD_CHANNELS.flatMap((channel): Column[] => [
    ...specOf(channel).fields.map((field): Column => ({
      name: columnOf(channel, field),
      type: TYPES[field] ?? 'text',
      channel,
    })),
    ...(channel === 'email_marketing'
      ? [SUPPRESSIONS, LIST_SUPPRESSIONS].map((name): Column => ({
          name,
          type: 'json',
          channel: 'email_marketing',
        }))
      : []),
  ]),
];

/** Whether something may be sent to the profile: never null. */
export const MAY_SEND_COLUMNS: readonly Column[] = SENDING_CHANNELS.map((channel) => ({
  name: maySendColumn(channel),
  type: 'boolean',
  channel,
}));

/** What a consent record consists of, besides its key, in the order of a table's columns. */
export const RECORD_COLUMNS: readonly Column[] = [...STATED_COLUMNS, ...MAY_SEND_COLUMNS];
