import { randomUUID } from 'node:crypto';
import type { SandboxAccount } from '../../account/account.js';
import { noKey, scopeMissing, wrongKey, wrongScheme } from './errors.js';
import type { Switches } from '../../settings/options.js';
import { TIERS, type NamedLimit, type Operation } from '../operation.js';
import type { RateLimiter } from './rate-limits.js';
import { servedRevision } from './revision.js';

const SCHEME = /^Klaviyo-API-Key(?: +(.+))?$/;

/**
 * The checks of every operation before it reads the body.
 *
 * @param operation as the revision of the request has it
 * @param declared the same operation as declared in the table
 * @returns headers of the answer: the account, the revision, and the remaining limit
 * @throws ApiError 401, 403, 400 or 404 or 410 (revision), or 429
 */
export function passGate(
  operation: Operation,
  declared: Operation,
  request: Request,
  query: URLSearchParams,
  account: SandboxAccount,
  limiter: RateLimiter,
): Record<string, string> {
  checkKey(operation, request.headers.get('authorization'), account);
  const revision = servedRevision(
    declared,
    request.headers.get('revision'),
    account.settings.switches.unlistedRevision,
    new Date(account.clock.wall()).toISOString().slice(0, 10),
  );
  const limits = limiter.take([
    ...limitsOf(operation, query),
    ...sharedLimits(query, account.settings.switches),
  ]);
  return {
    cid: account.settings.account.id,
    'x-klaviyo-api-revision': revision,
    'x-klaviyo-req-id': randomUUID(),
    ...limits,
  };
}

function checkKey(operation: Operation, header: string | null, account: SandboxAccount): void {
  const { apiKey, scopes } = account.settings;
  if (header === null || header === '') throw noKey();
  const [isScheme, key] = SCHEME.exec(header) ?? [];
  if (isScheme === undefined) throw wrongScheme();
  if (key === undefined) throw noKey();
  if (key !== apiKey || account.keyRevoked) throw wrongKey();
  if (scopes === 'all') return;
  const missing = operation.scopes.filter((scope) => !scopes.has(scope));
  if (missing.length > 0) throw scopeMissing(missing);
}

/** Its own limit, and the stricter ones that apply to this query. */
function limitsOf(operation: Operation, query: URLSearchParams) {
  const stricter = (operation.stricter ?? []).filter(({ parameter, value }) =>
    query.getAll(parameter).some((list) => list.split(',').includes(value)),
  );
  return [{ name: operation.name, limit: operation.limit }, ...stricter.map(({ limit }) => limit)];
}

/**
 * One limit for all reads with `additional-fields`. Only second-hand notes say that there is one,
 * without a number: this number is ours. The headers of an answer still describe the endpoint's own
 * limit.
 */
const ADDITIONAL_FIELDS: NamedLimit = { name: 'additional-fields', limit: TIERS.M };

function sharedLimits(
  query: URLSearchParams,
  { additionalFieldsLimit }: Switches,
): readonly NamedLimit[] {
  const asks = [...query.keys()].some((name) => name.startsWith('additional-fields['));
  return additionalFieldsLimit === 'shared' && asks ? [ADDITIONAL_FIELDS] : [];
}
