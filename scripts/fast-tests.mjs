import { dirname, join } from 'node:path';
import { DIST, readText } from './build-state.mjs';
import { ROOT } from './run-to-end.mjs';

/** A test that loads one of these starts a server, or runs something that needs one. */
const SERVERS = ['postgres/postgres', 'temporal/server'].map((name) =>
  join(DIST, 'src', 'runtime', 'local', `${name}.js`),
);

/** Tests that load none of these servers, but start another or a whole stack, or compute for long. */
const LONG = [
  'cli/verbs/dev',
  'connectors/mysql',
  'connectors/source-changed',
  'demo/export',
  'destinations/mysql',
  'destinations/mysql-failures',
  'fuzz/fuzz',
  'importers/extremes',
  'packages/pack',
  'workflows/long-waits/year',
].map(builtTest);

/** The built file of `ledger/plan`, a test of ours. */
export function builtTest(name) {
  return join('dist', 'test', `${name}.test.js`);
}

/**
 * The built test files that need no server and are fast. What a file needs is read from its
 * imports, so that a new test is included automatically.
 *
 * @param files paths below the repository
 */
export async function fastOnly(files) {
  const known = new Map();
  for (const path of [...SERVERS, ...LONG.map((name) => join(ROOT, name))]) {
    if ((await importsOf(path, known)) === null)
      throw new Error(`${path} does not exist any more: correct scripts/fast-tests.mjs`);
  }
  const fast = [];
  for (const file of files) {
    if (LONG.includes(file)) continue;
    const loaded = await loadedBy(join(ROOT, file), known);
    if (!SERVERS.some((server) => loaded.has(server))) fast.push(file);
  }
  return fast;
}

/** A module and all of our modules that it loads. */
async function loadedBy(module, known) {
  const loaded = new Set([module]);
  for (const path of loaded) {
    for (const imported of (await importsOf(path, known)) ?? []) loaded.add(imported);
  }
  return loaded;
}

/** Our modules that a module imports; null if it does not exist. */
async function importsOf(path, known) {
  if (!known.has(path)) {
    const text = await readText(path);
    const named = text?.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g);
    known.set(path, named ? Array.from(named, ([, to]) => join(dirname(path), to)) : null);
  }
  return known.get(path);
}
