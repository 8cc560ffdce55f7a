import { createHash } from 'node:crypto';
import {
  openSource,
  readMapping,
  SourceError,
  type ImportedSource,
} from '../../../importers/index.js';
import {
  countAskedNow,
  offNote,
  storeFormer,
  storeGiven,
  type AskedNow,
  type StoredWithIntents,
} from '../../../ledger/index.js';
import type { RunOptions } from '../../migrations/request/migration-request.js';
import { importOptions } from '../../migrations/settings.js';
import {
  ensureStarted,
  startFrom,
  type RunSource,
  type StartedMigration,
} from '../../migrations/start.js';
import type { Reach } from '../../reach.js';
import type { OffChange } from '../apply/changes.js';
import type { Program } from '../program.js';
import { listAskedNow } from './asked-now.js';
import { offRequestOf, type SwitchingOff } from './off-request.js';

/** The run that unsubscribes people of channels that were switched off. */
export interface StartedOff {
  /** Null if there is nobody to unsubscribe. */
  readonly started: StartedMigration | null;
  /** People among them whom other programs ask for, of a run that unsubscribes all the same. */
  readonly alsoAsked: readonly AskedNow[];
}

/** There is nobody to unsubscribe, so no run is stored. */
class NobodyError extends Error {}

/**
 * Starts the run that unsubscribes the people of channels that were switched off: all contacts of the
 * program, or those to whom it gave their consent. What is done is recorded together with the run, so a
 * second start finds it.
 *
 * @throws SettingsError, SourceError, NoWorkerError
 */
export async function startOff(
  reach: Reach,
  switching: SwitchingOff,
  options: RunOptions = {},
  onRows?: (rows: number) => void,
): Promise<StartedOff> {
  const { loaded, program, accountId, off } = switching;
  const request = offRequestOf(switching, options);
  const switchedOff = { accountId, program: program.name, channels: off.channels };
  let alsoAsked: readonly AskedNow[] = [];
  const storeMore =
    (migrationId: string): StoredWithIntents =>
    async (tx) => {
      await listAskedNow(tx, loaded, program, off.channels);
      const isGiven = off.people === 'unsubscribe_given';
      const rows = await (isGiven ? storeGiven : storeFormer)(tx, switchedOff);
      if (tx.rows + rows === 0) throw new NobodyError();
      if (!isGiven) alsoAsked = await countAskedNow(tx, off.channels);
      if (!request.dryRun) await tx.run(offNote(switchedOff, { people: off.people, migrationId }));
      return { rows, channels: off.channels };
    };
  const mapping = request.mapping === null ? null : await readMapping(request.mapping);
  const importing = importOptions(request, mapping);
  const source = await openPeople(switching, request, importing);
  try {
    const started = await startFrom(
      reach,
      { source, older: null },
      {
        request,
        options: importing,
        program: program.name,
        ...(off.people === 'unsubscribe_given'
          ? { onlyGiven: { stillAsked: program.channels.value } }
          : {}),
        storeMore,
      },
      { onRows },
    );
    return { started, alsoAsked };
  } catch (error) {
    if (!(error instanceof NobodyError)) throw error;
    if (!request.dryRun) {
      const nobody = { people: off.people, migrationId: null };
      await offNote(switchedOff, nobody).execute(reach.ledger.db);
    }
    return { started: null, alsoAsked };
  } finally {
    await source.close();
  }
}

/** Starts the run if it was stored, but its process died before it was started. */
export async function resumeOff(
  reach: Reach,
  switching: SwitchingOff,
  migrationId: string,
): Promise<void> {
  const { taskQueue } = await reach.workersOf(switching.accountId);
  await ensureStarted(reach, migrationId, offRequestOf(switching), taskQueue);
}

type OpenSource = RunSource & Pick<ImportedSource, 'close'>;

/** The source of the program; none if only the ledger knows whom it gave their consent. */
async function openPeople(
  { program, off }: SwitchingOff,
  request: ReturnType<typeof offRequestOf>,
  options: ReturnType<typeof importOptions>,
): Promise<OpenSource> {
  if (off.people === 'unsubscribe_given') return noRows(program, off);
  try {
    return await openSource(request.file, options, request.query);
  } catch (error) {
    // Whom it had in earlier runs, the ledger knows.
    if (!(error instanceof SourceError) || error.code !== 'file_without_rows') throw error;
    return noRows(program, off);
  }
}

function noRows({ name }: Program, { people, channels }: OffChange): OpenSource {
  const asked = JSON.stringify([people, name, [...channels].sort()]);
  return {
    name: `people of ${name}`,
    preset: 'program',
    notices: [],
    isUndo: false,
    intents: {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: true as const, value: undefined }),
      }),
    },
    sha256: () => Promise.resolve(createHash('sha256').update(asked).digest('hex')),
    close: () => Promise.resolve(),
  };
}
