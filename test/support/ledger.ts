import type { Intent } from '../../src/contracts/intents.js';
import type { MigrationSettings } from '../../src/contracts/migration.js';
import {
  beginSubmission,
  openLedger,
  storeIntents,
  type Ledger,
  type LedgerDb,
  type SentPart,
} from '../../src/ledger/index.js';
import { LIST_SETTINGS } from './settings.js';
import { createTestDatabase } from './stack.js';

/** Of every run that a test does not give another. */
export const ACCOUNT = 'Acc123';

/** A ledger in a database of its own, which goes when the ledger is closed. */
export async function openTestLedger(
  options: Parameters<typeof openLedger>[1] = {},
): Promise<Ledger> {
  const database = await createTestDatabase();
  const ledger = await openLedger(database.url, options);
  return {
    ...ledger,
    async close() {
      await ledger.close();
      await database.drop();
    },
  };
}

/** Stores intents as a migration, one batch. */
export async function store(
  ledger: Ledger,
  id: string,
  intents: readonly Intent[],
  settings: Partial<MigrationSettings> = {},
  accountId: string = ACCOUNT,
): Promise<number> {
  return storeIntents(
    ledger,
    {
      id,
      accountId,
      sourceName: 'people.csv',
      sourceSha256: 'sha',
      preset: 'generic',
      settings: { ...LIST_SETTINGS, ...settings },
      requestHash: id,
      share: 1,
      retryOf: null,
      program: null,
    },
    batches([intents]),
  );
}

/** A subscribe call that carries these parts. @returns the id of the submission */
export async function send(
  db: LedgerDb,
  migrationId: string,
  parts: readonly SentPart[],
  jobNumber = 1,
): Promise<string> {
  const begun = await beginSubmission(db, {
    migrationId,
    jobNumber,
    bringsIn: true,
    optsOutOf: null,
    asks: null,
    endpoint: 'bulk_subscribe_profiles',
    now: null,
    parts,
  });
  if (begun.state !== 'begun') throw new Error(`the submission is ${begun.state}`);
  return begun.id;
}

async function* batches<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
