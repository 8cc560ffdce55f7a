/**
 * Klaviyo's own client for Node.js (npm `klaviyo-api`) against the sandbox: every operation of the
 * stable revision, one file per area, and at the end a count of the driven operations. The client
 * has no methods for the ten beta operations (text messaging, bulk export), nor for those that
 * revision 2026-10-15 added.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { OPERATIONS } from '../../src/api/operations.js';
import { readSpecifications } from '../specification.js';
import './accounts.js';
import './events.js';
import './imports.js';
import './lists.js';
import './profiles.js';
import './segments.js';
import './subscriptions.js';
import './suppressions.js';
import './webhooks.js';
import { drivenOperations } from './support.js';

/** The operations in the documents if they are present, otherwise in the sandbox's own table. */
function stableOperations(): string[] {
  const specified = readSpecifications()
    ?.flatMap(({ operations }) => operations)
    .filter(({ revision }) => revision === 'stable')
    .map(({ operationId }) => operationId);
  const known = OPERATIONS.filter(
    ({ revision, since }) => revision !== 'beta' && since === undefined,
  ).map(({ name }) => name);
  return (specified ?? known).sort();
}

it('drove every stable operation with success', (t) => {
  const driven = drivenOperations();
  t.diagnostic(`${driven.length} operations driven by the official client`);
  assert.deepEqual(driven, stableOperations());
});
