import type { CheckResult } from '../../contracts/migration.js';
import type { SegmentFound } from '../../contracts/segments.js';
import { openTable } from '../../importers/index.js';
import {
  countConsentStates,
  listAccounts,
  noteApplied,
  type ConsentCount,
} from '../../ledger/index.js';
import { checkRequest } from '../migrations/check.js';
import { SettingsError } from '../migrations/request/settings-error.js';
import type { FullCheck, FullRequest } from '../migrations/request/schema.js';
import { startMigration, type StartedMigration } from '../migrations/start.js';
import type { Reach } from '../reach.js';
import { isListNotFound, MigrationStoppedError } from '../stopped.js';
import { stateOf } from './apply/state.js';
import { messageAt } from './file/problems.js';
import type { ProgramsFile } from './file/read.js';
import type { Programs } from './load.js';
import { listKey, type Program } from './program.js';
import { startSegment, type StartWatching } from './segment/start-segment.js';
import { locationOf, requestOf } from './request.js';
import type { RunOptions } from '../migrations/request/migration-request.js';

/** A program whose account and list are known. Nothing was started. */
export interface PreparedRun {
  readonly program: Program;
  /** With the id of its account and of its list. */
  readonly request: FullRequest;
  /** A person said that more people may enter or leave the segment than its brakes allow. */
  readonly beyondBrakes?: boolean;
}

/** A run of a program. */
export interface StartedProgram {
  /** Null if the program is a segment, and nothing is to be done for anybody. */
  readonly started: StartedMigration | null;
  /** Who enters and leaves; null if the program is no segment. */
  readonly found: SegmentFound | null;
}

/**
 * Runs the programs of a `consentry.yaml`: one migration for each run of a program.
 *
 * Its methods throw `SettingsError` if it is not clear which account a program is for, and
 * `NoWorkerError` if no worker of the account shows up within a few seconds.
 */
export class ProgramRuns {
  constructor(private readonly reach: Reach) {}

  /**
   * Lets a worker make the checks of a run, and find the list if the program names it. Sends nothing.
   *
   * @throws MigrationStoppedError if a run of the program must not start
   */
  async prepare(
    { file, secrets }: Programs,
    program: Program,
    options: RunOptions = {},
  ): Promise<PreparedRun> {
    await this.#requireAccount(file.path, program);
    const request = requestOf(file, secrets, program, options);
    const { file: _, ...check } = request;
    const { listId } = await this.#check(file, program, check);
    if (request.listId !== null && typeof listId !== 'string') {
      throw new MigrationStoppedError(
        `The worker did not say which list ${request.listId} is: start workers of the same version as this command.`,
        'ListNotFound',
      );
    }
    return { program, request: { ...request, listId } };
  }

  /**
   * Starts the migration of a program, and records its settings as applied unless it is a dry run.
   *
   * @throws SourceError if the source cannot be read; what `startSegment` throws
   */
  async start(
    { program, request, beyondBrakes = false }: PreparedRun,
    watching: StartWatching = {},
  ): Promise<StartedProgram> {
    const { segment } = program;
    const { started, found } =
      segment === null
        ? {
            started: await startMigration(this.reach, request, watching, program.name),
            found: null,
          }
        : await startSegment(this.reach, program, segment, { request, beyondBrakes }, watching);
    if (!request.dryRun) {
      const { accountId } = started ?? (await this.reach.workersOf(request.account));
      const applied = { program: program.name, ...stateOf(program) };
      await noteApplied(this.reach.ledger.db, accountId, {
        ...applied,
        migrationId: started?.id ?? null,
      });
    }
    return { started, found };
  }

  /**
   * Starts a dry run that reads everybody of a program, also of a segment whose people are in already.
   *
   * @param prepared with `dryRun`
   */
  read(
    { program, request }: PreparedRun,
    onRows?: (rows: number) => void,
  ): Promise<StartedMigration> {
    return startMigration(this.reach, request, { onRows }, program.name, program.segment);
  }

  /** Contacts by channel and by the consent that they had before this run, at its end. */
  consentBefore(migrationId: string): Promise<ConsentCount[]> {
    return countConsentStates(this.reach.ledger.db, migrationId);
  }

  /** Says where in the file a list is that the account does not have, or not only once. */
  async #check(file: ProgramsFile, program: Program, check: FullCheck): Promise<CheckResult> {
    try {
      return await checkRequest(this.reach, check, true);
    } catch (error) {
      if (!isListNotFound(error) || program.list.value === null) throw error;
      throw new MigrationStoppedError(
        messageAt(file, listKey(program), 'names a list that cannot be used', error.message),
        error.failureType,
      );
    }
  }

  /** Without an id, an account is the only one of this ledger: it is never guessed. */
  async #requireAccount(path: string, { account }: Program): Promise<void> {
    if (account.id !== null) return;
    const known = await listAccounts(this.reach.ledger.db);
    if (known.length < 2) return;
    throw new SettingsError(
      `Workers for ${known.length} Klaviyo accounts use this ledger: say which one accounts.${account.name} ` +
        `of ${path} is with its id (${[...known].sort().join(', ')}).`,
    );
  }
}

/**
 * How many rows the source of a program has now. Reads all of it, and stores nothing.
 *
 * @throws SourceError
 */
export async function countContacts(
  { file, secrets }: Programs,
  program: Program,
): Promise<number> {
  const table = await openTable(locationOf(file, secrets, program), program.source.query ?? null);
  try {
    let contacts = 0;
    for await (const rows of table.rows()) contacts += rows.length;
    return contacts;
  } finally {
    await table.close();
  }
}
