import type { Connected } from '../../starter/connect.js';
import { loadPrograms, type Programs } from '../../starter/programs/load.js';
import { withKeys } from '../../starter/programs/words.js';
import { Ended, UsageError } from '../ended.js';
import { EXIT, worstOf } from '../exit-codes.js';
import { failureOf } from '../failure.js';
import { renderAppliedFile, renderFile, syncChangeDocument } from '../render/sync-changes.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';
import type { AppliedChange } from './applied-change.js';
import { answersYes } from './approval.js';
import { differs, planChanges, type PlannedChange } from './plan-changes.js';
import { Running } from './program-run.js';

export interface ApplyFlags {
  readonly config?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * Shows what a file changes, asks, and does it.
 *
 * @throws Ended with the worst exit code of the programs, or with 5 if it is not approved
 */
export async function applyPrograms(flags: ApplyFlags, terminal: Terminal): Promise<void> {
  if (flags.yes !== true && terminal.stdin?.isTTY !== true) {
    throw new UsageError(
      'There is no terminal to ask at: add --yes to apply the file without being asked. Nothing was sent.',
    );
  }
  const loaded = await loadPrograms(flags.config ?? null);
  const output = new Output(terminal, flags.json ?? false);
  const { applied, syncs, schedules } = await withConsentry(async (connected) => {
    const { activations } = connected.consentry;
    const changes = await connected.consentry.syncs.changes(loaded);
    const scheduled = await activations.changes(loaded);
    const planned = await planChanges(connected.consentry, loaded, terminal);
    output.say(renderFile(planned, changes, scheduled));
    const differing = changes.filter(({ change }) => change !== 'none');
    const rescheduled = scheduled.filter(({ change }) => change !== 'none');
    if (
      flags.yes !== true &&
      (planned.some(mayAct) || differing.length + rescheduled.length > 0) &&
      !(await answersYes(terminal, 'Apply this? [y/N] '))
    ) {
      output.note('Nothing was applied.');
      throw new Ended(EXIT.cancelled);
    }
    // First: they send nothing, and a program may take long.
    for (const change of differing) await connected.consentry.syncs.apply(change);
    const applied = await applyAll(connected, loaded, planned, output);
    // Last: their lists are there by now, and whoever is in was asked by a run that somebody watched.
    for (const change of rescheduled) {
      const { exitCode } = applied.find((each) => each.program === change.program) ?? {};
      if (exitCode === undefined || exitCode === EXIT.ok) await activations.apply(loaded, change);
    }
    return { applied, syncs: changes, schedules: scheduled };
  });
  output.result(
    {
      file: loaded.file.path,
      programs: applied,
      syncs: syncs.map(syncChangeDocument),
      schedules,
    },
    `\n${renderAppliedFile(applied, syncs)}`,
  );
  const exitCode = worstOf(applied.map((each) => each.exitCode));
  if (exitCode !== EXIT.ok) throw new Ended(exitCode);
}

function mayAct({ found, failure }: PlannedChange): boolean {
  return (found.runs || found.off !== null) && failure === null;
}

/** One after the other; one that fails does not stop the next. */
async function applyAll(
  connected: Connected,
  loaded: Programs,
  planned: readonly PlannedChange[],
  output: Output,
): Promise<AppliedChange[]> {
  // The question, or --yes, was the approval of all of them.
  const running = new Running(connected, loaded, {}, output);
  const applied: AppliedChange[] = [];
  for (const each of planned) {
    const isLeft = applied.some(({ exitCode }) => exitCode === EXIT.interrupted);
    applied.push(
      isLeft
        ? ended(each, { status: 'not_started' })
        : await apply(connected, loaded, running, each).catch((error: unknown) =>
            failed(each, error),
          ),
    );
  }
  return applied;
}

async function apply(
  { consentry: { applying } }: Connected,
  loaded: Programs,
  running: Running,
  planned: PlannedChange,
): Promise<AppliedChange> {
  const { found, failure, exitCode, createsList } = planned;
  if (failure !== null) return ended(planned, { status: 'failed', failure, exitCode });
  // A process that died may have recorded it, and not started it.
  await applying.resumeOff(loaded, found);
  if (!differs(found)) return ended(planned, { status: 'unchanged' });
  // First: whoever is to be out is out before anybody else is subscribed.
  const off = found.off === null ? null : await running.switchOff(found);
  if (off !== null && off.status !== 'done') return ended(planned, { ...off, off });
  if (!found.runs || found.of === null) {
    await applying.note(found);
    return ended(planned, off === null ? { status: 'recorded' } : { ...off, off });
  }
  // Two programs may need the same list: whoever comes second finds it.
  const list = createsList === null ? null : await applying.createList(found.of);
  const createdList = list?.created === true ? list : null;
  return ended(planned, { ...(await running.run(found.of)), createdList, off });
}

function ended({ found }: PlannedChange, is: Partial<AppliedChange>): AppliedChange {
  return {
    program: found.program,
    status: 'unchanged',
    exitCode: EXIT.ok,
    failure: null,
    migration: null,
    report: null,
    createdList: null,
    off: null,
    segment: null,
    ...is,
    change: found.change,
  };
}

function failed(planned: PlannedChange, error: unknown): AppliedChange {
  const { message, exitCode } = failureOf(error);
  return ended(planned, { status: 'failed', failure: withKeys(message), exitCode });
}
