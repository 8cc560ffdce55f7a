import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testTemporal, type TestDatabase } from '../stack.js';

/**
 * The variables of a process of the product: the tests' Temporal server, this ledger, and a folder
 * for whatever it keeps. No profile of the person who runs the tests counts.
 */
export async function verbEnvironment(
  folder: string,
  ledger: TestDatabase,
): Promise<Record<string, string>> {
  const { address } = await testTemporal();
  const toml = join(folder, 'temporal.toml');
  await writeFile(toml, '[profile.default]\n');
  return {
    DATABASE_URL: ledger.url,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_CONFIG_FILE: toml,
    CONSENTRY_STATE_DIR: folder,
    LOG_LEVEL: 'error',
  };
}
