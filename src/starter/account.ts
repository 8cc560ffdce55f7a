import { setTimeout as delay } from 'node:timers/promises';
import { listAccounts, type LedgerDb } from '../ledger/index.js';
import { SettingsError } from './migrations/request/settings-error.js';
import { NoWorkerError } from './worker-check.js';

const TRIES = 20;
const TRY_EVERY_MS = 250;

/**
 * The account that a request is about: the one that it names, else the only one that a worker of this
 * ledger has shown a key of. It is never guessed.
 *
 * @throws SettingsError where several are known and none is named, or an unknown one is
 * @throws NoWorkerError where none shows up for a few seconds: a worker may be just starting
 */
export async function accountOf(db: LedgerDb, asked: string | null): Promise<string> {
  for (let tries = 0; tries < TRIES; tries++) {
    const known = await listAccounts(db);
    if (asked !== null && known.includes(asked)) return asked;
    const [only, ...others] = known;
    if (asked === null && only !== undefined) {
      if (others.length === 0) return only;
      throw new SettingsError(
        `Workers for ${known.length} Klaviyo accounts use this ledger: say which one is meant with ` +
          `--account or CONSENTRY_ACCOUNT (${[...known].sort().join(', ')}).`,
      );
    }
    await delay(TRY_EVERY_MS);
  }
  if (asked === null) {
    throw new NoWorkerError(
      'No worker has shown a key of a Klaviyo account yet: start one with "npx consentry worker" ' +
        '(it needs KLAVIYO_API_KEY).',
    );
  }
  const known = await listAccounts(db);
  throw new SettingsError(
    `No worker has shown a key of the Klaviyo account ${asked}: start "npx consentry worker" with a ` +
      `KLAVIYO_API_KEY of that account` +
      (known.length === 0 ? '.' : `, or give another --account (${[...known].sort().join(', ')}).`),
  );
}
