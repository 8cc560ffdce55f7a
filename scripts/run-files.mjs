/**
 * Runs test files in the order in which they are given, several at once. `node --test` would sort
 * them by name. The files get Node's own options too.
 *
 *   node [--enable-source-maps ...] scripts/run-files.mjs [--test-name-pattern=guard] FILE...
 */
import { constants } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

/** Files mostly wait for servers: five at once take three quarters of two cores. */
const AT_ONCE = 5;

const { values, positionals } = parseArgs({
  options: { 'test-name-pattern': { type: 'string', multiple: true } },
  allowPositionals: true,
});
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    process.exitCode = 128 + constants.signals[signal];
    stopping.abort();
  });
}

run({
  files: positionals,
  concurrency: AT_ONCE,
  testNamePatterns: values['test-name-pattern'],
  signal: stopping.signal,
})
  .on('test:fail', () => (process.exitCode ||= 1))
  .compose(new spec())
  .pipe(process.stdout);
