import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import { steps } from '../activity-options.js';
import {
  approveUpdate,
  heldSignal,
  pauseSignal,
  planQuery,
  progressQuery,
  resumeSignal,
  setShareUpdate,
} from '../messages.js';
import type { MigrationProgress } from './migration-progress.js';

/** What people may ask and tell a run, and what workers tell it. */
export function handleMessages(
  migrationId: string,
  progress: MigrationProgress,
): { readonly approved: () => Promise<void> } {
  let approved = false;
  // One after the other, in the order in which they were said: a pause and a resume in one moment
  // must not overtake each other on their way to the ledger.
  let said: Promise<void> = Promise.resolve();
  const inOrder = (step: () => Promise<void>): Promise<void> => {
    // A run that is being cancelled is told all the same, and no word of it is left half-way.
    const told = said.then(() => CancellationScope.nonCancellable(step));
    said = told.catch(() => undefined);
    return told;
  };
  const steer = (paused: boolean, steering: string | null) => {
    progress.setPaused(paused);
    return inOrder(async () => {
      const now = await steps.setPaused.executeWithOptions(
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
    description: 'Go on submitting',
  });
  setHandler(heldSignal, (why) => progress.hold(why), {
    description: 'From a worker: the key is refused, or works again',
  });
  setHandler(approveUpdate, () => void (approved = true), {
    description: 'Start sending what the plan says',
    validator: () => progress.mustWaitForApproval(),
  });
  setHandler(
    setShareUpdate,
    (share) =>
      inOrder(() =>
        steps.setShare.executeWithOptions({ summary: `share of the limits: ${share}` }, [
          { migrationId, share },
        ]),
      ),
    {
      description: 'Part of the account’s limits that the run may use, above 0 to 1',
      validator: (share) => {
        if (!(share > 0 && share <= 1)) {
          throw new RangeError(`The share must be above 0 and at most 1; got ${share}.`);
        }
      },
    },
  );
  return { approved: () => condition(() => approved) };
}
