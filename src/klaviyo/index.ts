export { KlaviyoClient, type KlaviyoApi } from './client.js';
export type { KlaviyoClientOptions } from './client-settings.js';
export {
  ENDPOINT_NAMES,
  ENDPOINTS,
  describeEndpoint,
  endpointOf,
  isWrite,
  type Endpoint,
  type EndpointName,
} from './endpoints.js';
export {
  EndpointPausedError,
  KlaviyoAnswerUnexpectedError,
  KlaviyoError,
  KlaviyoKeyRefusedError,
  KlaviyoRateLimitedError,
  KlaviyoRefusedError,
  KlaviyoRequestInvalidError,
  KlaviyoScopeMissingError,
  KlaviyoSettingsError,
  KlaviyoUnavailableError,
  LimiterBusyError,
  ListNotFoundError,
} from './errors.js';
export { mayTellOptOut, provesChange, type FeedEvent, type Metric } from './reads/event-feed.js';
export { chunkLookUps, type LookUpField } from './reads/filters.js';
export type { JsonApiError } from './json-api.js';
export type { RateLimiter } from './limiter.js';
export {
  consentOf,
  isSuppressed,
  type ChannelConsent,
  type ConsentState,
  type EmailMarketing,
  type EmailTracking,
  type ListSuppression,
  type ProfileConsent,
  type ProfilePage,
  type SmsConsent,
  type Suppression,
  type SuppressionReason,
  type TrackingConsent,
} from './profiles/profile-consent.js';
export type { ProfileReading, ProfilesQuery, ReadingsPage } from './profiles/profile-readings.js';
export type { WireProfile, WirePermission } from './profiles/profile-wire.js';
export type { Membership, MembershipsPage, MembershipsQuery } from './profiles/memberships.js';
export { UNKNOWN_CONSENT } from './profiles/profile-schema.js';
export type { Suppressed } from './profiles/profile-calls.js';
export {
  covers,
  splitRefusal,
  unknownIds,
  type RefusedPart,
  type RequestRefusal,
  type RowRefusal,
  type SplitRefusal,
} from './writes/refusals.js';
export type {
  ChannelSubscription,
  ImportRequest,
  ProfileToSubscribe,
  PushToken,
  SubscribeRequest,
  UnsubscribeRequest,
} from './writes/requests.js';
export type { RateLimitReading } from './transport/rate-limit-headers.js';
export type {
  Account,
  OptionalReading,
  FlowTrigger,
  ListInfo,
  ListWithFlows,
  TextMessagingConfiguration,
  TextMessagingSender,
} from './reads/resources.js';
export type { CallRecord } from './transport/exchange.js';
export type { CallTimes, KlaviyoTime } from './transport/klaviyo-clock.js';
export { DEFAULT_PATIENCE, type Patience } from './transport/patience.js';
export type { CallOptions, Reservation } from './transport/transport.js';
export type { Accepted, AcceptedJob } from './writes/writes.js';
