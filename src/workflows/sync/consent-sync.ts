import {
  ApplicationFailure,
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  setHandler,
  uuid4,
  workflowInfo,
  ActivityFailure,
} from '@temporalio/workflow';
import {
  NO_COUNTS,
  SYNC_CANCELLED,
  sumOf,
  type SyncBegun,
  type SyncCounts,
  type SyncInput,
  type SyncPhase,
  type SyncProgress,
  type SyncResult,
  type WholeReading,
} from '../../contracts/sync.js';
import { syncSteps, waitedForSyncSteps } from '../activity-options.js';
import { syncProgressQuery } from '../messages.js';
import { worksFor } from '../run.js';
import { describeSync } from './details.js';

/** Turns of a minute before it continues as new: 6 events each, and 6 more for every tenth. */
const TURNS_PER_EXECUTION = 300;

/** Minutes of a whole reading after which what changed is read. */
const TURNS_BETWEEN_CHANGES = 10;

/**
 * One run of a sync: what changed in the account since the last one, or the whole account, goes into
 * the destination. Each step stores how far it came there, together with its rows, so a run that is
 * lost is continued by the next.
 *
 * Cancel: ends after what was written; the next run goes on there.
 * Events: some 50, and 7 for each minute of a whole reading; after 300 of those it continues as new.
 */
export async function consentSync(input: SyncInput): Promise<SyncResult> {
  const { syncId, carried } = input;
  const runId = carried?.runId ?? input.runId ?? uuid4();
  worksFor({ kind: 'sync', id: runId });
  const step = { syncId, runId };
  let counts: SyncCounts = carried?.counts ?? NO_COUNTS;
  let progress: SyncProgress = { ...counts, runId, phase: 'begin', windows: 0, left: null };
  setHandler(syncProgressQuery, () => progress, { description: 'How far the sync has come' });
  tell('begin');

  try {
    const { whole, writesFiles } = carried ?? (await begin());
    if (carried === undefined) {
      // What the sources of changes show is read first: what the sweep finds beyond it was missed.
      if (whole === 'sweep') await readChanges('before the sweep');
      // A first reading that was interrupted has filled a part of the table, which others read already.
      const goesOn = whole !== null && (await beginWhole(whole));
      if (goesOn && whole === 'first') await readChanges('since it was interrupted');
    }
    if (whole !== null) {
      await readWhole(whole, writesFiles);
      tell('gone');
      count(
        await syncSteps.endWhole.executeWithOptions({ summary: 'who is no longer there' }, [step]),
      );
    }
    await readChanges(whole === null ? 'since the last run' : 'since the reading began');
    if (writesFiles) await writeFiles();
    const drift = await end(null);
    tell('done');
    return { runId, whole, drift, ...counts };
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    if (!input.isWaitedFor && typeOf(error) === 'SyncIsRunning') return skipped(error);
    await CancellationScope.nonCancellable(() =>
      end(isCancellation(error) ? SYNC_CANCELLED : messageOf(error)),
    );
    tell('failed');
    throw error;
  }

  async function begin(): Promise<SyncBegun> {
    const steps = input.isWaitedFor ? waitedForSyncSteps : syncSteps;
    const { full, reset } = input;
    return steps.beginSync.executeWithOptions({ summary: 'the destination and its marker' }, [
      { ...step, workflowId: workflowInfo().workflowId, full, reset },
    ]);
  }

  /** @returns whether a reading goes on that had begun before */
  async function beginWhole(whole: WholeReading): Promise<boolean> {
    const summary = 'begin to read the whole account';
    const { goesOn } = await syncSteps.beginWhole.executeWithOptions({ summary }, [
      { ...step, whole },
    ]);
    return goesOn;
  }

  async function readWhole(whole: WholeReading, writesFiles: boolean): Promise<void> {
    for (let turns = 1; ; turns += 1) {
      tell(whole);
      const turn = await syncSteps.readAccount.executeWithOptions(
        { summary: turnSummary(whole, progress) },
        [step],
      );
      count(turn);
      progress = { ...progress, windows: turn.windows, left: turn.left };
      if (turn.isOver) return;
      // It may take hours: who leaves meanwhile is not left until its end.
      if (turns % TURNS_BETWEEN_CHANGES === 0) await readChanges('during the reading');
      if (turns === TURNS_PER_EXECUTION) {
        await continueAsNew<typeof consentSync>({
          ...input,
          carried: { runId, whole, writesFiles, counts },
        });
      }
    }
  }

  async function readChanges(since: string): Promise<void> {
    tell('changes');
    count(
      await syncSteps.readChanges.executeWithOptions({ summary: `what changed ${since}` }, [step]),
    );
  }

  async function writeFiles(): Promise<void> {
    tell('files');
    await syncSteps.writeFiles.executeWithOptions({ summary: 'write the files' }, [step]);
  }

  function end(failure: string | null) {
    return syncSteps.endSync.executeWithOptions({ summary: 'end the run' }, [{ ...step, failure }]);
  }

  /** Another run is working: the Schedule's next one comes. */
  function skipped(error: unknown): SyncResult {
    setCurrentDetails(`Nothing was done. ${messageOf(error)}`);
    return { runId, whole: null, drift: {}, ...NO_COUNTS };
  }

  function count(more: SyncCounts): void {
    counts = sumOf(counts, more);
    progress = { ...progress, ...counts };
  }

  function tell(phase: SyncPhase): void {
    progress = { ...progress, ...counts, phase };
    setCurrentDetails(describeSync(progress));
  }
}

function turnSummary(whole: WholeReading, { read, windows }: SyncProgress): string {
  const what = whole === 'first' ? 'first reading' : 'sweep';
  if (windows === 0) return what;
  return `${what}: ${read.toLocaleString('en-US')} profiles so far, ${windows} windows left`;
}

function failureIn(error: unknown): ApplicationFailure | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? cause : null;
}

function typeOf(error: unknown): string | null {
  return failureIn(error)?.type ?? null;
}

function messageOf(error: unknown): string {
  return failureIn(error)?.message ?? (error instanceof Error ? error.message : String(error));
}
