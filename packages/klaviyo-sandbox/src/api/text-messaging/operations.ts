import { SENDER_REGISTRATION, TEXT_CONFIGURATION, TEXT_SENDER } from '../query/field-paths.js';
import { TIERS, type Operation } from '../operation.js';
import {
  createTextMessagingConfiguration,
  getTextMessagingConfiguration,
} from './configuration.js';
import { REGISTRATION, SENDER } from './sender-resource.js';
import {
  createTextMessagingSender,
  getSenderRegistration,
  getSenderRegistrationId,
  getTextMessagingSender,
  getTextMessagingSenders,
} from './senders.js';

const CONFIGURATION = { fields: { 'text-messaging-configuration': TEXT_CONFIGURATION } };
const SENDERS = {
  fields: { [SENDER]: TEXT_SENDER, [REGISTRATION]: SENDER_REGISTRATION },
  include: [REGISTRATION],
};
const READ = { scopes: ['sender-config:read'], limit: TIERS.M, revision: 'beta' } as const;
const WRITE = { scopes: ['sender-config:write'], limit: TIERS.M, revision: 'beta' } as const;

export const textMessagingOperations: readonly Operation[] = [
  {
    name: 'create_text_messaging_configuration_beta',
    method: 'POST',
    path: '/api/text-messaging-configurations',
    ...WRITE,
    query: CONFIGURATION,
    handle: createTextMessagingConfiguration,
  },
  {
    name: 'get_text_messaging_configuration_beta',
    method: 'GET',
    path: '/api/text-messaging-configurations/{id}',
    ...READ,
    query: CONFIGURATION,
    handle: getTextMessagingConfiguration,
  },
  {
    name: 'get_text_messaging_senders_beta',
    method: 'GET',
    path: '/api/text-messaging-senders',
    ...READ,
    query: {
      ...SENDERS,
      sort: { by: ['created_at'], usual: 'created_at' },
      page: { default: 10, max: 20 },
    },
    handle: getTextMessagingSenders,
  },
  {
    name: 'create_text_messaging_sender_beta',
    method: 'POST',
    path: '/api/text-messaging-senders',
    ...WRITE,
    query: { fields: { [SENDER]: TEXT_SENDER } },
    handle: createTextMessagingSender,
  },
  {
    name: 'get_text_messaging_sender_beta',
    method: 'GET',
    path: '/api/text-messaging-senders/{id}',
    ...READ,
    query: SENDERS,
    handle: getTextMessagingSender,
  },
  {
    name: 'get_messaging_sender_registration_for_text_messaging_sender_beta',
    method: 'GET',
    path: '/api/text-messaging-senders/{id}/text-messaging-sender-registration',
    ...READ,
    query: { fields: { [REGISTRATION]: SENDER_REGISTRATION } },
    handle: getSenderRegistration,
  },
  {
    name: 'get_messaging_sender_registration_id_for_text_messaging_sender_beta',
    method: 'GET',
    path: '/api/text-messaging-senders/{id}/relationships/text-messaging-sender-registration',
    ...READ,
    handle: getSenderRegistrationId,
  },
];
