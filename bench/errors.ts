/**
 * Migrates people into a single opt-in list of the sandbox while a share of all calls fails, for
 * each kind of error. Prints how long each phase took compared with a run without errors: the
 * faster of the first and the last run, since the first starts with cold caches. There are no rate
 * limits and hardly any delays, so that only our own work and the cost of the errors remain. Every
 * run has its own servers.
 *
 *   npm run bench -- errors [--rows 20000] [--kinds 502,slow] [--shares 0.03,0.1] [--limit 300] [--seed 1]
 */
import { parseArgs } from 'node:util';
import type { Fault, FaultKind } from 'klaviyo-sandbox';
import type { MigrationTiming } from '../src/contracts/migration.js';
import { PARTS, timesOfParts, type PartTimes } from './errors/phases.js';
import { LIST, withStack, type BenchStack } from './stack/stack.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000' },
    kinds: { type: 'string', default: '502,reset_before,reset_after,slow,html,truncated' },
    shares: { type: 'string', default: '0.03,0.1' },
    /** Seconds after which a run is cut off. */
    limit: { type: 'string', default: '300' },
    /** Decides which calls fail. */
    seed: { type: 'string', default: '1' },
  },
});
const rows = Number(values.rows);
const kinds = values.kinds.split(',') as FaultKind[];
const shares = values.shares.split(',').map(Number);
const limitMs = Number(values.limit) * 1_000;

/** Longer than the client gives the first try of a read, shorter than it gives a write. */
const SLOW_MS = 8_000;

/**
 * Klaviyo's longest delay is 0.15 s here, not 3 minutes. Waits that depend on it are shortened too,
 * since they would dominate the cost of the errors. Deadlines stay longer than the run.
 */
const TIMING: Partial<MigrationTiming> = {
  readEveryMs: 500,
  readTurnMs: 5_000,
  lostAnswerWaitMs: 1_000,
  eventsSilentMs: 2_000,
};

interface Run {
  readonly kind: FaultKind | null;
  readonly share: number;
}

interface Measured extends Run {
  readonly storeMs: number;
  readonly parts: PartTimes;
  readonly totalMs: number;
  readonly cutOff: boolean;
  readonly confirmed: number;
  readonly calls: number;
}

const runs: Run[] = [
  { kind: null, share: 0 },
  ...shares.flatMap((share) => kinds.map((kind) => ({ kind, share }))),
  { kind: null, share: 0 },
];
const measured: Measured[] = [];
for (const run of runs) {
  measured.push(await measure(run));
  process.stderr.write(`${nameOf(run)}: ${seconds(measured.at(-1)!.totalMs)} s\n`);
}
const without = measured.filter(({ kind }) => kind === null).map(({ totalMs }) => totalMs);
console.table(measured.map((run) => ({ run: nameOf(run), ...rowOf(run, Math.min(...without)) })));

function measure(run: Run): Promise<Measured> {
  return withStack(
    rows,
    { seed: Number(values.seed), rateLimitFactor: 1_000, delays: 'fast' },
    (stack) => migrate(run, stack),
    () => undefined,
  );
}

async function migrate(run: Run, stack: BenchStack): Promise<Measured> {
  const { file } = stack;
  if (run.kind !== null) await stack.sandbox.addFault(faultOf(run.kind, run.share));
  const { consentry } = stack.connected;
  const began = performance.now();
  const { id } = await consentry.migrations.start({
    file,
    listId: LIST,
    watchDays: 0,
    timing: TIMING,
  });
  const storeMs = performance.now() - began;
  const cutOff = !(await endsWithin(limitMs, (signal) =>
    consentry.migrations.waitForEnd(id, signal),
  ));
  const totalMs = performance.now() - began;
  const parts = await timesOfParts(id, stack.temporal, cutOff ? Date.now() : null);
  const { outcomes, calls } = await consentry.migrations.report(id);
  return {
    ...run,
    storeMs,
    parts,
    totalMs,
    cutOff,
    confirmed: outcomes.confirmed ?? 0,
    calls: calls.reduce((sum, of) => sum + of.calls, 0),
  };
}

function faultOf(kind: FaultKind, share: number): Fault {
  return { kind, share, ...(kind === 'slow' ? { latencyMs: SLOW_MS } : {}) };
}

async function endsWithin(
  ms: number,
  wait: (signal: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  const signal = AbortSignal.timeout(ms);
  try {
    await wait(signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

function nameOf({ kind, share }: Run): string {
  return kind === null ? 'no errors' : `${share * 100} % ${kind}`;
}

/** Seconds; `> ` where the run was cut off. */
function rowOf(run: Measured, withoutMs: number): Record<string, string | number> {
  const reached = PARTS.filter((part) => run.parts[part] !== undefined);
  return {
    store: seconds(run.storeMs),
    ...Object.fromEntries(
      PARTS.map((part) => {
        const ms = run.parts[part];
        const cut = run.cutOff && part === reached.at(-1) ? '> ' : '';
        return [part, ms === undefined ? '' : `${cut}${seconds(ms)}`];
      }),
    ),
    total: `${run.cutOff ? '> ' : ''}${seconds(run.totalMs)}`,
    factor: `${run.cutOff ? '> ' : ''}${(run.totalMs / withoutMs).toFixed(2)}`,
    confirmed: run.confirmed,
    calls: run.calls,
  };
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
