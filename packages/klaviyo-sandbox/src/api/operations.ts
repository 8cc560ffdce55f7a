import { accountOperations } from './accounts/operations.js';
import { consentOperations } from './consent/operations.js';
import { eventOperations } from './events/operations.js';
import { exportOperations } from './exports/operations.js';
import { importOperations } from './imports/operations.js';
import { listOperations } from './lists/operations.js';
import type { Operation } from './operation.js';
import { profileOperations } from './profiles/operations.js';
import { segmentOperations } from './segments/operations.js';
import { textMessagingOperations } from './text-messaging/operations.js';
import { webhookOperations } from './webhooks/operations.js';

/**
 * Every operation that the sandbox knows, as declared in the specification 2026-07-15. For what
 * 2026-10-15 changes and adds, see `revisions/`.
 */
export const OPERATIONS: readonly Operation[] = [
  ...consentOperations,
  ...profileOperations,
  ...importOperations,
  ...listOperations,
  ...segmentOperations,
  ...eventOperations,
  ...accountOperations,
  ...webhookOperations,
  ...textMessagingOperations,
  ...exportOperations,
];
