/**
 * Implements `npm run demo`, `npm test`, `npm run adversary`, `npm run syncs`, `npm run segments`, `npm run fuzz` and `npm run bench`:
 * from a bare clone to a running program in one command. Installs the packages and builds if needed, then runs the
 * program.
 *
 *   node scripts/bootstrap.mjs demo [options]   the demo
 *   node scripts/bootstrap.mjs test [paths]     the tests, all or those whose path matches
 *   node scripts/bootstrap.mjs adversary [--seeds N]   random scenarios, judged by the promises
 *   node scripts/bootstrap.mjs syncs [--seeds N]       random lives of an account that is synced, or a week of one
 *   node scripts/bootstrap.mjs segments [--days N]     random days of a segment that runs each hour
 *   node scripts/bootstrap.mjs fuzz [--runs N]         random inputs, counted by how they end
 *   node scripts/bootstrap.mjs bench [NAME]            a benchmark, or the list of them
 *   node scripts/bootstrap.mjs prepare          only installs and builds
 */
const NEEDED = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  console.error(
    `Consentry needs Node.js ${NEEDED.join('.')} or later, this is ${process.versions.node}. Install Node.js 22 or 24 from https://nodejs.org and start again.`,
  );
  process.exitCode = 1;
} else {
  // Loaded only now: an old Node.js would fail on the syntax before it could print the message above.
  const { prepare } = await import('./prepare.mjs');
  const { runToEnd } = await import('./run-to-end.mjs');
  const [verb, ...rest] = process.argv.slice(2);
  const programs = {
    demo: ['bin/consentry.mjs', 'demo', ...rest],
    test: ['scripts/run-tests.mjs', ...rest],
    adversary: ['--enable-source-maps', 'dist/test/adversary/campaign.js', ...rest],
    syncs: ['--enable-source-maps', 'dist/test/syncs/campaign.js', ...rest],
    segments: ['--enable-source-maps', 'dist/test/segments/campaign.js', ...rest],
    fuzz: ['--enable-source-maps', 'dist/test/fuzz/campaign.js', ...rest],
    bench: ['--enable-source-maps', 'dist/bench/index.js', ...rest],
    prepare: null,
  };
  if (!Object.hasOwn(programs, verb ?? '')) {
    console.error(`Give one of these commands: ${Object.keys(programs).join(', ')}.`);
    process.exitCode = 2;
  } else if (await prepare()) {
    const program = programs[verb];
    if (program) process.exitCode = await runToEnd(program);
  } else {
    process.exitCode = 1;
  }
}
