import { sql, type RawBuilder } from 'kysely';
import type { ConsentChannel } from '../../contracts/channels.js';
import type { Phase } from '../../contracts/migration.js';
import type { OffPeople } from '../../contracts/programs.js';
import type { LedgerDb } from '../database.js';
import type { StoredOff } from '../schema/tables.js';
import { endSegment } from '../segments/segments.js';
import { inTransaction } from '../transactions.js';
import type { SwitchedOff } from './program-people.js';

/** The settings of a program that were applied last, and what became of their migration. */
export interface AppliedProgram {
  readonly program: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly hash: string;
  /** Null if nothing was run for these settings. */
  readonly migrationId: string | null;
  /** Null without a migration, or if it was deleted. */
  readonly phase: Phase | null;
  /** The channels that it asked for once and that were switched off. */
  readonly off: readonly AppliedOff[];
}

/** What was done about the people of a channel that was switched off. */
export interface AppliedOff {
  readonly channel: ConsentChannel;
  readonly people: OffPeople;
  /** Null if there was nobody to unsubscribe. */
  readonly migrationId: string | null;
  /** Null without a migration, or if it was deleted. */
  readonly phase: Phase | null;
}

/** By name. */
export async function appliedPrograms(db: LedgerDb, accountId: string): Promise<AppliedProgram[]> {
  const rows = await db
    .selectFrom('applied_program as a')
    .leftJoin('migration as m', 'm.id', 'a.migration_id')
    .select(['a.program', 'a.settings', 'a.hash', 'a.migration_id as migrationId', 'm.phase'])
    .select('a.off')
    .where('a.account_id', '=', accountId)
    .orderBy('a.program')
    .execute();
  const ids = rows.flatMap(({ off }) =>
    Object.values(off).flatMap(({ migrationId }) => migrationId ?? []),
  );
  const phases = await phasesOf(db, ids);
  return rows.map((row) => ({
    ...row,
    off: Object.entries(row.off).map(([channel, { people, migrationId }]) => ({
      channel: channel as ConsentChannel,
      people,
      migrationId,
      phase: phases.get(migrationId ?? '') ?? null,
    })),
  }));
}

async function phasesOf(db: LedgerDb, ids: readonly string[]): Promise<ReadonlyMap<string, Phase>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('migration')
    .select(['id', 'phase'])
    .where('id', 'in', [...new Set(ids)])
    .execute();
  return new Map(rows.map(({ id, phase }) => [id, phase]));
}

/**
 * Records the settings of a program. A channel that they do not have any more is one that was
 * switched off, with nothing done about its people yet; one that they have again is none.
 */
export async function noteApplied(
  db: LedgerDb,
  accountId: string,
  { program, settings, hash, migrationId }: Omit<AppliedProgram, 'phase' | 'off'>,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const before = await tx
      .selectFrom('applied_program')
      .select(['settings', 'off'])
      .where('account_id', '=', accountId)
      .where('program', '=', program)
      .forUpdate()
      .executeTakeFirst();
    const off = offAfter(before?.off ?? {}, channelsOf(before?.settings), channelsOf(settings));
    const applied = {
      settings: JSON.stringify(settings),
      hash,
      migration_id: migrationId,
      off: JSON.stringify(off),
    };
    await tx
      .insertInto('applied_program')
      .values({ account_id: accountId, program, ...applied })
      .onConflict((oc) =>
        oc.columns(['account_id', 'program']).doUpdateSet({ ...applied, applied_at: sql`now()` }),
      )
      .execute();
    // Without channels it asks nobody any more.
    if (channelsOf(settings).length === 0) await endSegment(tx, accountId, program);
  });
}

function offAfter(
  off: StoredOff,
  before: readonly ConsentChannel[],
  now: readonly ConsentChannel[],
): StoredOff {
  const nothing = { people: 'nothing', migrationId: null } as const;
  const gone: StoredOff = Object.fromEntries(before.map((channel) => [channel, nothing]));
  const kept = Object.entries({ ...gone, ...off });
  return Object.fromEntries(kept.filter(([channel]) => !now.some((each) => each === channel)));
}

/** The channels of the settings of a program, as they are stored. */
export function channelsOf(
  settings: Readonly<Record<string, unknown>> | undefined,
): readonly ConsentChannel[] {
  return Array.isArray(settings?.channels) ? (settings.channels as ConsentChannel[]) : [];
}

/** A run that subscribes people of the program and has not ended; null if there is none. */
export async function runningOfProgram(
  db: LedgerDb,
  accountId: string,
  program: string,
): Promise<string | null> {
  const row = await db
    .selectFrom('migration')
    .innerJoin('run', 'run.id', 'migration.id')
    .select('migration.id')
    .where('run.account_id', '=', accountId)
    .where('migration.program', '=', program)
    .where('run.finished_at', 'is', null)
    .where(sql<boolean>`settings #>> '{reading,operation}' is null`)
    .orderBy('run.created_at')
    .executeTakeFirst();
  return row?.id ?? null;
}

/** The statement that records what is done about the people of channels that were switched off. */
export function offNote(
  { accountId, program, channels }: SwitchedOff,
  done: { readonly people: OffPeople; readonly migrationId: string | null },
): RawBuilder<unknown> {
  const off = JSON.stringify(Object.fromEntries(channels.map((channel) => [channel, done])));
  return sql`
    update consentry.applied_program set off = off || ${off}::jsonb
    where account_id = ${accountId} and program = ${program}`;
}

/** Forgets a program that the file no longer has, and ends its segment. */
export async function forgetApplied(
  db: LedgerDb,
  accountId: string,
  program: string,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await tx
      .deleteFrom('applied_program')
      .where('account_id', '=', accountId)
      .where('program', '=', program)
      .execute();
    await endSegment(tx, accountId, program);
  });
}
