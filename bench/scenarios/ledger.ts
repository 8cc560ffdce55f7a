import { openLedger } from '../../src/ledger/index.js';
import type { Floor } from '../measure/floors.js';
import { curveOf, growthOf, MemorySampler, peakOf } from '../measure/memory.js';
import { readServerFacts } from '../measure/server-facts.js';
import { timed, timesOf } from '../measure/stopwatch.js';
import { figuresOf, WriteMeter } from '../measure/wal.js';
import type { Measured, RunOptions, Scenario } from '../scenario.js';
import { withDatabase } from '../stack/database.js';
import { migrate, type Step } from './ledger-steps.js';

const WAL: Floor = { figure: 'walMegabytesPerMillionRows', is: 'at most', limit: 600 };

export const ledger: Scenario = {
  name: 'ledger',
  line: 'the ledger’s part of a migration alone: time of each step, WAL, sizes, HOT updates',
  rows: 1_000_000,
  floors: [{ figure: 'seconds', is: 'at most', limit: 0.35, times: 'before' }, WAL],
  run,
};

export const ledgerTenMillion: Scenario = {
  name: 'ledger-ten-million',
  line: 'the same with ten times as many rows: time per row and memory stay as they are',
  rows: 10_000_000,
  comparesWith: ['ledger'],
  floors: [
    { figure: 'microsecondsPerRow', is: 'at most', limit: 1.3, times: 'scales' },
    { figure: 'memoryGrowth', is: 'at most', limit: 1.15 },
    WAL,
  ],
  run,
};

/** The ledger is used in this process, so its memory is what is measured. */
function run({ rows, note }: RunOptions): Promise<Measured> {
  return withDatabase(async (url) => {
    const servers = await readServerFacts(url, null);
    const opened = await openLedger(url);
    const took = new Map<string, number[]>();
    const step: Step = async (name, work) => {
      const [ms, result] = await timed(work);
      const times = took.get(name);
      if (times === undefined) {
        took.set(name, [ms]);
        note(name);
      } else times.push(ms);
      return result;
    };
    const meter = await WriteMeter.begin(url);
    const memory = new MemorySampler(process.pid);
    let ms: number;
    try {
      [ms] = await timed(() => migrate(opened, rows, step));
    } finally {
      await memory.stop();
      await opened.close();
    }
    const samples = await memory.stop();
    return {
      servers,
      figures: {
        seconds: ms / 1_000,
        rowsPerSecond: (rows * 1_000) / ms,
        microsecondsPerRow: (ms * 1_000) / rows,
        ...figuresOf(await meter.end(), rows),
        memoryPeakMegabytes: peakOf(samples),
        memoryGrowth: growthOf(samples),
      },
      details: { steps: stepsOf(took) },
      curves: { memory: curveOf(samples) },
    };
  });
}

function stepsOf(took: ReadonlyMap<string, readonly number[]>): Record<string, unknown>[] {
  const round = (ms: number): number => Number(ms.toFixed(1));
  return [...took].map(([step, times]) => {
    const { p50, p95, max } = timesOf(times);
    return {
      step,
      calls: times.length,
      'p50 (ms)': round(p50),
      'p95 (ms)': round(p95),
      'max (ms)': round(max),
      'total (s)': round(times.reduce((sum, ms) => sum + ms, 0) / 1_000),
    };
  });
}
