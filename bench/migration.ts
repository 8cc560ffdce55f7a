/**
 * Migrates people into a single opt-in list of the sandbox at Klaviyo's real limits and delays,
 * with sandbox, worker, PostgreSQL and Temporal as separate processes. Prints the time compared
 * with the least that the plan can take. With `--lifted` there are no limits and hardly any delays,
 * so that only our own work remains.
 *
 *   node --import tsx bench/migration.ts [--rows 100000] [--historical] [--lifted]
 */
import { parseArgs } from 'node:util';
import { readFigures } from '../src/demo/figures.js';
import { ENDPOINT_NAMES, endpointOf } from '../src/klaviyo/index.js';
import type { Report } from '../src/starter/migrations/report.js';
import { LIST, withStack, type BenchStack } from './stack.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    historical: { type: 'boolean', default: false },
    lifted: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
const { historical, lifted } = values;
/** Klaviyo's longest delay: back-dated consent shows after 2 to 20 minutes, live within 3. */
const DELAY_MS = lifted ? 0 : historical ? 1_200_000 : 180_000;

await withStack(rows, lifted ? { rateLimitFactor: 1_000, delays: 'fast' } : {}, run);

async function run({ file, connected, temporal, workerPid }: BenchStack): Promise<void> {
  const { consentry } = connected;
  const began = performance.now();
  const { id } = await consentry.migrations.start({
    file,
    listId: LIST,
    historical,
    watchDays: 0,
    ...(lifted ? { timing: { readEveryMs: 500 } } : {}),
  });
  const storedMs = performance.now() - began;
  await consentry.migrations.waitForEnd(id);
  const runMs = performance.now() - began;
  const report = await consentry.migrations.report(id);
  const figures = await readFigures({ report, runMs }, temporal, workerPid);

  const calls = callsByEndpoint(report);
  const leastMs = Math.max(...[...calls].map(([endpoint, count]) => leastTime(endpoint, count)));
  const throttled = sum(report.calls.filter(({ status }) => status === '429'));
  console.table({
    rows,
    kind: `${historical ? 'historical' : 'live'}${lifted ? ', limits lifted' : ''}`,
    'stored (s)': seconds(storedMs),
    'wall time (s)': seconds(runMs),
    'rows per second': Math.round((rows * 1_000) / runMs),
    'least time of its calls (s)': lifted ? 'none' : seconds(leastMs),
    'Klaviyo’s longest delay (s)': seconds(DELAY_MS),
    'wall / (least time + delay)': lifted ? 'none' : (runMs / (leastMs + DELAY_MS)).toFixed(2),
    'calls answered 429': `${throttled} of ${sum(report.calls)}`,
    'reads per 1,000 confirmed': report.reads.perThousandConfirmed,
    'events of the migration': figures.migrationEvents,
    'events per job': `${figures.jobEvents.mean.toFixed(1)}, max ${figures.jobEvents.most}`,
    'worker (MiB)': Math.round((figures.workerBytes ?? 0) / 2 ** 20),
  });
  console.table(report.outcomes);
  console.table(Object.fromEntries(calls));
}

function callsByEndpoint(report: Report): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { endpoint, calls } of report.calls) {
    counts.set(endpoint, (counts.get(endpoint) ?? 0) + calls);
  }
  return counts;
}

/** Milliseconds that these calls take at Klaviyo's limits for one endpoint. */
function leastTime(name: string, calls: number): number {
  const known = ENDPOINT_NAMES.find((endpoint) => endpoint === name);
  if (known === undefined) return 0;
  const { burst, steady } = endpointOf(known);
  const minutes = Math.floor(calls / steady);
  return minutes * 60_000 + Math.floor((calls % steady) / burst) * 1_000;
}

function sum(calls: Report['calls']): number {
  return calls.reduce((all, of) => all + of.calls, 0);
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
