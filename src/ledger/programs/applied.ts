import { sql } from 'kysely';
import type { Phase } from '../../contracts/migration.js';
import type { LedgerDb } from '../database.js';

/** The settings of a program that were applied last, and what became of their migration. */
export interface AppliedProgram {
  readonly program: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly hash: string;
  /** Null if nothing was run for these settings. */
  readonly migrationId: string | null;
  /** Null without a migration, or if it was deleted. */
  readonly phase: Phase | null;
}

/** By name. */
export async function appliedPrograms(db: LedgerDb, accountId: string): Promise<AppliedProgram[]> {
  return db
    .selectFrom('applied_program as a')
    .leftJoin('migration as m', 'm.id', 'a.migration_id')
    .select(['a.program', 'a.settings', 'a.hash', 'a.migration_id as migrationId', 'm.phase'])
    .where('a.account_id', '=', accountId)
    .orderBy('a.program')
    .execute();
}

export async function noteApplied(
  db: LedgerDb,
  accountId: string,
  { program, settings, hash, migrationId }: Omit<AppliedProgram, 'phase'>,
): Promise<void> {
  const applied = { settings: JSON.stringify(settings), hash, migration_id: migrationId };
  await db
    .insertInto('applied_program')
    .values({ account_id: accountId, program, ...applied })
    .onConflict((oc) =>
      oc.columns(['account_id', 'program']).doUpdateSet({ ...applied, applied_at: sql`now()` }),
    )
    .execute();
}

/** Forgets a program that the file no longer has. */
export async function forgetApplied(
  db: LedgerDb,
  accountId: string,
  program: string,
): Promise<void> {
  await db
    .deleteFrom('applied_program')
    .where('account_id', '=', accountId)
    .where('program', '=', program)
    .execute();
}
