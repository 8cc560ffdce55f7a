/**
 * What one part of an intent is about: one kind of consent, or what is not consent: `list` is
 * membership of the run's list, `suppression` is the suppression of the e-mail address by hand, `old_list`
 * is membership of the list that people are moved from.
 * `email`, `sms`, `whatsapp` and `push` are marketing consent; `sms_transactional` is consent to texts
 * about orders and deliveries.
 */
export const CHANNELS = [
  'email',
  'sms',
  'sms_transactional',
  'whatsapp',
  'push',
  'list',
  'suppression',
  'old_list',
] as const;
/**
 * A kind of consent, `list` (membership of the run's list), `suppression` (of the address) or `old_list`
 * (membership of the list that people are moved from).
 */
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

/** Whether a part of this channel is about membership of a list. */
export function isListChannel(channel: Channel): boolean {
  return channel === 'list' || channel === 'old_list';
}

/** Whether a part of this channel is about consent, not about a list or a suppression. */
export function isConsentChannel(channel: Channel): channel is ConsentChannel {
  return CONSENT_CHANNELS.some((consent) => consent === channel);
}

/**
 * What a job does, in the order in which jobs are started: suppressions, opt-outs and removals before
 * lifted suppressions, memberships and opt-ins, so that no later step can mail a person whom an
 * earlier step removes.
 */
export const OPERATION_NAMES = [
  'suppress',
  'unsubscribe',
  'remove_from_list',
  'unsuppress',
  'add_to_list',
  'subscribe',
] as const;
/** What is done for one part: one of `OPERATION_NAMES`. */
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
  suppression: ['email'],
  // Only ever left.
  old_list: [],
};

/**
 * What identifies the person of a channel: e-mail or phone number. Push and memberships use the
 * e-mail if the row has one.
 */
export function identifierOf(
  channel: Channel,
  { email, phoneNumber }: { readonly email: string | null; readonly phoneNumber: string | null },
): string | null {
  if (channel === 'email' || channel === 'suppression') return email;
  return isPhoneChannel(channel) ? phoneNumber : (email ?? phoneNumber);
}
