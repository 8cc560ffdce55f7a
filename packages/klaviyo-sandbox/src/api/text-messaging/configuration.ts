import type { TextConfiguration } from '../../account/texting/texting.js';
import { isoDate } from '../../time/dates.js';
import { resourceOf } from '../http/body.js';
import { ApiError, missing, notFound, refuse, single } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';

const TYPE = 'text-messaging-configuration';
const MAX_PREFIX = 50;

/** `get_text_messaging_configuration_beta`: the id is the company's. */
export function getTextMessagingConfiguration(call: Call): Reply {
  const { account, id, url } = call;
  const configuration = account.texting.configuration();
  if (id !== account.settings.account.id || configuration === null) throw notFound(TYPE, id);
  const data = resourceFor(call, configuration);
  return { status: 200, body: { data, links: { self: url.href } } };
}

/**
 * `create_text_messaging_configuration_beta`: a company has one. The wording for a second one is
 * ours.
 */
export function createTextMessagingConfiguration(call: Call): Reply {
  const { attributes } = resourceOf(call.body, TYPE);
  const configuration = call.account.texting.configure(prefixOf(attributes['org_prefix']));
  if (configuration === null) {
    const detail = 'A text messaging configuration already exists for this company.';
    throw single(409, 'conflict', 'Conflict.', detail);
  }
  const data = resourceFor(call, configuration);
  return { status: 201, body: { data, links: { self: data.links.self } } };
}

/** The limit is documented, the wording is ours. */
function prefixOf(value: unknown): string {
  const pointer = '/data/attributes/org_prefix';
  if (value === undefined) throw new ApiError(400, [missing(pointer, 'org_prefix', TYPE)]);
  if (typeof value !== 'string' || value.trim() === '') {
    throw refuse(pointer, 'This field may not be blank.');
  }
  if (value.length > MAX_PREFIX) {
    throw refuse(pointer, `Ensure this field has no more than ${MAX_PREFIX} characters.`);
  }
  return value.trim();
}

function resourceFor({ account, query, url }: Call, configuration: TextConfiguration) {
  const { id } = account.settings.account;
  return {
    type: TYPE,
    id,
    attributes: query.pick(TYPE, {
      org_prefix: configuration.orgPrefix,
      opt_out_language: configuration.optOutLanguage,
      status: configuration.status,
      created_at: isoDate(configuration.createdAt),
      updated_at: isoDate(configuration.updatedAt),
    }),
    links: { self: `${url.origin}/api/text-messaging-configurations/${id}/` },
  };
}
