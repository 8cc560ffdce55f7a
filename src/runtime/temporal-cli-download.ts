import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { childEnvironment } from './config.js';

/**
 * The SDK can only download and start in one: the server is stopped again at once. It runs in a
 * process of its own, because it cannot be interrupted, and because it would install the SDK's
 * `Runtime`, which a process can do only once and with our logger.
 */
const SCRIPT = `
  const { TestWorkflowEnvironment } = require(process.argv[1]);
  const [, , version, downloadDir] = process.argv;
  TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', version, downloadDir } },
  }).then((env) => env.teardown()).catch((error) => {
    process.stderr.write(String(error.message ?? error));
    process.exitCode = 1;
  });
`;

/** A closed network may swallow packets; so much time without a single byte is the end of it. */
const STALLED_AFTER_MS = 20_000;
const LOOK_EVERY_MS = 500;

/**
 * Lets the Temporal SDK download the CLI into `folder`. Fails at once where the host's name is not
 * found, and after 20 s in which nothing arrived.
 */
export async function downloadTemporalCli(
  version: string,
  folder: string,
): Promise<{ path: string } | { failure: string }> {
  const testing = createRequire(import.meta.url).resolve('@temporalio/testing');
  const child = spawn(process.execPath, ['-e', SCRIPT, testing, version, folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: childEnvironment(),
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (code) => resolve(code));
  });

  let bytes = 0;
  let arrivedAt = Date.now();
  let stalled = false;
  const timer = setInterval(() => {
    void sizeOf(folder).then((now) => {
      if (now !== bytes) arrivedAt = Date.now();
      bytes = now;
      stalled = Date.now() - arrivedAt > STALLED_AFTER_MS;
      if (stalled) child.kill('SIGKILL');
    });
  }, LOOK_EVERY_MS);
  const code = await ended;
  clearInterval(timer);

  if (stalled) return { failure: `nothing arrived for ${STALLED_AFTER_MS / 1000} s` };
  const [name] = (await readdir(folder)).filter((entry) => !entry.endsWith('.downloading'));
  if (code === 0 && name !== undefined) return { path: join(folder, name) };
  return { failure: output.trim().split('\n')[0] || `exit code ${String(code)}` };
}

/** Bytes of all files in the folder; 0 when it goes away meanwhile. */
async function sizeOf(folder: string): Promise<number> {
  try {
    const names = await readdir(folder);
    const sizes = await Promise.all(
      names.map(async (name) => (await stat(join(folder, name))).size),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}
