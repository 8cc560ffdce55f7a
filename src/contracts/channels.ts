/**
 * What one part of an intent is about: one kind of consent, or `list`, which is membership of the
 * run's list without any consent. `email`, `sms`, `whatsapp` and `push` are marketing consent;
 * `sms_transactional` is consent to texts about orders and deliveries.
 */
export const CHANNELS = ['email', 'sms', 'sms_transactional', 'whatsapp', 'push', 'list'] as const;
/** A kind of consent, or `list`: membership of the run's list without any consent. */
export type Channel = (typeof CHANNELS)[number];

/** The channels that consent can be asked for, as `--channels` spells them. */
export const CONSENT_CHANNELS = ['email', 'sms', 'sms_transactional', 'whatsapp', 'push'] as const;
/** A kind of consent, as `--channels` spells it. */
export type ConsentChannel = (typeof CONSENT_CHANNELS)[number];

/** Channels whose consent is tied to a phone number. */
export const PHONE_CHANNELS = ['sms', 'sms_transactional', 'whatsapp'] as const;
export type PhoneChannel = (typeof PHONE_CHANNELS)[number];

/** Channels that need a sending number in the person's country. */
export const TEXT_CHANNELS = ['sms', 'sms_transactional'] as const;

export function isPhoneChannel(channel: Channel): channel is PhoneChannel {
  return PHONE_CHANNELS.some((phone) => phone === channel);
}

export function isTextChannel(channel: Channel): boolean {
  return TEXT_CHANNELS.some((text) => text === channel);
}

/**
 * What a job does, in the order in which jobs are started: suppressions before opt-outs before
 * memberships before opt-ins, so that no later step can mail a person whom an earlier step removes.
 */
export const OPERATION_NAMES = ['suppress', 'unsubscribe', 'add_to_list', 'subscribe'] as const;
export type Operation = (typeof OPERATION_NAMES)[number];

export type OptInProcess = 'single_opt_in' | 'double_opt_in';

/**
 * Channels whose opt-outs count for a channel: an opt-out of one kind of text counts for both, and
 * nobody who opted out of e-mail is added to a list.
 */
export const OPT_OUTS_OF: Readonly<Record<Channel, readonly ConsentChannel[]>> = {
  email: ['email'],
  sms: TEXT_CHANNELS,
  sms_transactional: TEXT_CHANNELS,
  whatsapp: ['whatsapp'],
  push: ['push'],
  list: ['email'],
};

/**
 * What identifies the person of a channel: e-mail or phone number. Push and memberships use the
 * e-mail if the row has one.
 */
export function identifierOf(
  channel: Channel,
  { email, phoneNumber }: { readonly email: string | null; readonly phoneNumber: string | null },
): string | null {
  if (channel === 'email') return email;
  return isPhoneChannel(channel) ? phoneNumber : (email ?? phoneNumber);
}
