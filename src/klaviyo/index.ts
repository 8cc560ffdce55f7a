export {
  KlaviyoClient,
  type Accepted,
  type KlaviyoApi,
  type KlaviyoClientOptions,
} from './client.js';
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
export type { FeedEvent, Metric } from './event-feed.js';
export { chunkLookUps, type LookUpField } from './filters.js';
export type { JsonApiError } from './json-api.js';
export type { RateLimiter } from './limiter.js';
export { createLocalLimiter, type LocalLimiterOptions } from './local-limiter.js';
export {
  consentOf,
  type ChannelConsent,
  type ConsentState,
  type EmailMarketing,
  type ListSuppression,
  type ProfileConsent,
  type SmsConsent,
  type Suppression,
  type SuppressionReason,
} from './profile-consent.js';
export {
  covers,
  splitRefusal,
  type RefusedPart,
  type RequestRefusal,
  type RowRefusal,
  type SplitRefusal,
} from './refusals.js';
export type {
  ChannelSubscription,
  ImportRequest,
  ProfileToSubscribe,
  PushToken,
  SubscribeRequest,
  UnsubscribeRequest,
} from './requests.js';
export type { RateLimitReading } from './rate-limit-headers.js';
export type {
  Account,
  OptionalReading,
  FlowTrigger,
  ImportJob,
  ListInfo,
  ListWithFlows,
  TextMessagingConfiguration,
  TextMessagingSender,
} from './resources.js';
export type { CallOptions, CallRecord } from './transport.js';
