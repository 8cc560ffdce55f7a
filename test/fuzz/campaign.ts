/**
 * Gives random inputs to the importers, to mappings and to the client, and counts how they end.
 *
 *   npm run fuzz -- [--runs 20000] [--seed 1] [--only sources]
 */
import { parseArgs } from 'node:util';
import { isTarget, runFuzz, TARGETS } from './run.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const { only } = values;
if (only !== undefined && !isTarget(only)) {
  throw new RangeError(`--only is one of ${TARGETS.join(', ')}; got "${only}"`);
}
for (const target of only === undefined ? TARGETS : [only]) {
  const startedAt = Date.now();
  const { counts, slowestMs } = await runFuzz(target, Number(values.runs), Number(values.seed));
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${target}: ${values.runs} in ${seconds} s, the slowest ${slowestMs} ms`);
  console.table(Object.fromEntries([...counts].sort((a, b) => b[1] - a[1])));
}
