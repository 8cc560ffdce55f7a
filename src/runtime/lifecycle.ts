import { setTimeout as delay } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type StopSignal = (typeof SIGNALS)[number];

interface Part {
  readonly name: string;
  readonly stop: () => Promise<void>;
  readonly withinMs: number;
}

/**
 * The parts that run in this process and have to be stopped: the last started is stopped first,
 * each within its own time, whatever the others do.
 */
export class Lifecycle {
  private readonly parts: Part[] = [];
  private stopping: Promise<void> | null = null;
  private release: (() => void) | null = null;

  /**
   * Registers how to stop a part that has just been started.
   *
   * @param withinMs after this the part is abandoned and named in the error; default 20 s
   */
  onStop(name: string, stop: () => Promise<void>, withinMs = 20_000): void {
    this.parts.push({ name, stop, withinMs });
  }

  /**
   * Stops everything once; further calls wait for the same stop.
   *
   * @throws AggregateError naming each part that did not stop properly
   */
  stop(): Promise<void> {
    this.stopping ??= this.stopParts();
    return this.stopping;
  }

  /**
   * From now on SIGINT (Ctrl-C), SIGTERM and SIGHUP stop everything and end the process with that
   * signal. A second one ends it at once.
   *
   * @param onSignal called with the first signal, to say that the parts are being stopped
   */
  stopOnSignals(onSignal: (signal: StopSignal) => void = () => undefined): void {
    if (this.release) return;
    let first = true;
    const handle = (signal: StopSignal): void => {
      if (!first) return this.endBy(signal);
      first = false;
      onSignal(signal);
      this.stop()
        .catch((error: unknown) => process.stderr.write(`${describe(error)}\n`))
        .finally(() => this.endBy(signal));
    };
    for (const signal of SIGNALS) process.on(signal, handle);
    this.release = () => {
      for (const signal of SIGNALS) process.off(signal, handle);
    };
  }

  /** Ending by the signal itself tells a shell or a supervisor the real reason. */
  private endBy(signal: StopSignal): void {
    this.release?.();
    process.kill(process.pid, signal);
  }

  private async stopParts(): Promise<void> {
    const failures: Error[] = [];
    for (let part = this.parts.pop(); part; part = this.parts.pop()) {
      try {
        await bounded(part);
      } catch (error) {
        failures.push(new Error(`${part.name} did not stop: ${describe(error)}`, { cause: error }));
      }
    }
    this.release?.();
    this.release = null;
    if (failures.length > 0) {
      throw new AggregateError(failures, failures.map((failure) => failure.message).join('\n'));
    }
  }
}

async function bounded({ stop, withinMs }: Part): Promise<void> {
  const timer = new AbortController();
  const late = delay(withinMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`it took longer than ${withinMs} ms`);
  });
  try {
    await Promise.race([stop(), late]);
  } finally {
    timer.abort();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
