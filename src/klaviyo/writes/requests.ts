import {
  CONSENT_CHANNELS,
  isPhoneChannel,
  isTextChannel,
  type ConsentChannel,
  type OptInProcess,
} from '../../contracts/channels.js';
import { CALL_LIMITS } from '../../contracts/limits.js';
import type { EndpointName } from '../endpoints.js';
import { KlaviyoRequestInvalidError } from '../errors.js';

/** One channel to subscribe to; `consentedAt` is RFC 3339 with an offset. */
export interface ChannelSubscription {
  /** When consent was given; required with `historicalImport`, and not allowed without it. */
  readonly consentedAt: string | null;
}

/** A device's push token. */
export interface PushToken {
  readonly token: string;
  readonly platform: 'ios' | 'android';
}

/** One person of a subscribe call: a channel that is present needs its identifier. */
export interface ProfileToSubscribe {
  readonly email?: string | null;
  /** E.164. */
  readonly phoneNumber?: string | null;
  /** `YYYY-MM-DD`; age-gated accounts require it for SMS consent. */
  readonly dateOfBirth?: string | null;
  /** Registered with the profile if push consent is asked for. */
  readonly pushToken?: PushToken | null;
  /** Consent to give, by channel. */
  readonly channels: Partial<Record<ConsentChannel, ChannelSubscription>>;
}

export interface SubscribeRequest {
  /** List to subscribe people to; with null the account's default opt-in process applies. */
  readonly listId: string | null;
  /** Stored by Klaviyo with each consent. */
  readonly customSource: string;
  /** True skips double opt-in and flows, and needs a past `consentedAt` for every channel. */
  readonly historicalImport: boolean;
  /** At most 1,000. */
  readonly profiles: readonly ProfileToSubscribe[];
}

export interface UnsubscribeRequest {
  /**
   * List to leave. Klaviyo unsubscribes **globally** everybody who is not on it: check membership
   * first, or pass null for a global unsubscribe.
   */
  readonly listId: string | null;
  /** At most 100. Unknown people are created, then unsubscribed. */
  readonly profiles: readonly {
    readonly email?: string | null;
    readonly phoneNumber?: string | null;
    readonly channels: readonly ConsentChannel[];
  }[];
}

export interface ImportRequest {
  /** List that the profiles are added to, without any consent. */
  readonly listId: string;
  /** At most 10,000 and 5 MB. */
  readonly profiles: readonly {
    readonly email?: string | null;
    readonly phoneNumber?: string | null;
  }[];
}

/** The body of a call that creates a list. */
export function listBody(list: {
  readonly name: string;
  readonly optInProcess: OptInProcess;
}): unknown {
  const attributes = { name: list.name, opt_in_process: list.optInProcess };
  return { data: { type: 'list', attributes } };
}

/**
 * The body of a subscribe call. It has only the identifiers of subscribed channels: a phone number
 * beside an e-mail subscription would be set on the profile without anybody asking for it, and
 * could get the row refused.
 */
export function subscribeBody(request: SubscribeRequest): unknown {
  const endpoint = 'bulk_subscribe_profiles';
  checkCount(endpoint, request.profiles.length, CALL_LIMITS.subscribe);
  return {
    data: {
      type: 'profile-subscription-bulk-create-job',
      attributes: {
        custom_source: request.customSource,
        historical_import: request.historicalImport,
        profiles: {
          data: request.profiles.map((profile, row) => ({
            type: 'profile',
            attributes: subscribeAttributes(profile, row, request.historicalImport),
          })),
        },
      },
      ...listRelationship(request.listId),
    },
  };
}

/** The body of an unsubscribe call. Leaving SMS marketing also ends transactional SMS. */
export function unsubscribeBody(request: UnsubscribeRequest): unknown {
  const endpoint = 'bulk_unsubscribe_profiles';
  checkCount(endpoint, request.profiles.length, CALL_LIMITS.unsubscribe);
  return {
    data: {
      type: 'profile-subscription-bulk-delete-job',
      attributes: {
        profiles: {
          data: request.profiles.map((profile, row) => ({
            type: 'profile',
            attributes: {
              ...identifiersOf(endpoint, row, profile, profile.channels),
              subscriptions: subscriptionsOf(
                profile.channels.map((channel) => [channel, { consent: 'UNSUBSCRIBED' }]),
                // Required here; an empty list withdraws the consent and keeps the devices.
                { tokens: [] },
              ),
            },
          })),
        },
      },
      ...listRelationship(request.listId),
    },
  };
}

/** The body of a suppress or an unsuppress call: by e-mail only, at most 100. */
export function suppressionBody(
  endpoint: 'bulk_suppress_profiles' | 'bulk_unsuppress_profiles',
  emails: readonly string[],
): unknown {
  checkCount(endpoint, emails.length, CALL_LIMITS.suppress);
  const change = endpoint === 'bulk_suppress_profiles' ? 'create' : 'delete';
  return {
    data: {
      type: `profile-suppression-bulk-${change}-job`,
      attributes: {
        profiles: {
          data: emails.map((email) => ({ type: 'profile', attributes: { email } })),
        },
      },
    },
  };
}

/** The body of a call that removes profiles from a list: by id, at most 1,000. */
export function removalBody(profileIds: readonly string[]): unknown {
  checkCount('remove_profiles_from_list', profileIds.length, CALL_LIMITS.removeFromList);
  return { data: profileIds.map((id) => ({ type: 'profile', id })) };
}

/** The body of a bulk import that adds people to a list; it carries no consent. */
export function importBody(request: ImportRequest): unknown {
  const endpoint = 'bulk_import_profiles';
  checkCount(endpoint, request.profiles.length, CALL_LIMITS.import);
  return {
    data: {
      type: 'profile-bulk-import-job',
      attributes: {
        profiles: {
          data: request.profiles.map(({ email, phoneNumber }, row) => {
            if (!email && !phoneNumber) throw invalidRow(endpoint, row, 'has no identifier');
            return {
              type: 'profile',
              attributes: {
                ...(email ? { email } : {}),
                ...(phoneNumber ? { phone_number: phoneNumber } : {}),
              },
            };
          }),
        },
      },
      relationships: { lists: { data: [{ type: 'list', id: request.listId }] } },
    },
  };
}

function subscribeAttributes(profile: ProfileToSubscribe, row: number, historical: boolean) {
  const asked = CONSENT_CHANNELS.flatMap((channel) => {
    const subscription = profile.channels[channel];
    return subscription === undefined ? [] : [[channel, subscription] as const];
  });
  const channels = asked.map(([channel]) => channel);
  const { dateOfBirth = null, pushToken = null } = profile;
  return {
    ...identifiersOf('bulk_subscribe_profiles', row, profile, channels),
    ...(dateOfBirth !== null && channels.some(isTextChannel)
      ? { age_gated_date_of_birth: dateOfBirth }
      : {}),
    subscriptions: subscriptionsOf(
      asked.map(([channel, subscription]) => [
        channel,
        consentParameters(subscription, row, channel, historical),
      ]),
      pushToken === null ? {} : { tokens: [tokenEntry(pushToken)] },
    ),
  };
}

/** The place of a channel's consent in `subscriptions`. */
const WRITTEN_AS: Readonly<Record<ConsentChannel, readonly [channel: string, type: string]>> = {
  email: ['email', 'marketing'],
  sms: ['sms', 'marketing'],
  sms_transactional: ['sms', 'transactional'],
  whatsapp: ['whatsapp', 'marketing'],
  push: ['push', 'marketing'],
};

function subscriptionsOf(
  parameters: readonly (readonly [ConsentChannel, object])[],
  push: object,
): Record<string, object> {
  const subscriptions: Record<string, object> = {};
  for (const [asked, value] of parameters) {
    const [channel, type] = WRITTEN_AS[asked];
    const beside = asked === 'push' ? push : {};
    subscriptions[channel] = { ...subscriptions[channel], ...beside, [type]: value };
  }
  return subscriptions;
}

/** Only the identifiers that the channels need; push belongs to the profile itself. */
function identifiersOf(
  endpoint: EndpointName,
  row: number,
  person: { readonly email?: string | null; readonly phoneNumber?: string | null },
  channels: readonly ConsentChannel[],
) {
  checkSomeChannel(endpoint, row, channels.length > 0);
  const wantsPhone = channels.find(isPhoneChannel);
  const wantsEmail = channels.includes('email');
  if (wantsPhone === undefined && !wantsEmail) {
    return person.email
      ? { email: person.email }
      : { phone_number: identifier(endpoint, row, person.phoneNumber, 'push') };
  }
  return {
    ...(wantsEmail ? { email: identifier(endpoint, row, person.email, 'email') } : {}),
    ...(wantsPhone === undefined
      ? {}
      : { phone_number: identifier(endpoint, row, person.phoneNumber, wantsPhone) }),
  };
}

const tokenEntry = ({ token, platform }: PushToken) => ({
  token,
  platform,
  vendor: platform === 'ios' ? 'apns' : 'fcm',
});

const WITH_OFFSET = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Klaviyo refuses a date without `historical_import`, and `historical_import` without a date. */
function consentParameters(
  { consentedAt }: ChannelSubscription,
  row: number,
  channel: ConsentChannel,
  historical: boolean,
) {
  const endpoint = 'bulk_subscribe_profiles';
  if (!historical) {
    if (consentedAt === null) return { consent: 'SUBSCRIBED' };
    throw invalidRow(endpoint, row, `has a consent date for ${channel} in a live subscribe`);
  }
  if (consentedAt === null || !WITH_OFFSET.test(consentedAt)) {
    throw invalidRow(
      endpoint,
      row,
      `needs a consent date with an offset (2021-03-04T05:06:07Z) for ${channel} in a historical import`,
    );
  }
  return { consent: 'SUBSCRIBED', consented_at: consentedAt };
}

function listRelationship(listId: string | null) {
  return listId === null ? {} : { relationships: { list: { data: { type: 'list', id: listId } } } };
}

function identifier(
  endpoint: EndpointName,
  row: number,
  value: string | null | undefined,
  channel: ConsentChannel,
): string {
  if (value) return value;
  const missing = channel === 'email' ? 'e-mail address' : 'phone number';
  throw invalidRow(endpoint, row, `asks for ${channel} but has no ${missing}`);
}

function checkSomeChannel(endpoint: EndpointName, row: number, some: boolean): void {
  if (!some) throw invalidRow(endpoint, row, 'asks for no channel');
}

function checkCount(endpoint: EndpointName, count: number, limit: number): void {
  if (count >= 1 && count <= limit) return;
  throw new KlaviyoRequestInvalidError(
    `it has ${count} profiles, but Klaviyo takes 1 to ${limit} per call.`,
    endpoint,
  );
}

function invalidRow(endpoint: EndpointName, row: number, what: string): KlaviyoRequestInvalidError {
  return new KlaviyoRequestInvalidError(`profile ${row} (counted from 0) ${what}.`, endpoint);
}
