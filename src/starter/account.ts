import { setTimeout as delay } from 'node:timers/promises';
import { listAccounts, type LedgerDb } from '../ledger/index.js';
import { SettingsError } from './migrations/request/settings-error.js';
import { NoWorkerError } from './worker-check.js';

const TRIES = 20;
const TRY_EVERY_MS = 250;

/**
 * The account of a request: the one it names, else the only one that a worker of this ledger has a
 * key of. It is never guessed.
 *
 * @throws SettingsError if several are known and the request names none, or names an unknown one
 * @throws NoWorkerError if none shows up within a few seconds: a worker may be just starting
 */
export async function accountOf(db: LedgerDb, asked: string | null): Promise<string> {
  for (let tries = 0; tries < TRIES; tries++) {
    const known = await listAccounts(db);
    if (asked !== null && known.includes(asked)) return asked;
    const [only, ...others] = known;
    if (asked === null && only !== undefined) {
      if (others.length === 0) return only;
      throw new SettingsError(
        `Workers for ${known.length} Klaviyo accounts use this ledger: say which one you mean with ` +
          `--account or CONSENTRY_ACCOUNT (${[...known].sort().join(', ')}).`,
      );
    }
    await delay(TRY_EVERY_MS);
  }
  if (asked === null) {
    throw new NoWorkerError(
      'No worker with a key of a Klaviyo account has started yet: start one with "npx consentry worker" ' +
        '(it needs KLAVIYO_API_KEY).',
    );
  }
  const known = await listAccounts(db);
  throw new SettingsError(
    `No worker with a key of the Klaviyo account ${asked} has started: start "npx consentry worker" with a ` +
      `KLAVIYO_API_KEY of that account` +
      (known.length === 0 ? '.' : `, or give another --account (${[...known].sort().join(', ')}).`),
  );
}
