import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone or the installed package. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Runs one of our Node programs in the foreground and returns its exit code, 128 + n for signal n
 * as in a shell. Ctrl-C reaches the program directly, so we only wait until it has stopped its
 * parts. Other signals reach only us and are passed on, all as SIGTERM: Node's test runner ends its
 * files only on that one.
 */
export function runToEnd(args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env });
    const wait = () => undefined;
    const passOn = () => child.kill('SIGTERM');
    process.on('SIGINT', wait);
    process.on('SIGTERM', passOn);
    process.on('SIGHUP', passOn);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', wait);
      process.off('SIGTERM', passOn);
      process.off('SIGHUP', passOn);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}
