import { isObject, resourceOf, unknownField, type Json } from '../http/body.js';
import { pushToken } from '../consent/push-tokens.js';
import { ApiError, missing, refuse, single } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import type { Forms } from '../revisions/forms.js';
import { DEVICE_FIELDS } from './resource/included.js';
import { checkSize, idOf, PROFILE_ATTRIBUTES, profileChange } from './body/profile-body.js';
import { upsert } from './body/profile-writes.js';

const ATTRIBUTES = new Set([
  'token',
  'platform',
  'vendor',
  'enablement_status',
  'background',
  'device_metadata',
  'profile',
]);
const PROFILE = '/data/attributes/profile/data';
const KNOWN = new Set([...PROFILE_ATTRIBUTES, '_kx']);
const DEVICE: ReadonlySet<string> = new Set(DEVICE_FIELDS);

/** `create_push_token`: registers a device with a profile that is found, updated or created. */
export function createPushToken({ account, body, forms }: Call): Reply {
  // Recorded for an account without push.
  if (account.settings.switches.pushTokens === 'refused') {
    throw single(403, 'forbidden', 'Forbidden.', 'Company is not able to process push tokens');
  }
  checkSize(body);
  const { attributes } = resourceOf(body, 'push-token', ATTRIBUTES);
  const token = pushToken(attributes, '/data/attributes');
  if ('code' in token) throw new ApiError(400, [token]);
  const unknown =
    token.metadata &&
    unknownField(token.metadata, DEVICE, '/data/attributes/device_metadata', 'push-token');
  if (unknown) throw new ApiError(400, [unknown]);
  const { id, given, at, meta } = profileOf(attributes, forms);
  const { index } = upsert(account, id, profileChange(given, meta, at, KNOWN), at);
  account.pushTokens.register(index, token);
  return { status: 202, profiles: 1 };
}

/** @throws ApiError 400; the wording on the form is ours */
function profileOf(
  token: Json,
  { pushProfileMeta }: Forms,
): { id: string | null; given: Json; at: string; meta: unknown } {
  const profile = isObject(token['profile']) ? token['profile']['data'] : undefined;
  if (!isObject(profile)) throw new ApiError(400, [missing(PROFILE, 'profile', 'push-token')]);
  if (profile['type'] !== 'profile') throw refuse(`${PROFILE}/type`, "The type must be 'profile'.");
  const at = `${PROFILE}/attributes`;
  const given = profile['attributes'];
  if (!isObject(given)) throw new ApiError(400, [missing(at, 'attributes', 'profile')]);
  const id = idOf(profile['id'], `${PROFILE}/id`);
  if (pushProfileMeta === 'beside attributes') return { id, given, at, meta: profile['meta'] };
  const { meta, ...written } = given;
  return { id, given: written, at, meta };
}
