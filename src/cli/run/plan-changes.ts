import type { Plan } from '../../contracts/migration.js';
import type { ConsentCount } from '../../ledger/index.js';
import type { Consentry } from '../../starter/consentry.js';
import type { FoundChange } from '../../starter/programs/apply/applying.js';
import type { Programs } from '../../starter/programs/load.js';
import type { Program } from '../../starter/programs/program.js';
import type { PreparedRun } from '../../starter/programs/program-runs.js';
import { withKeys } from '../../starter/programs/words.js';
import { isListNotFound, MigrationStoppedError } from '../../starter/stopped.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { failureOf } from '../failure.js';
import { ProgressView } from '../terminal/progress-view.js';
import type { Terminal } from '../terminal/terminal.js';

/** What applying a change would do, by a dry run of the program. */
export interface PlannedChange {
  readonly found: FoundChange;
  /** Name of a list that would be created; null if none would. */
  readonly createsList: string | null;
  /** What would be sent; empty if nothing is run. */
  readonly toSend: Plan['toSend'];
  readonly doubleOptInMessages: number;
  /** Parts of people who were asked for a click before, and are not asked again yet. */
  readonly askedAlready: number;
  /** Contacts by the consent that they have now; null if nothing was read. */
  readonly consent: readonly ConsentCount[] | null;
  /** Id of the dry run; null if there was none. */
  readonly migration: string | null;
  /** Why it cannot be applied; null if it can. */
  readonly failure: string | null;
  readonly exitCode: ExitCode;
}

export function differs({ change }: FoundChange): boolean {
  return change !== 'none' && change !== 'running';
}

/** Plans all changes of a file, one after the other. One that cannot be applied hides no other. */
export async function planChanges(
  consentry: Consentry,
  loaded: Programs,
  terminal: Terminal,
): Promise<PlannedChange[]> {
  const planned: PlannedChange[] = [];
  for (const found of await consentry.applying.changes(loaded)) {
    planned.push(await planChange(consentry, loaded, found, terminal));
  }
  return planned;
}

async function planChange(
  consentry: Consentry,
  loaded: Programs,
  found: FoundChange,
  terminal: Terminal,
): Promise<PlannedChange> {
  const nothing: PlannedChange = {
    found,
    createsList: null,
    toSend: [],
    doubleOptInMessages: 0,
    askedAlready: 0,
    consent: null,
    migration: null,
    failure: null,
    exitCode: EXIT.ok,
  };
  if (found.running !== null) {
    return { ...nothing, failure: stillRuns(found, found.running), exitCode: EXIT.usage };
  }
  if (!found.runs || found.of === null) return nothing;
  const view = new ProgressView(terminal, 0);
  try {
    const { prepared, createsList } = await prepare(consentry, loaded, found.of);
    const { id } = await consentry.programs.start(prepared, (rows) => view.showRead(rows));
    view.stop();
    view.showBegun(`Reading consent for ${found.program} from Klaviyo...`);
    await consentry.migrations.waitForEnd(id);
    const plan = await consentry.migrations.plan(id);
    return {
      ...nothing,
      createsList,
      toSend: plan?.toSend ?? [],
      doubleOptInMessages: plan?.doubleOptInMessages ?? 0,
      askedAlready: plan?.askedAlready ?? 0,
      consent: await consentry.programs.consentBefore(id),
      migration: id,
    };
  } catch (error) {
    const { message, exitCode } = failureOf(error);
    return { ...nothing, failure: withKeys(message), exitCode };
  } finally {
    view.stop();
  }
}

/** Without its list, which is not there yet, a dry run reads the same consent. */
async function prepare(
  consentry: Consentry,
  loaded: Programs,
  program: Program,
): Promise<{ readonly prepared: PreparedRun; readonly createsList: string | null }> {
  const dryRun = { dryRun: true };
  try {
    const prepared = await consentry.programs.prepare(loaded, program, dryRun);
    return { prepared, createsList: null };
  } catch (error) {
    if (!isListNotFound(error)) throw error;
    const { applying } = consentry;
    if (!applying.creates(loaded, program)) throw onPurpose(error, program);
    // It may be there by now, or be one of several, which is told by what `hasList` throws.
    if (await applying.hasList(program)) throw error;
    const withoutList = { ...program, list: { ...program.list, value: null } };
    const prepared = await consentry.programs.prepare(loaded, withoutList, dryRun);
    return { prepared, createsList: program.list.value };
  }
}

/** A list is created only if the file says so: a misspelt name would be a new list. */
function onPurpose({ message, failureType }: MigrationStoppedError, { account }: Program): Error {
  return new MigrationStoppedError(
    `${message} A list that is to be created is named in accounts.${account.name}.create_lists.`,
    failureType,
  );
}

function stillRuns({ program }: FoundChange, id: string): string {
  return (
    `Migration ${id} of ${program} still runs with its earlier settings: wait for its end, or end it with ` +
    `consentry cancel ${id}. Then apply the file again.`
  );
}
