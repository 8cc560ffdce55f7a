import type { ScheduleState } from '../../starter/schedules.js';

/** When a Schedule starts its next run, or why it starts none. */
export function scheduleWords(schedule: ScheduleState | null): string {
  if (schedule === null) return 'runs only when asked for';
  if (schedule.paused) return `paused${schedule.note === '' ? '' : ` (${schedule.note})`}`;
  const { nextAt } = schedule;
  return nextAt === null
    ? 'no next run'
    : `next run ${nextAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
