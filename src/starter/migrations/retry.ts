import {
  AlreadyRunningError,
  copyFailedIntents,
  findRunningMigration,
  getMigration,
  type Ledger,
} from '../../ledger/index.js';
import { hasEnded } from './ended.js';
import { newId } from '../ids.js';
import { MigrationStoppedError } from '../stopped.js';

/** A migration of another one's failed rows, in the ledger and not started yet. */
export interface StoredRetry {
  readonly id: string;
  readonly rows: number;
  readonly preset: string;
  readonly historical: boolean;
}

/**
 * Stores what an ended migration did not achieve as a new one.
 *
 * @param smsCountries countries with a sender now; null keeps what the old run was told
 * @throws MigrationStoppedError while the run or a retry of it goes on, or where nothing is left
 */
export async function storeRetry(
  { db }: Ledger,
  retryOf: string,
  smsCountries: readonly string[] | null,
): Promise<StoredRetry> {
  const migration = await getMigration(db, retryOf);
  const { accountId, phase, settings, preset, sourceName, sourceSha256 } = migration;
  if (!hasEnded(phase)) {
    throw new MigrationStoppedError(
      `Migration ${retryOf} has not ended (${phase}): wait for its end, or cancel it, before its failed rows are tried again.`,
      'NotEnded',
    );
  }
  const id = newId();
  const requestHash = `retry ${retryOf}`;
  const retry = {
    id,
    accountId,
    sourceName,
    sourceSha256,
    preset,
    settings: {
      ...settings,
      smsCountries: smsCountries ?? settings.smsCountries,
      customSource: `consentry ${preset} ${id}`,
      canaryRows: null,
    },
    requestHash,
    retryOf,
  };
  const rows = await copyFailedIntents(db, retry).catch(async (error: unknown) => {
    if (!(error instanceof AlreadyRunningError)) throw error;
    const running = await findRunningMigration(db, requestHash);
    throw new MigrationStoppedError(
      `The failed rows of ${retryOf} are being tried again already, by migration ${running ?? 'that has just ended'}.`,
      'NotEnded',
    );
  });
  if (rows === 0) {
    throw new MigrationStoppedError(
      `Migration ${retryOf} has no row to try again: none is unconfirmed, unsent or refused by Klaviyo.`,
      'NothingToRetry',
    );
  }
  return { id, rows, preset, historical: settings.historicalImport };
}
