import {
  AlreadyRunningError,
  copyFailedIntents,
  findRunningMigration,
  getMigration,
  isOfSegment,
  type Ledger,
  type Migration,
} from '../../ledger/index.js';
import { hasEnded } from './ended.js';
import { newId } from '../ids.js';
import { defaultSource } from './settings.js';
import { MigrationStoppedError } from '../stopped.js';

/** A migration of another migration's failed rows: in the ledger, not started yet. */
export interface StoredRetry {
  readonly id: string;
  readonly rows: number;
  readonly preset: string;
  readonly historical: boolean;
  /** Id of the list that it moves people from; null if it moves nobody. */
  readonly moveFrom: string | null;
}

/**
 * Stores the failed rows of an ended migration as a new migration.
 *
 * @param smsCountries countries with a sender now; null keeps those of the old run
 * @throws MigrationStoppedError if the run or a retry of it has not ended, it is one of a segment, or no
 * row is left to retry
 */
export async function storeRetry(
  { db }: Ledger,
  retryOf: string,
  smsCountries: readonly string[] | null,
): Promise<StoredRetry> {
  const migration = await getMigration(db, retryOf);
  const { accountId, phase, settings, preset, sourceName, sourceSha256, share, program } =
    migration;
  if (!hasEnded(phase)) {
    throw new MigrationStoppedError(
      `Migration ${retryOf} has not ended (${phase}): wait for its end or cancel it, then retry its failed rows.`,
      'NotEnded',
    );
  }
  if (await isOfSegment(db, retryOf)) {
    throw new MigrationStoppedError(
      `Migration ${retryOf} is a run of the segment ${program ?? ''}: who was in it then may have left it since. Run the ` +
        `program again, which tries again whoever failed: consentry program run ${program ?? ''}`,
      'NotRetried',
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
      customSource: isGenerated(migration) ? defaultSource(preset, id) : settings.customSource,
      canaryRows: null,
    },
    requestHash,
    share,
    retryOf,
    program,
  };
  const rows = await copyFailedIntents(db, retry).catch(async (error: unknown) => {
    if (!(error instanceof AlreadyRunningError)) throw error;
    const running = await findRunningMigration(db, requestHash);
    throw new MigrationStoppedError(
      `Migration ${running ?? '(just ended)'} already retries the failed rows of ${retryOf}: wait for its end.`,
      'NotEnded',
    );
  });
  if (rows === 0) {
    throw new MigrationStoppedError(
      `Migration ${retryOf} has no row to retry: none is unconfirmed, unsent or refused by Klaviyo.`,
      'NothingToRetry',
    );
  }
  const { historicalImport: historical, moveFrom } = settings;
  return { id, rows, preset, historical, moveFrom };
}

/** Nobody gave the source of the consent: it names the migration, and a retry is another one. */
function isGenerated({ id, preset, settings }: Migration): boolean {
  return settings.customSource === defaultSource(preset, id);
}
