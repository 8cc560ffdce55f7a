import type { SandboxAccount } from '../../account/account.js';
import { isObject, type Json } from '../http/body.js';
import { ApiError, missing, notFound, refuse } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';

const TYPE = 'profile-merge';
const SOURCES = '/data/relationships/profiles/data';

/**
 * `merge_profiles`: merges the source into the destination after a delay. Answers 202, as recorded,
 * although the specification says 201. The wording of its errors is ours.
 */
export function mergeTwo({ account, body, url }: Call): Reply {
  const data = isObject(body) ? body['data'] : undefined;
  if (!isObject(data)) throw new ApiError(400, [missing('/data', 'data', 'request-data')]);
  if (data['type'] !== TYPE) {
    const given = JSON.stringify(data['type'] ?? null);
    throw refuse('/data/type', `${given} is not a valid type; expected '${TYPE}'.`);
  }
  const into = knownProfile(account, data, '/data');
  const from = sourceOf(account, data);
  if (from === into) {
    throw refuse(`${SOURCES}/0/id`, 'A profile cannot be merged into itself.');
  }
  account.mergeRequests.accept(from, into);
  const id = account.profiles.id(into);
  const links = { self: `${url.origin}/api/profiles/${id}/` };
  return {
    status: 202,
    body: { data: { type: 'profile', id, links }, links: { self: url.href } },
    profiles: 1,
  };
}

/** Documented: only one source, although it is a list. */
function sourceOf(account: SandboxAccount, data: Json): number {
  const relationships = isObject(data['relationships']) ? data['relationships'] : {};
  const profiles = relationships['profiles'];
  const sources = isObject(profiles) ? profiles['data'] : undefined;
  if (!Array.isArray(sources)) throw new ApiError(400, [missing(SOURCES, 'profiles', TYPE)]);
  const source: unknown = sources[0];
  if (sources.length !== 1 || !isObject(source)) {
    throw refuse(SOURCES, `Exactly one source profile is required; got ${sources.length}.`);
  }
  if (source['type'] !== 'profile') {
    throw refuse(`${SOURCES}/0/type`, "The type must be 'profile'.");
  }
  return knownProfile(account, source, `${SOURCES}/0`);
}

function knownProfile(account: SandboxAccount, { id }: Json, at: string): number {
  if (typeof id !== 'string') throw new ApiError(400, [missing(`${at}/id`, 'id', 'profile')]);
  const index = account.profiles.withId(id);
  if (index === undefined) throw notFound('profile', id);
  return index;
}
