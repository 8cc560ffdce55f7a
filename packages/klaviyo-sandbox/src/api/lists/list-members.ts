import type { SandboxAccount } from '../../account/account.js';
import { isObject } from '../http/body.js';
import { ApiError, missing, refuse } from '../http/errors.js';
import { replyWithMemberIds, replyWithMembers } from '../groups/members.js';
import type { Call, Reply } from '../operation.js';
import { listToChange, listToRead } from './lists.js';

const MAX_IDS = 1_000;

/** `get_profiles_for_list`: members with the date of joining. */
export function getListProfiles(call: Call): Reply {
  return replyWithMembers(call, listToRead(call.account, call.id));
}

/** `get_profile_ids_for_list` */
export function getListProfileIds(call: Call): Reply {
  return replyWithMemberIds(call, listToRead(call.account, call.id));
}

/**
 * `add_profiles_to_list`: members without consent; one bad id refuses all. No event is written: no
 * source says that there is one, and a bulk import into a list writes none.
 */
export function addToList({ account, id, body }: Call): Reply {
  const list = listToChange(account, id);
  const now = account.clock.wall();
  const profiles = profilesOf(account, body);
  for (const index of profiles) list.join(index, now);
  return { status: 204, profiles: profiles.length };
}

/** `remove_profiles_from_list`: consent stays unchanged; no event either. */
export function removeFromList({ account, id, body }: Call): Reply {
  const list = listToChange(account, id);
  const profiles = profilesOf(account, body);
  for (const index of profiles) list.leave(index);
  return { status: 204, profiles: profiles.length };
}

function profilesOf(account: SandboxAccount, body: unknown): number[] {
  const data = isObject(body) ? body['data'] : undefined;
  if (!Array.isArray(data)) throw new ApiError(400, [missing('/data', 'data', 'request-data')]);
  // The wording is ours.
  if (data.length > MAX_IDS) {
    const detail = `The maximum number of profiles per request is ${MAX_IDS}; got ${data.length}.`;
    throw refuse('/data', detail);
  }
  const unknown: string[] = [];
  const profiles: number[] = [];
  data.forEach((entry: unknown, row) => {
    const id = idOf(entry, row);
    const index = account.profiles.withId(id);
    if (index === undefined) unknown.push(id);
    else profiles.push(index);
  });
  if (unknown.length > 0) throw refuse('/data/', `Invalid profile IDs: ${unknown.join(', ')}`);
  return profiles;
}

/** Id of a resource identifier. The wording on its form is ours. */
function idOf(entry: unknown, row: number): string {
  const { type, id } = isObject(entry) ? entry : {};
  if (type !== 'profile') {
    throw refuse(`/data/${row}/type`, `${JSON.stringify(type ?? null)} must be 'profile'.`);
  }
  if (typeof id !== 'string') throw refuse(`/data/${row}/id`, 'Not a valid string.');
  return id;
}
