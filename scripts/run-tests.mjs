/**
 * Runs the built tests against their own PostgreSQL and Temporal dev server.
 *
 *   node scripts/run-tests.mjs [--fast] [--node-option ...] [path ...]
 *
 * A path, such as test/ledger, selects the test files whose path contains it. --fast leaves out
 * tests that need a server or take long, and starts no server. --test-name-pattern=guard selects
 * tests by their names; other options go to Node.
 *
 * The sandboxes of all tests record their requests and answers. At the end, one more test compares
 * these with Klaviyo's specification, if that is beside the repository. Only after a whole run does
 * it require that every operation and every documented error occurred.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { filesUnder, PROJECTS } from './build-state.mjs';
import { fastOnly } from './fast-tests.mjs';
import { ROOT, runToEnd } from './run-to-end.mjs';
import { ordered } from './test-order.mjs';

/** Exit code of the test runner if a test failed; a higher code means that a signal ended it. */
const FAILED = 1;

/** How a test says where it failed. */
const NODE_OPTIONS = ['--enable-source-maps'];
const RUNNER = join('scripts', 'run-files.mjs');
const args = process.argv.slice(2);
const fast = args.includes('--fast');
const given = args.filter((arg) => arg.startsWith('-') && arg !== '--fast');
const patterns = given.filter((arg) => arg.startsWith('--test-name-pattern='));
const options = given.filter((arg) => !patterns.includes(arg));
const wanted = args.filter((arg) => !arg.startsWith('-')).map(asBuilt);
const AFTER_ALL = join('packages', 'klaviyo-sandbox', 'dist/test/contract/exchanges.test.js');
const built = PROJECTS.map((project) => filesUnder(join(project, 'dist', 'test')));
const all = (await Promise.all(built))
  .flat()
  .map((path) => relative(ROOT, path))
  .filter((path) => path.endsWith('.test.js') && path !== AFTER_ALL)
  .sort();
const found = all.filter(
  (path) => wanted.length === 0 || wanted.some((part) => path.includes(part)),
);
const files = fast ? await fastOnly(found) : await ordered(all, found);

if (files.length === 0) {
  console.error(`No test file matches ${args.join(' ') || 'dist/test'}.`);
  process.exitCode = 1;
} else {
  process.exitCode = await (fast ? withoutServers : withServers)(withExchanges);
}

/** Runs the tests, then the one about what their sandboxes recorded. */
async function withExchanges(env) {
  const folder = await mkdtemp(join(tmpdir(), 'consentry-exchanges-'));
  const run = [...NODE_OPTIONS, ...options, RUNNER];
  try {
    const code = await runToEnd([...run, ...patterns, ...files], {
      ...env,
      KLAVIYO_SANDBOX_EXCHANGES: folder,
    });
    if (code > FAILED) return code;
    const whole = code === 0 && args.length === 0;
    const contractCode = await runToEnd([...run, AFTER_ALL], {
      ...env,
      CONSENTRY_TEST_EXCHANGES: folder,
      ...(whole ? { CONSENTRY_TEST_EXCHANGES_WHOLE: '1' } : {}),
    });
    return code === 0 ? contractCode : code;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The path under dist/ of test/ledger/plan.test.ts or ./test/ledger. */
function asBuilt(path) {
  return path
    .replace(/^\.[\\/]/, '')
    .split(/[\\/]/)
    .join(sep)
    .replace(/\.ts$/, '.js');
}

function runtime(name) {
  return import(`../dist/src/runtime/${name}.js`);
}

/** The tests' environment, without the user's own database and cluster. */
async function testEnvironment(extra) {
  const { childEnvironment } = await runtime('config');
  const env = childEnvironment(extra);
  delete env.DATABASE_URL;
  return env;
}

async function withoutServers(work) {
  return work(await testEnvironment({}));
}

async function withServers(work) {
  const [{ loadConfig }, { userFolders }, { startDatabase }] = await Promise.all([
    runtime('config'),
    runtime('paths'),
    runtime('local/postgres/postgres'),
  ]);
  const [{ startTemporalServer }, { findTemporalCli }, { progressLines }] = await Promise.all([
    runtime('local/temporal/server'),
    runtime('local/temporal/cli'),
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
    const env = await testEnvironment({
      CONSENTRY_TEST_DATABASE_URL: database.url,
      CONSENTRY_TEST_TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_CLI_PATH: cli.path,
    });
    return await work(env);
  } finally {
    await lifecycle.stop();
  }
}
