import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone or the installed package. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Runs a Node program of ours in the foreground and gives its exit code, 128 + n for signal n as a
 * shell does. Ctrl-C reaches the program by itself, so we only wait for it to stop its parts; other
 * signals reach us alone and are passed on, all as SIGTERM: Node's test runner ends its files on that
 * one only.
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
