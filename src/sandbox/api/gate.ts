import type { SandboxAccount } from '../account/account.js';
import { type ApiError, noKey, scopeMissing, single, wrongKey } from './errors.js';
import { endpointOf, hasBody, type Operation } from './operation.js';
import type { RateLimiter } from './rate-limits.js';

const REVISION = '2026-07-15';
const BETA_REVISION = `${REVISION}.pre`;
const CONTENT_TYPES = ['application/vnd.api+json', 'application/json'];
const SCHEME = 'Klaviyo-API-Key ';
export const MAX_BODY_BYTES = 5_000_000;

/**
 * What every operation asks of a request before it looks at its body.
 *
 * @returns the rate-limit headers of the answer
 * @throws ApiError 401, 403, 400 (revision), 429, 415 or 413
 */
export function passGate(
  operation: Operation,
  request: Request,
  query: URLSearchParams,
  account: SandboxAccount,
  limiter: RateLimiter,
): Record<string, string> {
  checkKey(operation, request.headers.get('authorization'), account);
  checkRevision(operation, request.headers.get('revision'));
  const own = { name: endpointOf(operation), limit: operation.limit };
  const stricter = (operation.stricter ?? [])
    .filter(({ parameter, value }) => query.get(parameter)?.split(',').includes(value))
    .map(({ limit }) => limit);
  const headers = limiter.take([own, ...stricter]);
  if (hasBody(operation)) checkBody(request);
  return headers;
}

function checkKey(operation: Operation, header: string | null, account: SandboxAccount): void {
  const { apiKey, scopes } = account.settings;
  if (header === null || !header.startsWith(SCHEME)) throw noKey();
  if (header.slice(SCHEME.length) !== apiKey || account.keyRevoked) throw wrongKey();
  if (scopes === 'all') return;
  const missing = operation.scopes.filter((scope) => !scopes.has(scope));
  if (missing.length > 0) throw scopeMissing(missing);
}

/** The words are ours; that the header is required, and which, is documented. */
function checkRevision(operation: Operation, revision: string | null): void {
  const known = operation.revision === 'beta' ? [BETA_REVISION] : [REVISION, BETA_REVISION];
  if (revision !== null && known.includes(revision)) return;
  const detail =
    revision === null
      ? `A revision header is required, e.g. 'revision: ${known[0]}'.`
      : `'${revision}' is not a valid revision for this endpoint; use '${known[0]}'.`;
  throw single(400, 'invalid', 'Invalid input.', detail, { parameter: 'revision' });
}

function checkBody(request: Request): void {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
  if (!CONTENT_TYPES.includes(type)) {
    const detail = `Unsupported media type "${type}" in request.`;
    throw single(415, 'unsupported_media_type', 'Unsupported media type.', detail);
  }
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
}

export function tooLarge(): ApiError {
  const detail = `The request body must not be larger than ${MAX_BODY_BYTES / 1_000_000} MB.`;
  return single(413, 'payload_too_large', 'Payload too large.', detail);
}
