import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { startedAt } from '#file-lock';

/** A module of src/runtime, as a program of its own can import it. */
export function runtimeModule(name: string): string {
  return JSON.stringify(new URL(`../../../src/runtime/${name}.js`, import.meta.url).href);
}

/** Runs an ES module given as text in a process of its own, from sources or built as we are. */
export function runModule(code: string): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, '--input-type=module', '-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** The first line that the process prints. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const [line, ...rest] = text.split('\n');
      if (rest.length > 0) resolve(line ?? '');
    });
    child.once('exit', (code) =>
      reject(new Error(`ended with ${String(code)} before it printed a line`)),
    );
  });
}

export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** A pid that no process has: its process was ours and was waited for. */
export async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  if (child.pid === undefined) throw new Error('no process');
  return child.pid;
}

/** Waits until the process is gone; fails after 10 s. */
export async function untilGone(pid: number): Promise<void> {
  for (let waited = 0; startedAt(pid) !== 'ended'; waited += 50) {
    if (waited > 10_000) throw new Error(`process ${pid} still runs`);
    await delay(50);
  }
}
