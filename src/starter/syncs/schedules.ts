import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';
import { workflowIds } from '../../contracts/names.js';
import type { SyncInterval } from '../../contracts/sync.js';
import type { Sync } from '../../ledger/index.js';
import type { consentSync } from '../../workflows/index.js';

/** What Temporal's Schedule of a sync says. */
export interface ScheduleState {
  readonly paused: boolean;
  /** Why it is paused: a person's word, or that a run failed; blank if it is not. */
  readonly note: string;
  readonly nextAt: Date | null;
}

/** Runs that were missed for longer, for example while the server was down, are left out. */
const CATCH_UP_LEAST_MS = 60_000;

const scheduleId = workflowIds.sync;

/** Creates the Schedule of a sync, or changes it; one that is paused stays so. */
export async function putSchedule(
  client: Client,
  sync: Sync,
  every: SyncInterval,
  taskQueue: string,
): Promise<void> {
  const options = optionsOf(sync, every, taskQueue);
  const handle = client.schedule.getHandle(options.scheduleId);
  try {
    await handle.update((before) => ({ ...options, state: before.state }));
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    await client.schedule.create(options);
  }
}

function optionsOf(
  sync: Sync,
  every: SyncInterval,
  taskQueue: string,
): ScheduleOptions & { readonly spec: ScheduleOptions['spec'] } {
  const { id: syncId, name } = sync;
  return {
    scheduleId: scheduleId(syncId),
    spec:
      'everyMs' in every
        ? { intervals: [{ every: every.everyMs }] }
        : { cronExpressions: [every.cron], timezone: every.timeZone },
    action: {
      type: 'startWorkflow',
      workflowType: 'consentSync' satisfies typeof consentSync.name,
      workflowId: scheduleId(syncId),
      taskQueue,
      args: [{ syncId, full: false, reset: false, isWaitedFor: false, runId: null }],
      staticSummary: `sync ${name ?? syncId}`,
    },
    policies: {
      // A run that takes longer than the interval is not joined by another.
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: 'everyMs' in every ? Math.max(every.everyMs, CATCH_UP_LEAST_MS) : '1 hour',
      // Only what a person has to fix ends a run: see contracts/failures.ts.
      pauseOnFailure: true,
    },
    state: { note: '' },
  };
}

/** Starts a run by the Schedule of a sync now, unless one of its runs works. */
export async function triggerSchedule(client: Client, syncId: string): Promise<void> {
  // Without a policy of its own a trigger ignores that of the Schedule, and runs beside another.
  await client.schedule.getHandle(scheduleId(syncId)).trigger(ScheduleOverlapPolicy.SKIP);
}

/** @returns false if there was none */
export async function deleteSchedule(client: Client, syncId: string): Promise<boolean> {
  try {
    await client.schedule.getHandle(scheduleId(syncId)).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}

/** @returns null if the sync has no Schedule */
export async function scheduleState(client: Client, syncId: string): Promise<ScheduleState | null> {
  try {
    const { state, info } = await client.schedule.getHandle(scheduleId(syncId)).describe();
    return {
      paused: state.paused,
      note: state.note ?? '',
      nextAt: state.paused ? null : (info.nextActionTimes[0] ?? null),
    };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

/** The next times at which the Schedule of a sync starts runs. */
export async function nextTimes(client: Client, syncId: string): Promise<readonly Date[]> {
  const { info } = await client.schedule.getHandle(scheduleId(syncId)).describe();
  return info.nextActionTimes;
}

/** @returns false if the sync has no Schedule */
export async function pauseSchedule(
  client: Client,
  syncId: string,
  paused: boolean,
  note: string,
): Promise<boolean> {
  const handle = client.schedule.getHandle(scheduleId(syncId));
  try {
    await (paused ? handle.pause(note) : handle.unpause(note));
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}
