import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';
import type { SyncInterval } from '../contracts/sync.js';

/** A workflow that Temporal starts again and again: one at a time. */
export interface Scheduled {
  /** Of its Schedule; those of its runs begin with it. */
  readonly id: string;
  readonly workflowType: string;
  readonly args: unknown[];
  readonly every: SyncInterval;
  readonly taskQueue: string;
  /** Of each run, in the Web UI. */
  readonly summary: string;
}

/** What a Schedule of Temporal says. */
export interface ScheduleState {
  readonly paused: boolean;
  /** Why it is paused: a person's word, or that a run failed; blank if it is not. */
  readonly note: string;
  readonly nextAt: Date | null;
}

/** Runs that were missed for longer, for example while the server was down, are left out. */
const CATCH_UP_LEAST_MS = 60_000;

/** Without a success for so many intervals, what a Schedule starts is late. */
export const LATE_AFTER = 3;

/**
 * Creates a Schedule, or changes it; one that is paused stays so.
 *
 * @returns milliseconds without a success after which it is late; null if it has fewer than two times
 */
export async function putSchedule(client: Client, scheduled: Scheduled): Promise<number | null> {
  const options = optionsOf(scheduled);
  const handle = client.schedule.getHandle(options.scheduleId);
  try {
    await handle.update((before) => ({ ...options, state: before.state }));
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    await client.schedule.create(options);
  }
  // Of a cron expression, Temporal knows the times.
  const { info } = await handle.describe();
  const times = info.nextActionTimes;
  const gaps = times.slice(1).map((time, n) => time.getTime() - (times[n]?.getTime() ?? 0));
  return gaps.length === 0 ? null : Math.max(...gaps) * LATE_AFTER;
}

function optionsOf({
  id,
  workflowType,
  args,
  every,
  taskQueue,
  summary,
}: Scheduled): ScheduleOptions & { readonly spec: ScheduleOptions['spec'] } {
  return {
    scheduleId: id,
    spec:
      'everyMs' in every
        ? { intervals: [{ every: every.everyMs }] }
        : { cronExpressions: [every.cron], timezone: every.timeZone },
    action: {
      type: 'startWorkflow',
      workflowType,
      workflowId: id,
      taskQueue,
      args,
      staticSummary: summary,
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

/** Starts a run by a Schedule now, unless one of its runs works. */
export async function triggerSchedule(client: Client, id: string): Promise<void> {
  // Without a policy of its own a trigger ignores that of the Schedule, and runs beside another.
  await client.schedule.getHandle(id).trigger(ScheduleOverlapPolicy.SKIP);
}

/** @returns false if there was none */
export async function deleteSchedule(client: Client, id: string): Promise<boolean> {
  try {
    await client.schedule.getHandle(id).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}

/** @returns null if there is none */
export async function scheduleState(client: Client, id: string): Promise<ScheduleState | null> {
  try {
    const { state, info } = await client.schedule.getHandle(id).describe();
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

/** @returns false if there is none */
export async function pauseSchedule(
  client: Client,
  id: string,
  paused: boolean,
  note: string,
): Promise<boolean> {
  const handle = client.schedule.getHandle(id);
  try {
    await (paused ? handle.pause(note) : handle.unpause(note));
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}
