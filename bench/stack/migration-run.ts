import { readFigures, type Figures as WorkflowFigures } from '../../src/demo/figures.js';
import { ENDPOINT_NAMES, endpointOf } from '../../src/klaviyo/index.js';
import type { MigrationRequest } from '../../src/starter/migrations/request/migration-request.js';
import type { Report } from '../../src/starter/migrations/report.js';
import { timesOfParts, type PartTimes } from '../errors/phases.js';
import { curveOf, growthOf, MemorySampler, type MemorySample } from '../measure/memory.js';
import type { Figures } from '../measure/figures.js';
import { LIST, type BenchStack } from './stack.js';

/** A migration of everybody in the stack's source, from its start to its end. */
export interface MigrationRun {
  readonly report: Report;
  /** Until its rows were stored. */
  readonly storedMs: number;
  readonly runMs: number;
  readonly phases: PartTimes;
  readonly workflow: WorkflowFigures;
  /** Of the worker. */
  readonly memory: readonly MemorySample[];
}

/**
 * Everybody is looked up unless the request says otherwise: else an account without people would be
 * read at once.
 */
export async function runMigration(
  stack: Pick<BenchStack, 'file' | 'connected' | 'temporal' | 'workerPid'>,
  request: Partial<MigrationRequest>,
): Promise<MigrationRun> {
  const { file, temporal, workerPid } = stack;
  const { migrations } = stack.connected.consentry;
  const sampler = new MemorySampler(workerPid);
  try {
    const began = performance.now();
    const asked = { file, listId: LIST, watchDays: 0, mirror: 'off', ...request } as const;
    const { id } = await migrations.start(asked);
    const storedMs = performance.now() - began;
    await migrations.waitForEnd(id);
    const runMs = performance.now() - began;
    const memory = await sampler.stop();
    const report = await migrations.report(id);
    return {
      report,
      storedMs,
      runMs,
      phases: await timesOfParts(id, temporal, null),
      workflow: await readFigures({ report, runMs }, temporal, workerPid),
      memory,
    };
  } finally {
    await sampler.stop();
  }
}

/** The figures that every migration has. */
export function figuresOfRun({ report, runMs, workflow, memory }: MigrationRun): Figures {
  const { rows, outcomes } = report;
  const calls = sum(report.calls);
  return {
    seconds: runMs / 1_000,
    rowsPerSecond: (rows * 1_000) / runMs,
    microsecondsPerRow: (runMs * 1_000) / rows,
    unconfirmedRows: rows - (outcomes.confirmed ?? 0),
    calls,
    throttledCalls: throttled(report),
    throttledShare: throttled(report) / calls,
    readsPerThousandConfirmed: report.reads.perThousandConfirmed,
    migrationEvents: workflow.migrationEvents,
    jobEventsMean: workflow.jobEvents.mean,
    jobEventsMost: workflow.jobEvents.most,
    workerPeakMegabytes: workflow.workerBytes === null ? null : workflow.workerBytes / 1e6,
    workerMemoryGrowth: growthOf(memory),
  };
}

/** What explains the figures. */
export function detailsOfRun(run: MigrationRun): Record<string, unknown> {
  const { report, storedMs, phases } = run;
  return {
    'phases (s)': Object.fromEntries(
      Object.entries({ store: storedMs, ...phases }).map(([name, ms]) => [name, ms / 1_000]),
    ),
    outcomes: report.outcomes,
    calls: Object.fromEntries(callsByEndpoint(report)),
  };
}

export function curvesOfRun({ memory }: MigrationRun): Record<string, MemorySample[]> {
  return { workerMemory: curveOf(memory) };
}

export function callsByEndpoint({ calls }: Pick<Report, 'calls'>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { endpoint, calls: made } of calls) {
    counts.set(endpoint, (counts.get(endpoint) ?? 0) + made);
  }
  return counts;
}

/** Milliseconds that a run's own calls take at Klaviyo's limits of their endpoints. */
export function leastTimeOf(report: Pick<Report, 'calls'>): number {
  return Math.max(
    0,
    ...[...callsByEndpoint(report)].map(([endpoint, calls]) => leastTime(endpoint, calls)),
  );
}

function leastTime(name: string, calls: number): number {
  const known = ENDPOINT_NAMES.find((endpoint) => endpoint === name);
  if (known === undefined) return 0;
  const { burst, steady } = endpointOf(known);
  const minutes = Math.floor(calls / steady);
  return minutes * 60_000 + Math.floor((calls % steady) / burst) * 1_000;
}

function throttled({ calls }: Report): number {
  return sum(calls.filter(({ status }) => status === '429'));
}

function sum(calls: Report['calls']): number {
  return calls.reduce((all, of) => all + of.calls, 0);
}
