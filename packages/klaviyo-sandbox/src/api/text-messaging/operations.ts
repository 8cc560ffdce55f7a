import { SENDER_REGISTRATION, TEXT_SENDER } from '../query/field-paths.js';
import { TIERS, type Operation } from '../operation.js';
import {
  createTextMessagingConfiguration,
  getTextMessagingConfiguration,
} from './configuration.js';
import { CONFIGURATION_QUERY, REGISTRATIONS_QUERY, SENDERS_QUERY } from './query-rules.js';
import { createSenderRegistration, getTextMessagingRegistration } from './registrations.js';
import { REGISTRATION, SENDER } from './sender-resource.js';
import {
  createTextMessagingSender,
  getSenderRegistration,
  getSenderRegistrationId,
  getTextMessagingSender,
  getTextMessagingSenders,
} from './senders.js';

const READ = { scopes: ['sender-config:read'], limit: TIERS.M, revision: 'beta' } as const;
const WRITE = { scopes: ['sender-config:write'], limit: TIERS.M, revision: 'beta' } as const;
const REGISTRATIONS = '/api/text-messaging-sender-registrations';

export const textMessagingOperations: readonly Operation[] = [
  {
    name: 'create_text_messaging_configuration_beta',
    method: 'POST',
    path: '/api/text-messaging-configurations',
    ...WRITE,
    query: CONFIGURATION_QUERY,
    handle: createTextMessagingConfiguration,
  },
  {
    name: 'get_text_messaging_configuration_beta',
    method: 'GET',
    path: '/api/text-messaging-configurations/{id}',
    ...READ,
    query: CONFIGURATION_QUERY,
    handle: getTextMessagingConfiguration,
  },
  {
    name: 'get_text_messaging_senders_beta',
    method: 'GET',
    path: '/api/text-messaging-senders',
    ...READ,
    query: {
      ...SENDERS_QUERY,
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
    query: SENDERS_QUERY,
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
  {
    name: 'create_text_messaging_sender_registration',
    method: 'POST',
    path: REGISTRATIONS,
    scopes: WRITE.scopes,
    limit: TIERS.XS,
    since: '2026-10-15',
    query: REGISTRATIONS_QUERY,
    handle: createSenderRegistration,
  },
  {
    name: 'get_text_messaging_sender_registration',
    method: 'GET',
    path: `${REGISTRATIONS}/{id}`,
    scopes: READ.scopes,
    limit: TIERS.S,
    since: '2026-10-15',
    query: REGISTRATIONS_QUERY,
    handle: getTextMessagingRegistration,
  },
];
