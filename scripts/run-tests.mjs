/**
 * Runs the built tests against one PostgreSQL and one Temporal dev server of their own.
 *
 *   node scripts/run-tests.mjs [--node-option ...] [path ...]
 *
 * A path selects the test files that it is part of, such as test/ledger. Options go to Node's test
 * runner, such as --test-name-pattern=guard.
 */
import { join, relative, sep } from 'node:path';
import { DIST, filesUnder } from './build-state.mjs';
import { ROOT, runToEnd } from './run-to-end.mjs';

const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('-'));
const wanted = args.filter((arg) => !arg.startsWith('-')).map(asBuilt);
const files = (await filesUnder(join(DIST, 'test')))
  .map((path) => relative(ROOT, path))
  .filter((path) => path.endsWith('.test.js'))
  .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)))
  .sort();

if (files.length === 0) {
  console.error(`No test file matches ${args.join(' ') || 'dist/test'}.`);
  process.exitCode = 1;
} else {
  process.exitCode = await withServers((env) =>
    runToEnd(['--enable-source-maps', '--test', ...runnerOptions(), ...options, ...files], env),
  );
}

/** test/ledger/plan.test.ts or ./test/ledger, as it is called under dist/. */
function asBuilt(path) {
  return path
    .replace(/^\.[\\/]/, '')
    .split(/[\\/]/)
    .join(sep)
    .replace(/\.ts$/, '.js');
}

function runnerOptions() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  // Files wait for servers more than they compute; the option came with 20.10.
  const parallel = major > 20 || minor >= 10 ? ['--test-concurrency=2'] : [];
  return ['--test-reporter=spec', '--test-reporter-destination=stdout', ...parallel];
}

async function withServers(work) {
  const runtime = (name) => import(`../dist/src/runtime/${name}.js`);
  const [{ loadConfig, childEnvironment }, { userFolders }, { startDatabase }] = await Promise.all([
    runtime('config'),
    runtime('paths'),
    runtime('postgres'),
  ]);
  const [{ startTemporalServer }, { findTemporalCli }, { progressLines }] = await Promise.all([
    runtime('temporal-server'),
    runtime('temporal-cli'),
    runtime('progress'),
  ]);
  const { Lifecycle } = await runtime('lifecycle');

  // Never the user's own database and cluster: tests drop and cancel what they find.
  const given = loadConfig();
  const onProgress = progressLines(process.stderr);
  const folders = userFolders(given);
  const cli = await findTemporalCli({ config: given, folders, onProgress });
  const config = { ...given, temporal: { variables: {}, cliPath: cli.path } };
  const lifecycle = new Lifecycle();
  try {
    const database = await startDatabase({ databaseUrl: null, folders, keep: false });
    lifecycle.onStop('PostgreSQL', database.stop);
    const temporal = await startTemporalServer({
      config,
      folders,
      headless: true,
      dbFile: null,
      onProgress,
    });
    lifecycle.onStop('Temporal dev server', temporal.stop);
    const env = childEnvironment({
      CONSENTRY_TEST_DATABASE_URL: database.url,
      CONSENTRY_TEST_TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_CLI_PATH: cli.path,
    });
    delete env.DATABASE_URL;
    return await work(env);
  } finally {
    await lifecycle.stop();
  }
}
