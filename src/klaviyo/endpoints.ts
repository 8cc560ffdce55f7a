/** What the client knows about one endpoint; the numbers are those of Klaviyo's API specification. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path below the base URL; `{id}` stands for the one path parameter. */
  readonly path: string;
  /** Calls per second, for each account and endpoint. */
  readonly burst: number;
  /** Calls per minute, for each account and endpoint. */
  readonly steady: number;
  /** Calls per day, if Klaviyo limits them: its answers keep the limit, messages name it. */
  readonly daily?: number;
  /** Scopes that the private key needs for this endpoint. */
  readonly scopes: readonly string[];
}

/**
 * The endpoints that the client uses, by their operation ids in Klaviyo's API (revision
 * 2026-10-15). The only place with their limits and scopes.
 */
export const ENDPOINTS = {
  get_accounts: {
    method: 'GET',
    path: '/api/accounts',
    burst: 1,
    steady: 15,
    scopes: ['accounts:read'],
  },
  get_lists: {
    method: 'GET',
    path: '/api/lists',
    burst: 75,
    steady: 750,
    scopes: ['lists:read'],
  },
  get_list: {
    method: 'GET',
    path: '/api/lists/{id}',
    burst: 75,
    steady: 750,
    scopes: ['lists:read'],
  },
  create_list: {
    method: 'POST',
    path: '/api/lists',
    burst: 10,
    steady: 150,
    daily: 150,
    scopes: ['lists:write'],
  },
  get_profiles_for_list: {
    method: 'GET',
    path: '/api/lists/{id}/profiles',
    burst: 75,
    steady: 750,
    scopes: ['lists:read', 'profiles:read'],
  },
  get_lists_for_profile: {
    method: 'GET',
    path: '/api/profiles/{id}/lists',
    burst: 3,
    steady: 60,
    scopes: ['lists:read', 'profiles:read'],
  },
  get_profiles: {
    method: 'GET',
    path: '/api/profiles',
    burst: 75,
    steady: 750,
    scopes: ['profiles:read'],
  },
  bulk_subscribe_profiles: {
    method: 'POST',
    path: '/api/profile-subscription-bulk-create-jobs',
    burst: 75,
    steady: 750,
    scopes: ['lists:write', 'profiles:write', 'subscriptions:write'],
  },
  bulk_unsubscribe_profiles: {
    method: 'POST',
    path: '/api/profile-subscription-bulk-delete-jobs',
    burst: 75,
    steady: 750,
    scopes: ['lists:write', 'profiles:write', 'subscriptions:write'],
  },
  bulk_suppress_profiles: {
    method: 'POST',
    path: '/api/profile-suppression-bulk-create-jobs',
    burst: 75,
    steady: 750,
    scopes: ['profiles:write', 'subscriptions:write'],
  },
  bulk_unsuppress_profiles: {
    method: 'POST',
    path: '/api/profile-suppression-bulk-delete-jobs',
    burst: 75,
    steady: 750,
    scopes: ['subscriptions:write'],
  },
  remove_profiles_from_list: {
    method: 'DELETE',
    path: '/api/lists/{id}/relationships/profiles',
    burst: 10,
    steady: 150,
    scopes: ['lists:write', 'profiles:write'],
  },
  bulk_import_profiles: {
    method: 'POST',
    path: '/api/profile-bulk-import-jobs',
    burst: 10,
    steady: 150,
    scopes: ['lists:write', 'profiles:write'],
  },
  get_errors_for_bulk_import_profiles_job: {
    method: 'GET',
    path: '/api/profile-bulk-import-jobs/{id}/import-errors',
    burst: 10,
    steady: 150,
    scopes: ['profiles:read'],
  },
  get_metrics: {
    method: 'GET',
    path: '/api/metrics',
    burst: 10,
    steady: 150,
    scopes: ['metrics:read'],
  },
  get_events: {
    method: 'GET',
    path: '/api/events',
    burst: 350,
    steady: 3_500,
    scopes: ['events:read'],
  },
  get_text_messaging_configuration: {
    method: 'GET',
    path: '/api/text-messaging-configurations/{id}',
    burst: 3,
    steady: 60,
    scopes: ['sender-config:read'],
  },
  get_text_messaging_senders: {
    method: 'GET',
    path: '/api/text-messaging-senders',
    burst: 3,
    steady: 60,
    scopes: ['sender-config:read'],
  },
} as const satisfies Record<string, Endpoint>;

export type EndpointName = keyof typeof ENDPOINTS;

export const ENDPOINT_NAMES = Object.keys(ENDPOINTS) as EndpointName[];

/** The endpoint's facts, with the literal types widened. */
export function endpointOf(name: EndpointName): Endpoint {
  return ENDPOINTS[name];
}

/** `bulk_subscribe_profiles (POST /api/...)`, for messages: the template, never an id. */
export function describeEndpoint(name: EndpointName): string {
  const { method, path } = endpointOf(name);
  return `${name} (${method} ${path})`;
}

/** Whether a call changes something at Klaviyo, so that a lost answer is ambiguous. */
export function isWrite(name: EndpointName): boolean {
  return endpointOf(name).method !== 'GET';
}
