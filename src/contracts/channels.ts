/**
 * What one part of an intent is about. `email` and `sms` are Klaviyo's marketing consent of the
 * channel; `list` is membership of the run's list without any consent.
 */
export const CHANNELS = ['email', 'sms', 'list'] as const;
export type Channel = (typeof CHANNELS)[number];

/** The channels that consent can be asked for, in the words of `--channels`. */
export const CONSENT_CHANNELS = ['email', 'sms'] as const;
export type ConsentChannel = (typeof CONSENT_CHANNELS)[number];

/**
 * What a job does, in the order in which jobs are started: opt-outs before memberships before
 * opt-ins, so that no later step can mail a person whom an earlier one takes out.
 */
export const OPERATIONS = ['unsubscribe', 'add_to_list', 'subscribe'] as const;
export type Operation = (typeof OPERATIONS)[number];

export type OptInProcess = 'single_opt_in' | 'double_opt_in';

/** What a part of an intent asks for: the operation of the job that will carry it. */
export type Action = Operation;
