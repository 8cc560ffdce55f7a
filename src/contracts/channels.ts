/**
 * What one part of an intent is about: consent of one kind, or `list`, which is membership of the
 * run's list without any consent. `email`, `sms`, `whatsapp` and `push` are marketing consent;
 * `sms_transactional` is the consent to texts about orders and deliveries.
 */
export const CHANNELS = ['email', 'sms', 'sms_transactional', 'whatsapp', 'push', 'list'] as const;
export type Channel = (typeof CHANNELS)[number];

/** The channels that consent can be asked for, in the words of `--channels`. */
export const CONSENT_CHANNELS = ['email', 'sms', 'sms_transactional', 'whatsapp', 'push'] as const;
export type ConsentChannel = (typeof CONSENT_CHANNELS)[number];

/** Channels whose consent belongs to a phone number. */
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
 * memberships before opt-ins, so that no later step can mail a person whom an earlier one takes out.
 */
export const OPERATION_NAMES = ['suppress', 'unsubscribe', 'add_to_list', 'subscribe'] as const;
export type Operation = (typeof OPERATION_NAMES)[number];

export type OptInProcess = 'single_opt_in' | 'double_opt_in';

/**
 * Channels whose opt-outs count for a channel: an opt-out of one kind of text is one of both, and
 * nobody who wants no mail is put on a list.
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
 * What the person of a channel is known by: e-mail or phone number. Push and memberships are asked for
 * by e-mail where a row has one.
 */
export function identifierOf(
  channel: Channel,
  { email, phoneNumber }: { readonly email: string | null; readonly phoneNumber: string | null },
): string | null {
  if (channel === 'email') return email;
  return isPhoneChannel(channel) ? phoneNumber : (email ?? phoneNumber);
}
