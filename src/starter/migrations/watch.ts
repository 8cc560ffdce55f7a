import { setTimeout as delay } from 'node:timers/promises';
import type { Plan, Progress, Totals } from '../../contracts/migration.js';
import { hasEnded } from './ended.js';

/** How `watch` follows a run. */
export interface WatchOptions {
  /** Least time between two polls, in milliseconds; a slow ledger is polled less often. */
  readonly everyMs: number;
  /** Stops watching; the run goes on. */
  readonly signal?: AbortSignal;
  /** Called once, when the run is planned. */
  onPlan(plan: Plan): void | Promise<void>;
  /** Called at every poll after the plan, with the counts of the ledger at that moment. */
  onProgress(progress: Progress): void | Promise<void>;
}

/** The functions that watching needs. */
interface Watched {
  waitForEnd(id: string, signal?: AbortSignal): Promise<Progress>;
  progress(id: string): Promise<Progress>;
  totals(id: string): Promise<Totals>;
  plan(id: string): Promise<Plan | null>;
}

/** Polling takes at most a fifth of the time. */
const PAUSE_PER_LOOK = 4;

/**
 * Follows a run to its end.
 *
 * @returns its last progress; null if the signal ended the watching
 * @throws MigrationStoppedError if a failure stopped the run
 */
export async function watchMigration(
  migrations: Watched,
  id: string,
  options: WatchOptions,
): Promise<Progress | null> {
  const end = settled(migrations.waitForEnd(id, options.signal));
  let planned = false;
  for (;;) {
    const looked = Date.now();
    const progress = upToDate(await migrations.progress(id), await migrations.totals(id));
    if (!planned) planned = await tellPlan(migrations, id, options);
    if (planned) await options.onProgress(progress);
    const pause = Math.max(options.everyMs, (Date.now() - looked) * PAUSE_PER_LOOK);
    const result = hasEnded(progress.phase)
      ? await end
      : await Promise.race([end, paused(pause, options.signal)]);
    if (result === 'stopped' || options.signal?.aborted) return null;
    if (result === 'look') continue;
    if (!planned) await tellPlan(migrations, id, options);
    if ('error' in result) throw result.error;
    await options.onProgress(upToDate(result.progress, await migrations.totals(id)));
    return result.progress;
  }
}

/** The workflow learns counts only at the end of a turn of its reader. */
function upToDate(progress: Progress, totals: Totals): Progress {
  const { total, submitted } = totals.jobs;
  const allSubmitted = progress.phase === 'submit' && total > 0 && submitted === total;
  return { ...progress, ...totals, phase: allSubmitted ? 'settle' : progress.phase };
}

async function tellPlan(migrations: Watched, id: string, on: WatchOptions): Promise<boolean> {
  const plan = await migrations.plan(id);
  if (plan !== null) await on.onPlan(plan);
  return plan !== null;
}

type Settled = { readonly progress: Progress } | { readonly error: unknown };

/** The end as a value, so that there is no unhandled rejection while nobody awaits it. */
function settled(end: Promise<Progress>): Promise<Settled> {
  return end.then(
    (progress) => ({ progress }),
    (error: unknown) => ({ error }),
  );
}

async function paused(ms: number, signal: AbortSignal | undefined): Promise<'look' | 'stopped'> {
  try {
    return await delay(ms, 'look' as const, signal === undefined ? {} : { signal });
  } catch {
    // A timer fails only when it is aborted.
    return 'stopped';
  }
}
