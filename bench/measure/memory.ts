import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const EVERY_MS = 500;
/** Most points of a result's curve. */
const POINTS = 200;

export interface MemorySample {
  readonly seconds: number;
  readonly megabytes: number;
}

/** Resident memory of a process over time. */
export class MemorySampler {
  readonly #samples: MemorySample[] = [];
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  #taking: Promise<void> | null = null;

  constructor(private readonly pid: number) {
    this.#timer = setInterval(() => {
      this.#taking ??= this.#take().finally(() => (this.#taking = null));
    }, EVERY_MS);
  }

  async stop(): Promise<MemorySample[]> {
    clearInterval(this.#timer);
    await this.#taking;
    return this.#samples;
  }

  async #take(): Promise<void> {
    const bytes = await residentBytes(this.pid);
    if (bytes === null) return;
    const seconds = (performance.now() - this.#began) / 1_000;
    this.#samples.push({ seconds: round(seconds), megabytes: round(bytes / 1e6) });
  }
}

/** Null if the process has ended, or the system does not say. */
export async function residentBytes(pid: number): Promise<number | null> {
  try {
    if (process.platform === 'linux') {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      return kilobytes(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]);
    }
    const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
    return kilobytes(stdout);
  } catch (error) {
    if (ENDED.includes((error as NodeJS.ErrnoException).code)) return null;
    throw error;
  }
}

/** Of `/proc`, and the exit code of `ps`, for a process that has ended. */
const ENDED: readonly unknown[] = ['ENOENT', 'ESRCH', 1];

const WARM_UP = 0.1;

/**
 * The last quarter's peak as a multiple of the first quarter's, after a tenth of the time to warm
 * up: 1 if memory is flat. Null for fewer than 20 samples.
 */
export function growthOf(samples: readonly MemorySample[]): number | null {
  if (samples.length < 20) return null;
  const warm = samples.slice(Math.ceil(samples.length * WARM_UP));
  const quarter = Math.floor(warm.length / 4);
  return highest(warm.slice(-quarter)) / highest(warm.slice(0, quarter));
}

/** Megabytes; null without samples. */
export function peakOf(samples: readonly MemorySample[]): number | null {
  return samples.length === 0 ? null : highest(samples);
}

function highest(samples: readonly MemorySample[]): number {
  return samples.reduce((peak, { megabytes }) => Math.max(peak, megabytes), 0);
}

/** At most 200 points, each the peak of its part of the time. */
export function curveOf(samples: readonly MemorySample[]): MemorySample[] {
  const size = Math.max(1, Math.ceil(samples.length / POINTS));
  return Array.from({ length: Math.ceil(samples.length / size) }, (_, n) => {
    const part = samples.slice(n * size, (n + 1) * size);
    return part.reduce((a, b) => (b.megabytes > a.megabytes ? b : a));
  });
}

function kilobytes(text: string | undefined): number | null {
  const value = Number.parseInt(text ?? '', 10);
  return Number.isNaN(value) ? null : value * 1_024;
}

const round = (value: number): number => Number(value.toFixed(1));
