import type { ConsentCount } from '../../ledger/index.js';
import { loadPrograms, type Programs } from '../../starter/programs/load.js';
import type { Program } from '../../starter/programs/program.js';
import { withKeys } from '../../starter/programs/words.js';
import { Ended } from '../ended.js';
import { EXIT, worstOf, type ExitCode } from '../exit-codes.js';
import { failureOf } from '../failure.js';
import { programDocument, renderProgram } from '../render/programs.js';
import { ProgressView } from '../terminal/progress-view.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';
import { contactsOf } from './program-list.js';
import { programCalled } from './program-of.js';

/** What a dry run of a program read, or why it could not. */
export interface ConsentRead {
  /** Null if nobody was read. */
  readonly consent: readonly ConsentCount[] | null;
  /** Id of the dry run. */
  readonly migration: string | null;
  readonly failure: string | null;
  readonly exitCode: ExitCode;
}

/** @throws Ended with the exit code of what could not be read, after what could be is shown */
export async function showProgram(
  name: string,
  flags: { readonly config?: string; readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const loaded = await loadPrograms(flags.config ?? null);
  const program = programCalled(loaded, name);
  const counted = await contactsOf(loaded, program);
  const read =
    counted.failure === null ? await readConsent(loaded, program, terminal) : NOBODY_READ;
  const failure = counted.failure ?? read.failure;
  const output = new Output(terminal, flags.json ?? false);
  output.result(
    {
      ...programDocument(program),
      contacts: counted.contacts,
      consent: read.consent,
      migration: read.migration,
      failure,
    },
    renderProgram(program, counted.contacts, read.consent),
  );
  if (failure !== null) output.note(failure);
  const exitCode = worstOf([read.exitCode, ...(counted.failure === null ? [] : [EXIT.usage])]);
  if (exitCode !== EXIT.ok) throw new Ended(exitCode);
}

const NOBODY_READ: ConsentRead = {
  consent: null,
  migration: null,
  failure: null,
  exitCode: EXIT.ok,
};

/** Reads everybody of the program as the guard of a run does. */
async function readConsent(
  loaded: Programs,
  program: Program,
  terminal: Terminal,
): Promise<ConsentRead> {
  // Nothing is asked for these people, so there is no channel to show.
  if (program.channels.value.length === 0) return { ...NOBODY_READ, consent: [] };
  const view = new ProgressView(terminal, 0);
  let migration: string | null = null;
  try {
    return await withConsentry(async ({ consentry }) => {
      const prepared = await consentry.programs.prepare(loaded, program, { dryRun: true });
      const { id } = await consentry.programs.read(prepared, (rows) => view.showRead(rows));
      migration = id;
      view.stop();
      view.showBegun('Reading consent from Klaviyo...');
      await consentry.migrations.waitForEnd(id);
      const consent = await consentry.programs.consentBefore(id);
      return { consent, migration, failure: null, exitCode: EXIT.ok };
    });
  } catch (error) {
    const { message, exitCode } = failureOf(error);
    return { consent: null, migration, failure: withKeys(message), exitCode };
  } finally {
    view.stop();
  }
}
