import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import { steers } from '../activity-options.js';
import {
  approveUpdate,
  heldSignal,
  pastSubmitSignal,
  pauseSignal,
  planQuery,
  progressQuery,
  resumeSignal,
  setShareUpdate,
  stoppedSignal,
} from '../messages.js';
import type { MigrationProgress } from './migration-progress.js';
import type { SubmitWindow } from './submit-window.js';

/** Handles the messages of people and workers to a run. */
export function handleMessages(
  migrationId: string,
  progress: MigrationProgress,
  window: SubmitWindow,
): { readonly approved: () => Promise<void> } {
  let approved = false;
  // One after the other, in the order of their arrival: a pause and a resume at the same moment
  // must not overtake each other on their way to the ledger.
  let previous: Promise<void> = Promise.resolve();
  const inOrder = (step: () => Promise<void>): Promise<void> => {
    // This also applies while the run is being cancelled: no instruction is left half done.
    const done = previous.then(() => CancellationScope.nonCancellable(step));
    previous = done.catch(() => undefined);
    return done;
  };
  const steer = (paused: boolean, steering: string | null) => {
    progress.setPaused(paused);
    return inOrder(async () => {
      const now = await steers.setPaused.executeWithOptions(
        { summary: paused ? 'pause' : 'resume' },
        [{ migrationId, paused, steering }],
      );
      progress.setPaused(now);
    });
  };

  setHandler(progressQuery, () => progress.now(), { description: 'Counts by outcome and phase' });
  setHandler(planQuery, () => progress.plan, { description: 'What the run will do' });
  setHandler(pauseSignal, (steering) => steer(true, steering ?? null), {
    description: 'Submit nothing more until resume',
  });
  setHandler(resumeSignal, (steering) => steer(false, steering ?? null), {
    description: 'Continue submitting',
  });
  setHandler(heldSignal, (why) => progress.hold(why), {
    description: 'From a worker: the key is refused, or works again',
  });
  setHandler(pastSubmitSignal, (jobs) => window.passed(jobs), {
    description: 'From a worker: so many jobs have nothing left to send',
  });
  setHandler(stoppedSignal, () => window.close(), {
    description: 'From a worker: a job failed, and nothing more is started',
  });
  setHandler(approveUpdate, () => void (approved = true), {
    description: 'Start sending the planned rows',
    validator: () => progress.mustWaitForApproval(),
  });
  setHandler(
    setShareUpdate,
    (share) =>
      inOrder(() =>
        steers.setShare.executeWithOptions({ summary: `share of the limits: ${share}` }, [
          { migrationId, share },
        ]),
      ),
    {
      description: 'Part of the account’s limits that the run may use: above 0, at most 1',
      validator: (share) => {
        if (!(share > 0 && share <= 1)) {
          throw new RangeError(`The share must be above 0 and at most 1; got ${share}.`);
        }
      },
    },
  );
  return { approved: () => condition(() => approved) };
}
