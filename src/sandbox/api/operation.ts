import type { SandboxAccount } from '../account/account.js';

/** Calls allowed in each fixed window; `day` only where Klaviyo has a daily limit. */
export interface RateLimit {
  burst: number;
  steady: number;
  day?: number;
}

/** A limit with the name of its counter. */
export interface NamedLimit {
  name: string;
  limit: RateLimit;
}

/** Klaviyo's tiers, as the specification gives them per operation: burst a second, steady a minute. */
export const TIERS = {
  XS: { burst: 1, steady: 15 },
  S: { burst: 3, steady: 60 },
  M: { burst: 10, steady: 150 },
  L: { burst: 75, steady: 750 },
  XL: { burst: 350, steady: 3_500 },
} as const satisfies Record<string, RateLimit>;

/** A request that passed the gate. */
export interface Call {
  account: SandboxAccount;
  /** Value of the path's `{id}`, '' where it has none. */
  id: string;
  query: URLSearchParams;
  /** Parsed JSON; undefined for methods without a body. */
  body: unknown;
  /** Scheme, host and path, for links. */
  url: URL;
}

export interface Reply {
  status: number;
  /** JSON; absent for an empty body. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Profiles in an accepted request, for the counters. */
  profiles?: number;
}

/** Everything that the server knows about one operation. */
export interface Operation {
  /** Klaviyo's operation id. */
  name: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path template with `{id}`. */
  path: string;
  scopes: readonly string[];
  limit: RateLimit;
  revision: 'stable' | 'beta';
  /** Query parameters that it knows; any other is a 400. */
  parameters: readonly string[];
  /** A second, stricter limit that a call with these parameters counts against as well. */
  stricter?: (query: URLSearchParams) => NamedLimit | undefined;
  handle(call: Call): Reply;
}

export const endpointOf = ({ method, path }: Operation): string => `${method} ${path}`;
