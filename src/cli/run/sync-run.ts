import { setTimeout as delay } from 'node:timers/promises';
import type { SyncProgress, SyncResult } from '../../contracts/sync.js';
import type { Connected } from '../../starter/connect.js';
import type { SyncRequest } from '../../starter/syncs/request.js';
import type { StartedSync } from '../../starter/syncs/start-sync.js';
import { Ended } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { renderSyncResult, syncProgressLine } from '../render/sync.js';
import { ProgressBar } from '../terminal/progress-bar.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

/** As commander read them; times in milliseconds. */
export interface SyncRunFlags {
  readonly to: string;
  readonly table?: string;
  readonly history?: string;
  readonly onDeleted?: 'erase' | 'keep';
  readonly sweep?: number;
  readonly overlap?: number;
  readonly full?: boolean;
  readonly account?: string;
  readonly detach?: boolean;
  readonly json?: boolean;
}

const LOOK_EVERY_MS = 500;

/** Starts a sync and follows it to its end. */
export async function runSync(flags: SyncRunFlags, terminal: Terminal): Promise<void> {
  const output = new Output(terminal, flags.json ?? false);
  const request = requestOf(flags);
  await withConsentry(async (connected) => {
    const started = await connected.consentry.syncs.start(request);
    const { runId, workflowId, attached } = started;
    if (attached) output.note(`The run ${runId} of this sync is going on; this follows it.`);
    if (flags.detach === true) {
      output.result(
        { runId, workflowId, attached },
        `Started ${runId}. See it with: consentry sync status`,
      );
      return;
    }
    const result = await followSync(connected, started, output);
    output.result({ ...result, workflowId }, renderSyncResult(result));
  });
}

/** Shows a run until its end. @throws Ended if the person stops watching */
async function followSync(
  { consentry }: Connected,
  { runId, workflowId }: StartedSync,
  output: Output,
): Promise<SyncResult> {
  const bar = new ProgressBar(output.terminal);
  const pace = new ReadingPace();
  const detach = new AbortController();
  const onInterrupt = (): void => detach.abort();
  process.once('SIGINT', onInterrupt);
  const end = consentry.syncs.waitForEnd(workflowId);
  const isOver = end.then(
    () => true,
    () => true,
  );
  try {
    for (;;) {
      const over = await Promise.race([isOver, pause(detach.signal)]);
      if (detach.signal.aborted) break;
      if (over) return await end;
      const progress = await consentry.syncs.progress(workflowId);
      if (progress === null) continue;
      const { read, left } = progress;
      const line = syncProgressLine(progress, pace.left(progress));
      bar.show(read, read + (left ?? 0), line, syncProgressLine(progress, null));
    }
  } finally {
    bar.stop();
    process.off('SIGINT', onInterrupt);
  }
  output.note(`The run ${runId} goes on. See it with: consentry sync status`);
  throw new Ended(EXIT.interrupted);
}

async function pause(signal: AbortSignal): Promise<false> {
  await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  return false;
}

/** How fast profiles were read since the reading was first seen. */
class ReadingPace {
  #first: { readonly at: number; readonly read: number } | null = null;

  /** Milliseconds that the rest takes at this pace; null while that is unknown. */
  left({ read, left }: SyncProgress): number | null {
    this.#first ??= { at: performance.now(), read };
    const done = read - this.#first.read;
    if (left === null || left === 0 || done === 0) return null;
    return ((performance.now() - this.#first.at) / done) * left;
  }
}

function requestOf(flags: SyncRunFlags): SyncRequest {
  const { to, table, history, onDeleted, sweep, overlap, full, account } = flags;
  return {
    to,
    ...(table === undefined ? {} : { table }),
    ...(history === undefined ? {} : { history }),
    ...(onDeleted === undefined ? {} : { onDeleted }),
    ...(sweep === undefined ? {} : { sweepEveryMs: sweep }),
    ...(overlap === undefined ? {} : { overlapMs: overlap }),
    ...(full === true ? { full } : {}),
    ...(account === undefined ? {} : { account }),
  };
}
