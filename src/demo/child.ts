import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../runtime/config.js';
import { startServerProcess, type ServerProcess } from '../runtime/local/server-process.js';

const READY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 25;

/**
 * Starts `consentry <verb>` as a separate process and waits until it reports that it is ready.
 *
 * @returns the process and its `ready` event
 * @throws Error with the output of the process, if it ends or is silent for a minute
 */
export async function startVerb(
  args: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
  stateFolder: string,
): Promise<StartedProgram> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const entry = fileURLToPath(new URL(`../cli/start.${extension}`, import.meta.url));
  return startProgram(
    { label: `consentry ${args[0]}`, args: [entry, ...args, '--json'], environment },
    stateFolder,
  );
}

/** A process, and what it said when it was ready. */
export interface StartedProgram {
  readonly process: ServerProcess;
  readonly ready: Readonly<Record<string, unknown>>;
}

/** The same for any of our programs that reports `{"event":"ready", ...}` on a line of its own. */
export async function startProgram(
  {
    label,
    args,
    environment,
  }: {
    readonly label: string;
    readonly args: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
  },
  stateFolder: string,
): Promise<StartedProgram> {
  const child = await startServerProcess({
    label,
    file: process.execPath,
    args: [...process.execArgv, ...args],
    env: childEnvironment(environment),
    cwd: process.cwd(),
    stopSignal: 'SIGTERM',
    stateFolder,
  });
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const ready = readyEvent(child.output());
    if (ready !== null) return { process: child, ready };
    if (!child.running || Date.now() > deadline) {
      const how = child.running ? 'was not ready in time' : await child.ended;
      await child.stop();
      throw new Error(`${label} ${how}:\n${child.output()}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

function readyEvent(output: string): Readonly<Record<string, unknown>> | null {
  const line = output.split('\n').find((text) => text.startsWith('{"event":"ready"'));
  if (line?.endsWith('}') !== true) return null;
  return JSON.parse(line) as Readonly<Record<string, unknown>>;
}
