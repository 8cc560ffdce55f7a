/** Compiles the sources into dist/ and bundles the workflows. Does only what has changed. */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import {
  digest,
  DIST,
  filesUnder,
  isTypeScript,
  markBuilt,
  PROJECTS,
  readText,
  SOURCES,
  sourcesFingerprint,
  sourcesOf,
} from './build-state.mjs';
import { ROOT } from './run-to-end.mjs';

// Taken first, so that a file saved while we compile makes the next start build again.
const fingerprint = await sourcesFingerprint();
// The compiler writes output even with errors, so dist counts as outdated until all is done.
await markBuilt(null);

let code = 0;
for (const project of PROJECTS) {
  code ||= await build(project);
}
if (code === 0) {
  await bundleWorkflows();
  await markBuilt(fingerprint);
}
process.exitCode = code;

/** @returns the compiler's exit code */
async function build(project) {
  const sources = await sourcesOf(project);
  await removeOrphanedOutputs(project, sources);
  const exitCode = await compile(project);
  if (exitCode === 0) await copyAssets(project, sources);
  return exitCode;
}

/** Removes outputs of deleted sources: a deleted test must not run any more. */
async function removeOrphanedOutputs(project, sources) {
  const dist = join(project, 'dist');
  const expected = new Set(sources.flatMap((source) => outputsOf(project, source)));
  const outputs = (await Promise.all(SOURCES.map((name) => filesUnder(join(dist, name))))).flat();
  await Promise.all(outputs.filter((path) => !expected.has(path)).map((path) => rm(path)));

  // The compiler remembers what it wrote and would not write missing files again.
  const there = new Set(outputs);
  if (![...expected].every((output) => there.has(output))) {
    await rm(join(dist, '.tsbuildinfo'), { force: true });
  }
}

function outputsOf(project, source) {
  const target = join(project, 'dist', relative(project, source));
  if (!isTypeScript(source)) return [target];
  if (source.endsWith('.d.ts')) return [];
  const stem = target.slice(0, -'.ts'.length);
  return [`${stem}.js`, `${stem}.js.map`, `${stem}.d.ts`];
}

function compile(project) {
  const require = createRequire(import.meta.url);
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  return new Promise((resolve, reject) => {
    const args = [tsc, '--project', join(project, 'tsconfig.json'), '--pretty', 'false'];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (exitCode) => resolve(exitCode ?? 1));
  });
}

/** Copies files beside the sources that are not TypeScript, such as files for tests. */
async function copyAssets(project, sources) {
  for (const source of sources) {
    if (isTypeScript(source)) continue;
    const [target] = outputsOf(project, source);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, target);
  }
}

/**
 * One file with all workflow code. Workers load it unchanged, so that no worker spends seconds on
 * bundling and all run the same code.
 */
async function bundleWorkflows() {
  const workflows = join(DIST, 'src', 'workflows', 'index.js');
  const bundle = join(DIST, 'workflow-bundle.js');
  const stamp = join(DIST, '.bundled');
  if (!(await exists(workflows))) {
    console.log('There is no src/workflows/index.ts, so there is no workflow bundle.');
    return;
  }
  const parts = ['workflows', 'contracts'].map((name) => filesUnder(join(DIST, 'src', name)));
  const inputs = (await Promise.all(parts)).flat().filter((path) => path.endsWith('.js'));
  const contents = await Promise.all(inputs.sort().map((path) => readFile(path, 'utf8')));
  const lock = await readFile(join(ROOT, 'package-lock.json'), 'utf8');
  const state = digest([...inputs, ...contents, lock].join('\0'));
  if ((await exists(bundle)) && (await readText(stamp)) === state) return;

  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const result = await bundleWorkflowCode({
    workflowsPath: workflows,
    workflowInterceptorModules: [join(dirname(workflows), 'run.js')],
    logger: new DefaultLogger('WARN'),
  });
  await writeFile(`${bundle}.new`, result.code);
  await rename(`${bundle}.new`, bundle);
  await writeFile(stamp, state);
}

function exists(path) {
  return stat(path).then(
    () => true,
    () => false,
  );
}
