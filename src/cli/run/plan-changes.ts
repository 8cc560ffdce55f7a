import type { Channel } from '../../contracts/channels.js';
import type { PartCount, Plan } from '../../contracts/migration.js';
import type { SegmentFound } from '../../contracts/segments.js';
import type { AskedNow, ConsentCount } from '../../ledger/index.js';
import type { Consentry } from '../../starter/consentry.js';
import type { FoundChange } from '../../starter/programs/apply/applying.js';
import type { OffChange } from '../../starter/programs/apply/changes.js';
import type { Programs } from '../../starter/programs/load.js';
import type { Program } from '../../starter/programs/program.js';
import type { PreparedRun } from '../../starter/programs/program-runs.js';
import { withKeys } from '../../starter/programs/words.js';
import { isListNotFound, MigrationStoppedError } from '../../starter/stopped.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { failureOf } from '../failure.js';
import { ProgressView } from '../terminal/progress-view.js';
import type { Terminal } from '../terminal/terminal.js';

/** Whom a change would unsubscribe, by a dry run. */
export interface PlannedOff extends OffChange {
  /** Parts by channel that would be unsubscribed. */
  readonly unsubscribes: readonly { readonly channel: Channel; readonly parts: number }[];
  /** The others, by channel and reason. */
  readonly leaves: readonly PartCount[];
  /** Whom other programs ask for and who would be unsubscribed all the same. */
  readonly alsoAsked: readonly AskedNow[];
  /** Who would leave both kinds of texts by leaving one. */
  readonly leaveBothTexts: number;
  /** Id of the dry run; null if there is nobody. */
  readonly migration: string | null;
}

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
  /** Who would enter and leave; null if the program is no segment, or was not compared. */
  readonly segment: SegmentFound | null;
  /** Null if nobody is to be unsubscribed. */
  readonly off: PlannedOff | null;
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
    segment: null,
    off: null,
    failure: null,
    exitCode: EXIT.ok,
  };
  if (found.running !== null) {
    return { ...nothing, failure: stillRuns(found, found.running), exitCode: EXIT.usage };
  }
  if (found.of === null || (!found.runs && found.off === null)) return nothing;
  const view = new ProgressView(terminal, 0);
  try {
    const off = await planOff(consentry, loaded, found, view);
    if (!found.runs) return { ...nothing, off };
    const { prepared, createsList } = await prepare(consentry, loaded, found.of);
    const { started, found: segment } = await consentry.programs.start(prepared, {
      onRows: (rows) => view.showRead(rows),
    });
    view.stop();
    if (started === null) return { ...nothing, createsList, segment, off };
    const { id } = started;
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
      segment,
      off,
    };
  } catch (error) {
    const { message, exitCode } = failureOf(error);
    return { ...nothing, failure: withKeys(message), exitCode };
  } finally {
    view.stop();
  }
}

/** Reads everybody who may be unsubscribed, as the run does before its plan. */
async function planOff(
  consentry: Consentry,
  loaded: Programs,
  found: FoundChange,
  view: ProgressView,
): Promise<PlannedOff | null> {
  if (found.off === null) return null;
  const nobody: PlannedOff = {
    ...found.off,
    unsubscribes: [],
    leaves: [],
    alsoAsked: [],
    leaveBothTexts: 0,
    migration: null,
  };
  const { started, alsoAsked } = await consentry.applying.startOff(
    loaded,
    found,
    { dryRun: true },
    (rows) => view.showRead(rows),
  );
  view.stop();
  if (started === null) return nobody;
  view.showBegun(`Reading whose consent ${found.program} gave from Klaviyo...`);
  await consentry.migrations.waitForEnd(started.id);
  view.stop();
  const plan = await consentry.migrations.plan(started.id);
  return {
    ...nobody,
    unsubscribes: (plan?.toSend ?? []).map(({ channel, parts }) => ({ channel, parts })),
    leaves: plan?.settledBefore ?? [],
    alsoAsked,
    leaveBothTexts: plan?.leaveBothTexts ?? 0,
    migration: started.id,
  };
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
    `Migration ${id} of ${program} still runs: wait for its end, or end it with ` +
    `consentry cancel ${id}. Then apply the file again.`
  );
}
