import type { SandboxAccount } from '../account/account.js';
import type { Query, QueryRules } from './query/query.js';
import type { Forms, RevisionDate } from './revisions/forms.js';

/** Calls allowed in each fixed window; `day` only if Klaviyo has a daily limit. */
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

/**
 * Klaviyo's tiers, as the specification gives them per operation: burst per second, steady per
 * minute.
 */
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
  /** Value of the path's `{id}` or `{job_id}`, '' if it has none. */
  id: string;
  query: Query;
  /** Parsed JSON; undefined for requests without a body. */
  body: unknown;
  /** The full URL, for links. */
  url: URL;
  /** The forms of bodies and answers that depend on the request's revision. */
  forms: Forms;
}

export interface Reply {
  status: number;
  /** JSON; absent for an empty body. */
  body?: unknown;
  /** A file instead of JSON. */
  file?: { type: string; content: Uint8Array };
  headers?: Record<string, string>;
  /** Profiles in an accepted request, for the counters. */
  profiles?: number;
}

/**
 * A second, stricter limit: a call whose list `parameter` contains `value` also counts against it.
 */
export interface StricterLimit {
  parameter: string;
  value: string;
  limit: NamedLimit;
}

/** Everything that the server knows about one operation, as in revision 2026-07-15. */
export interface Operation {
  /** Klaviyo's operation id. */
  name: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path template with `{id}` or `{job_id}`, as the specification writes it. */
  path: string;
  scopes: readonly string[];
  limit: RateLimit;
  stricter?: readonly StricterLimit[];
  /** @default 'stable' */
  revision?: 'beta';
  /** The revision that introduced it. @default all have it */
  since?: RevisionDate;
  /** Allowed query parameters. @default none */
  query?: QueryRules;
  /** A DELETE of a resource has no body; a DELETE of a relationship has one. @default by method */
  body?: 'none';
  handle(call: Call): Reply;
}

export const endpointOf = ({ method, path }: Operation): string => `${method} ${path}`;

export const hasBody = ({ method, body }: Operation): boolean =>
  method !== 'GET' && body !== 'none';
