/**
 * Installs the packages and builds, each only if needed. Plain Node without dependencies. Prints
 * nothing if there is nothing to do.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isBuilt } from './build-state.mjs';
import { withFileLock } from './file-lock.mjs';
import { ROOT } from './run-to-end.mjs';

/** @returns {Promise<boolean>} whether the program can run; if not, the reason was printed */
export async function prepare() {
  if ((await isInstalled()) && (await isBuilt())) return true;
  return withFileLock(
    join(ROOT, 'dist', '.prepare.lock'),
    async () => {
      if (!(await isInstalled()) && !(await step('Installing packages', npm()))) return false;
      if (!(await isBuilt()) && !(await step('Building', [process.execPath, 'scripts/build.mjs'])))
        return false;
      return true;
    },
    { onWait: (pid) => say(`Waiting for process ${pid}, which is installing or building\n`) },
  );
}

/**
 * npm writes what it installed to `node_modules/.package-lock.json` as its last step, so an
 * interrupted installation has no such file. Versions are compared, not times: a checkout, a copy
 * or `npm install` changes times without a need to install again.
 */
async function isInstalled() {
  const wanted = await readJson(join(ROOT, 'package-lock.json'));
  const installed = await readJson(join(ROOT, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted.packages).every(([path, { version, optional }]) => {
    const found = installed.packages[path];
    // Optional packages of other platforms are left out.
    return path === '' || (found ? found.version === version : optional === true);
  });
}

async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * The npm that started us, else the one on the PATH, with the arguments that install everything
 * needed to build and run.
 */
function npm() {
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const running = process.env.npm_execpath;
  return running?.endsWith('npm-cli.js')
    ? [process.execPath, running, ...args]
    : [process.platform === 'win32' ? 'npm.cmd' : 'npm', ...args];
}

/** Prints nothing on success, and the program's whole output on failure. */
async function step(title, [file, ...args]) {
  const begun = Date.now();
  const seconds = () => `${((Date.now() - begun) / 1000).toFixed(1)} s`;
  const line = `${title} ...`;
  say(line);
  const counter = process.stderr.isTTY
    ? setInterval(() => say(`\r${line} ${seconds()} `), 250)
    : null;
  const { failure, output } = await run(file, args);
  if (counter) clearInterval(counter);
  say(`${counter ? `\r${line}` : ''} ${failure === null ? seconds() : 'failed'}   \n`);
  if (failure !== null) say(`${output.trimEnd()}\n${title} failed: ${failure}.\n`);
  return failure === null;
}

function run(file, args) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: file.endsWith('.cmd'),
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => (output += chunk));
    }
    // Ctrl-C reaches npm or the compiler directly; then we end too, and free the lock.
    const stop = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
    const settle = (failure) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, stop);
      resolve({ failure, output });
    };
    child.once('error', (error) => settle(error.message));
    child.once('close', (code, signal) => {
      settle(code === 0 ? null : signal ? `ended by ${signal}` : `exit code ${code}`);
    });
  });
}

/** Writes to stderr: a verb's result on stdout may be piped into another program. */
function say(text) {
  process.stderr.write(text);
}
