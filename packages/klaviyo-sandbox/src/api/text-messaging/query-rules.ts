import { SENDER_REGISTRATION, TEXT_CONFIGURATION, TEXT_SENDER } from '../query/field-paths.js';
import type { QueryRules } from '../query/query.js';
import { REGISTRATION, SENDER } from './sender-resource.js';

export const CONFIGURATION_QUERY: QueryRules = {
  fields: { 'text-messaging-configuration': TEXT_CONFIGURATION },
};

const FIELDS = { [SENDER]: TEXT_SENDER, [REGISTRATION]: SENDER_REGISTRATION };

/** A sender, with its registration. */
export const SENDERS_QUERY: QueryRules = { fields: FIELDS, include: [REGISTRATION] };

/** A registration, with its sender. */
export const REGISTRATIONS_QUERY: QueryRules = { fields: FIELDS, include: [SENDER] };
