/*
 * What a consent record keeps of each channel. The names are those of the columns of a destination,
 * and follow Klaviyo's own: channel, kind of message, field.
 */

/** A field of a channel's consent, as Klaviyo calls it; `can_receive` without the channel's name. */
export type ChannelField =
  | 'consent'
  | 'consent_timestamp'
  | 'last_updated'
  | 'method'
  | 'method_detail'
  | 'custom_method_detail'
  | 'double_optin'
  | 'valid_until'
  | 'phone_number'
  | 'can_receive';

/** A channel with its own consent, and the fields that Klaviyo states of it. */
interface ChannelSpec {
  readonly fields: readonly ChannelField[];
  /** The identifier without which nobody can be reached, and whose channel Klaviyo always states. */
  readonly needs?: 'email' | 'phone_number';
  /** Consent to be tracked is not consent to be sent anything. */
  readonly sends: boolean;
}

const PERMISSION = [
  'consent',
  'consent_timestamp',
  'last_updated',
  'valid_until',
  'can_receive',
] as const;
const TEXTS = {
  fields: [
    'consent',
    'consent_timestamp',
    'last_updated',
    'method',
    'method_detail',
    'can_receive',
  ],
  needs: 'phone_number',
  sends: true,
} as const;
const WHATSAPP = { fields: [...PERMISSION, 'phone_number'], sends: true } as const;
const TRACKING = { fields: PERMISSION, sends: false } as const;

/** In the order of the columns. */
export const CHANNELS = {
  email_marketing: {
    fields: [
      'consent',
      'consent_timestamp',
      'last_updated',
      'method',
      'method_detail',
      'custom_method_detail',
      'double_optin',
      'can_receive',
    ],
    needs: 'email',
    sends: true,
  },
  email_open_tracking: TRACKING,
  email_click_tracking: TRACKING,
  sms_marketing: TEXTS,
  sms_transactional: TEXTS,
  whatsapp_marketing: WHATSAPP,
  whatsapp_transactional: WHATSAPP,
  whatsapp_conversational: WHATSAPP,
  mobile_push_marketing: { fields: ['consent', 'consent_timestamp', 'can_receive'], sends: true },
} as const satisfies Readonly<Record<string, ChannelSpec>>;

export type RecordChannel = keyof typeof CHANNELS;
export const RECORD_CHANNELS = Object.keys(CHANNELS) as RecordChannel[];

export const specOf = (channel: RecordChannel): ChannelSpec => CHANNELS[channel];

/** Something of each channel. */
export function byChannel<T>(
  of: (channel: RecordChannel) => T,
): Readonly<Record<RecordChannel, T>> {
  return Object.fromEntries(RECORD_CHANNELS.map((channel) => [channel, of(channel)])) as Record<
    RecordChannel,
    T
  >;
}

/** Channels on which something can be sent; each has a column `may_send_…`. */
export const SENDING_CHANNELS = RECORD_CHANNELS.filter((channel) => specOf(channel).sends);
