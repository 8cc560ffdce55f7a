import { endpointOf, type EndpointName } from './endpoints.js';
import {
  KlaviyoRefusedError,
  KlaviyoRequestInvalidError,
  KlaviyoScopeMissingError,
  ListNotFoundError,
} from './errors.js';
import { encodeQuery } from './reads/filters.js';
import type { OptionalReading } from './reads/resources.js';
import type { Call } from './transport/exchange.js';

/** A call of an endpoint without a body: its path, with the id, and its query. */
export function callOf(
  endpoint: EndpointName,
  id: string | null = null,
  parameters: Readonly<Record<string, string>> = {},
): Call {
  const { path } = endpointOf(endpoint);
  const query = encodeQuery(parameters);
  const target = id === null ? path : path.replace('{id}', segmentOf(endpoint, id));
  return { endpoint, target: query === '' ? target : `${target}?${query}` };
}

/** An id as a path segment. An empty id, or dots, would call another endpoint. */
function segmentOf(endpoint: EndpointName, id: string): string {
  if (endpointOf(endpoint).path.startsWith('/api/lists/') && !/^[A-Za-z0-9_-]{1,64}$/.test(id)) {
    throw new ListNotFoundError({ endpoint, status: null, listId: id });
  }
  if (/^\.{0,2}$/.test(id)) {
    throw new KlaviyoRequestInvalidError('its id is empty.', endpoint);
  }
  return encodeURIComponent(id);
}

/** Runs a call about a list; turns "no such list" into `ListNotFoundError`. */
export async function orListNotFound<T>(listId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KlaviyoRefusedError && saysNoSuch('list', error)) {
      throw new ListNotFoundError({ endpoint: error.endpoint, status: error.status, listId });
    }
    throw error;
  }
}

/** Statuses of an optional read if the endpoint, its revision or its resource does not exist. */
const NOT_THERE: readonly number[] = [400, 404, 405, 410];

/** Runs a call about a profile; null if there is no such profile. */
export async function orNoProfile<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KlaviyoRefusedError && saysNoSuch('profile', error)) return null;
    throw error;
  }
}

/** Klaviyo answers some unknown ids with 400 instead of 404. */
function saysNoSuch(what: 'list' | 'profile', error: KlaviyoRefusedError): boolean {
  // A 404 without errors from Klaviyo is about the address, not about the thing.
  if (error.status === 404) return error.apiErrors.length > 0;
  const said = error.apiErrors.map(({ code, detail }) => `${code} ${detail}`).join(' ');
  const missing = new RegExp(`not_found|\\b${what}\\b.*(not found|does not exist)`, 'i');
  return error.status === 400 && missing.test(said);
}

/** Runs a call that is optional for a run; turns "not allowed" and "not there" into an answer. */
export async function readOptional<T>(read: () => Promise<T>): Promise<OptionalReading<T>> {
  try {
    return { readable: true, value: await read() };
  } catch (error) {
    if (error instanceof KlaviyoScopeMissingError) return { readable: false, status: 403 };
    if (error instanceof KlaviyoRefusedError && NOT_THERE.includes(error.status)) {
      return { readable: false, status: error.status };
    }
    throw error;
  }
}
