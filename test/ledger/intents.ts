import type { Intent, IntentPart } from '../../src/contracts/intents.js';
import type { MigrationSettings } from '../../src/contracts/migration.js';
import {
  beginSubmission,
  storeIntents,
  type Ledger,
  type LedgerDb,
  type SentPart,
} from '../../src/ledger/index.js';
import { MIGRATION_SETTINGS } from '../support/settings.js';

export const SETTINGS: MigrationSettings = {
  ...MIGRATION_SETTINGS,
  listId: 'LIST01',
  channels: ['email', 'sms'],
  expectedOptIn: 'single_opt_in',
};

export function part(fields: Partial<IntentPart> = {}): IntentPart {
  return {
    channel: 'email',
    operation: 'subscribe',
    consentedAt: null,
    rejected: null,
    note: null,
    ...fields,
  };
}

export function intent(fields: Partial<Intent> = {}): Intent {
  return {
    line: 2,
    email: 'a@example.com',
    phoneNumber: null,
    country: null,
    rawEmail: null,
    rawPhone: null,
    parts: [part()],
    ...fields,
  };
}

export const ACCOUNT = 'Acc123';

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
      settings: { ...SETTINGS, ...settings },
      requestHash: id,
      retryOf: null,
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
    takesOut: false,
    endpoint: 'bulk_subscribe_profiles',
    now: null,
    parts,
  });
  if (begun.state !== 'begun') throw new Error(`the submission is ${begun.state}`);
  return begun.id;
}

export async function* batches<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
