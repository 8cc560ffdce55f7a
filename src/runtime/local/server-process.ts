import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startedAt } from '#file-lock';
import { forgetProcess, rememberProcess } from './process-records.js';

export interface ServerCommand {
  /** For messages: "PostgreSQL". */
  readonly label: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly account?: { readonly uid?: number; readonly gid?: number };
  /** Signal for an orderly shutdown. */
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  /** Folder of the record of the process, for a later start that has to clean up. */
  readonly stateFolder: string;
  /** A temporary folder that is not needed after the server has ended. */
  readonly temporaryFolder?: string | undefined;
}

export interface ServerProcess {
  readonly pid: number;
  readonly running: boolean;
  /** Settles when the process has ended, with a sentence that says how. */
  readonly ended: Promise<string>;
  /** The last lines that the server wrote. */
  output(): string;
  /** Lets this process end while the server runs; the watchdog then ends the server. */
  unref(): void;
  /** Ends the server: by its own signal, by SIGQUIT after `graceMs`, by SIGKILL 5 s later. */
  stop(graceMs?: number): Promise<void>;
}

const OUTPUT_KEPT = 8_000;
const KILL_AFTER_MS = 5_000;

/**
 * Starts a server that does not outlive this process: not if this process ends properly (`stop`),
 * nor if it is killed (a watchdog). If both fail, the next start ends it (the record).
 *
 * The server gets its own session, so that Ctrl-C in a terminal reaches only this process, which
 * stops the parts in order: a database that stops before its clients causes errors in their logs.
 */
export async function startServerProcess(command: ServerCommand): Promise<ServerProcess> {
  const child = spawn(command.file, command.args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...command.env },
    cwd: command.cwd,
    ...command.account,
  });
  const output = keepOutput(child);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      resolve(signal ? `was ended by ${signal}` : `ended with exit code ${String(code)}`),
    );
  });
  if (child.pid === undefined) {
    throw new Error(`${command.label} ${await ended} (${command.file})`);
  }
  const { pid } = child;
  let running = true;
  const watchdog = watch(pid, command.stopSignal);
  const cleaned = ended.then(async (how) => {
    running = false;
    watchdog?.kill('SIGKILL');
    await forgetProcess(command.stateFolder, pid);
    return how;
  });
  await rememberProcess(command.stateFolder, {
    label: command.label,
    child: { pid, startedAt: startedAt(pid) },
    stopSignal: command.stopSignal,
    temporaryFolder: command.temporaryFolder ?? null,
  });

  return {
    pid,
    get running() {
      return running;
    },
    ended: cleaned,
    output,
    unref() {
      child.unref();
      for (const stream of [child.stdout, child.stderr]) unrefStream(stream);
    },
    async stop(graceMs = 15_000) {
      if (running) await endChild(child, command.stopSignal, graceMs);
      await cleaned;
    },
  };
}

async function endChild(
  child: ChildProcess,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  child.ref();
  const gone = once(child, 'exit');
  for (const [step, wait] of [
    [signal, graceMs],
    ['SIGQUIT', KILL_AFTER_MS],
    ['SIGKILL', KILL_AFTER_MS],
  ] as const) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(step);
    if (await within(gone, wait)) return;
  }
}

async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const outcome = await Promise.race([
    promise.then(() => true),
    delay(ms, false, { signal: timer.signal }),
  ]);
  timer.abort();
  return outcome;
}

function keepOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-OUTPUT_KEPT);
    });
  }
  return () => text.trim();
}

/**
 * A shell that waits for the end of its standard input, which the system closes however this
 * process dies, and then ends the server. Windows has none; there only the record helps.
 */
function watch(pid: number, signal: ServerCommand['stopSignal']): ChildProcess | null {
  if (process.platform === 'win32') return null;
  const watchdog = spawn(
    '/bin/sh',
    ['-c', 'read -r _; kill -s "$2" "$1" 2>/dev/null', 'watchdog', String(pid), signal.slice(3)],
    { detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
  );
  // Without a shell there is only the record.
  watchdog.on('error', () => undefined);
  watchdog.unref();
  unrefStream(watchdog.stdin);
  return watchdog;
}

/** A child's pipes are sockets, but its types do not say so. */
function unrefStream(stream: unknown): void {
  if (stream instanceof Socket) stream.unref();
}
