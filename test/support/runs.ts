import type { MigrationRequest } from '../../src/starter/migrations/request/migration-request.js';
import { SINGLE, type Harness } from './harness.js';
import { TEST_TIMING } from './settings.js';
import { uniqueName } from './stack.js';

/**
 * Starts a run that subscribes these addresses to e-mail, on the single opt-in list unless another
 * is asked for.
 *
 * @returns its id
 */
export async function startRun(
  harness: Harness,
  addresses: readonly string[],
  request: Partial<MigrationRequest> = {},
): Promise<string> {
  const rows = addresses.map((address) => `${address},subscribed`);
  const { id } = await harness.consentry.migrations.start({
    file: await harness.source(`${uniqueName('people')}.csv`, ['email,email_consent', ...rows]),
    listId: SINGLE,
    timing: TEST_TIMING,
    ...request,
  });
  return id;
}
