import { setTimeout as delay } from 'node:timers/promises';
import type { SnapshotFormat, SyncProgress, SyncResult } from '../../contracts/sync.js';
import type { Connected } from '../../starter/connect.js';
import type { SyncRequest } from '../../starter/syncs/request.js';
import type { StartedSync } from '../../starter/syncs/start-sync.js';
import { Ended, UsageError } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { renderSyncResult, syncProgressLine } from '../render/sync.js';
import { ProgressBar } from '../terminal/progress-bar.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

/** As commander read them. */
export interface SyncFlags {
  readonly to?: string;
  readonly format?: SnapshotFormat;
  readonly table?: string;
  readonly account?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Times in milliseconds. */
export interface SyncRunFlags extends SyncFlags {
  readonly history?: string;
  /** `true` without a name. */
  readonly lists?: string | true;
  readonly onDeleted?: 'erase' | 'keep';
  readonly sweep?: number;
  readonly overlap?: number;
  readonly full?: boolean;
  readonly reset?: boolean;
  readonly detach?: boolean;
}

const LOOK_EVERY_MS = 500;

/**
 * Starts a sync and follows it to its end.
 *
 * @param name of a sync of `consentry.yaml`; null for one that the flags describe
 */
export async function runSync(
  name: string | null,
  flags: SyncRunFlags,
  terminal: Terminal,
): Promise<void> {
  const output = new Output(terminal, flags.json ?? false);
  const start = await startOf(name, flags);
  await withConsentry(async (connected) => {
    const started = await start(connected);
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

/** @throws UsageError, ConfigFileError */
async function startOf(
  name: string | null,
  flags: SyncRunFlags,
): Promise<(connected: Connected) => Promise<StartedSync>> {
  const { full = false, reset = false, config = null } = flags;
  if (name === null) {
    const request = requestOf(flags);
    return ({ consentry: { syncs } }) => (reset ? syncs.reset(request) : syncs.start(request));
  }
  for (const flag of [
    'to',
    'format',
    'table',
    'history',
    'lists',
    'onDeleted',
    'sweep',
    'overlap',
  ] as const) {
    if (flags[flag] === undefined) continue;
    throw new UsageError(
      `The sync ${name} is described in consentry.yaml: change it there, or leave out the name.`,
    );
  }
  const { loadPrograms } = await import('../../starter/programs/load.js');
  const loaded = await loadPrograms(config);
  return ({ consentry: { syncs } }) => syncs.runDefined(loaded, name, { full, reset });
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

/** @throws UsageError */
export function requestOf(flags: SyncRunFlags): SyncRequest {
  const { to, format, table, history, lists, onDeleted, sweep, overlap, full, account } = flags;
  if (to === undefined) {
    throw new UsageError(
      'Say which sync: the name of one in consentry.yaml, or where to write with --to ' +
        'postgres://user:password@host/database.',
    );
  }
  return {
    to,
    ...(format === undefined ? {} : { format }),
    ...(table === undefined ? {} : { table }),
    ...(history === undefined ? {} : { history }),
    ...(lists === undefined ? {} : { lists }),
    ...(onDeleted === undefined ? {} : { onDeleted }),
    ...(sweep === undefined ? {} : { sweepEveryMs: sweep }),
    ...(overlap === undefined ? {} : { overlapMs: overlap }),
    ...(full === true ? { full } : {}),
    ...(account === undefined ? {} : { account }),
  };
}
