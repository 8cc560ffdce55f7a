import { TEXT_CONFIGURATION, TEXT_SENDER } from '../field-paths.js';
import { TIERS, type Operation } from '../operation.js';
import { getTextMessagingConfiguration, getTextMessagingSenders } from './text-messaging.js';

export const textMessagingOperations: readonly Operation[] = [
  {
    name: 'get_text_messaging_configuration_beta',
    method: 'GET',
    path: '/api/text-messaging-configurations/{id}',
    scopes: ['sender-config:read'],
    limit: TIERS.M,
    revision: 'beta',
    query: { fields: { 'text-messaging-configuration': TEXT_CONFIGURATION } },
    handle: getTextMessagingConfiguration,
  },
  {
    name: 'get_text_messaging_senders_beta',
    method: 'GET',
    path: '/api/text-messaging-senders',
    scopes: ['sender-config:read'],
    limit: TIERS.M,
    revision: 'beta',
    query: {
      fields: { 'text-messaging-sender': TEXT_SENDER },
      sort: { by: ['created_at'], usual: 'created_at' },
      page: { default: 10, max: 20 },
    },
    handle: getTextMessagingSenders,
  },
];
