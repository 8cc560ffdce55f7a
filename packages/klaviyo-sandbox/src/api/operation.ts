import type { SandboxAccount } from '../account/account.js';
import type { Query, QueryRules } from './query/query.js';
import type { Forms, RevisionDate } from './revisions/forms.js';

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
  /** Value of the path's `{id}` or `{job_id}`, '' where it has none. */
  id: string;
  query: Query;
  /** Parsed JSON; undefined for requests without a body. */
  body: unknown;
  /** The whole address, for links. */
  url: URL;
  /** What the revision of the request asks and answers in another form than others. */
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

/** A second, stricter limit: a call whose list `parameter` names `value` counts against it as well. */
export interface StricterLimit {
  parameter: string;
  value: string;
  limit: NamedLimit;
}

/** Everything that the server knows about one operation, as revision 2026-07-15 has it. */
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
  /** The revision that brought it. @default all have it */
  since?: RevisionDate;
  /** What may stand in the query. @default no parameter at all */
  query?: QueryRules;
  /** A DELETE of a resource has no body; one of a relationship has. @default as the method says */
  body?: 'none';
  handle(call: Call): Reply;
}

export const endpointOf = ({ method, path }: Operation): string => `${method} ${path}`;

export const hasBody = ({ method, body }: Operation): boolean =>
  method !== 'GET' && body !== 'none';
