import { chance } from '../chance/chance.js';
import { checkEndpoint, readDirective, valueOf } from './directive.js';

/** How long answers take: real milliseconds, which `speed` does not shorten. */
export type Latency = {
  /** Operation id or method and path. @default any request */
  endpoint?: string;
} & (
  | { kind: 'constant'; ms: number }
  | { kind: 'uniform'; from: number; to: number }
  /** Given by its median and its 95th percentile. */
  | { kind: 'lognormal'; p50: number; p95: number }
);

const NUMBERS = {
  constant: ['ms'],
  uniform: ['from', 'to'],
  lognormal: ['p50', 'p95'],
} as const;

/**
 * Reads `constant:ms=200`, `uniform:from=50,to=400` or `lognormal:p50=300,p95=900`, each with an
 * operation before the numbers if it only applies to that one: `constant:get_profiles:ms=600`. A
 * leading `latency=` is allowed.
 *
 * @throws RangeError naming the bad field
 */
export function parseLatency(text: string): Latency {
  const { kind, endpoint, fields } = readDirective(text.trim().replace(/^latency=/, ''));
  const numbers = [...fields].map(([name, value]) => [name, valueOf(value)]);
  return checkLatency({
    ...(endpoint === undefined ? {} : { endpoint }),
    kind,
    ...(Object.fromEntries(numbers) as Record<string, unknown>),
  });
}

/** @throws RangeError naming the bad field */
export function checkLatency(given: unknown): Latency {
  const latency = given as Partial<Record<string, unknown>> & { kind?: string };
  if (typeof given !== 'object' || given === null || !isKind(latency.kind)) {
    const kinds = Object.keys(NUMBERS).join(', ');
    throw new RangeError(`latency kind must be one of ${kinds}; got ${String(latency?.kind)}`);
  }
  const names: readonly string[] = NUMBERS[latency.kind];
  const unknown = Object.keys(latency).find(
    (name) => name !== 'kind' && name !== 'endpoint' && !names.includes(name),
  );
  if (unknown !== undefined) {
    throw new RangeError(`latency ${latency.kind} has no "${unknown}", only ${names.join(', ')}`);
  }
  for (const name of names) {
    const ms = latency[name];
    const least = latency.kind === 'lognormal' ? Number.MIN_VALUE : 0;
    if (typeof ms !== 'number' || !(ms >= least) || !Number.isFinite(ms)) {
      const range = least === 0 ? 'from 0' : 'more than 0';
      throw new RangeError(`latency ${name} must be milliseconds, ${range}; got ${String(ms)}`);
    }
  }
  const [low, high] = names.map((name) => latency[name] as number);
  if (high !== undefined && low! > high) {
    throw new RangeError(
      `latency ${names[0]} (${low}) must not be more than ${names[1]} (${high})`,
    );
  }
  return given as Latency;
}

const isKind = (kind: string | undefined): kind is Latency['kind'] =>
  kind !== undefined && Object.hasOwn(NUMBERS, kind);

/** The latency of every request, by seeded randomness. */
export class Latencies {
  #all: readonly Latency[] = [];
  #drawn = 0;

  /** @param endpoints operation ids, and methods with paths, that a latency can name */
  constructor(
    private readonly seed: number,
    private readonly endpoints: ReadonlySet<string>,
  ) {}

  /**
   * Replaces all; if several match a request, the first counts.
   * @throws RangeError naming the bad field
   */
  set(latencies: readonly Latency[]): void {
    for (const latency of latencies) checkEndpoint(checkLatency(latency).endpoint, this.endpoints);
    this.#all = latencies;
  }

  /** Milliseconds for the next request to this endpoint. */
  next(endpoint: string, operation: string): number {
    const latency = this.#all.find(
      ({ endpoint: of }) => of === undefined || of === endpoint || of === operation,
    );
    if (latency === undefined) return 0;
    this.#drawn += 1;
    const draw = (name: string) => chance(this.seed, 'latency', name, String(this.#drawn));
    return msOf(latency, draw);
  }
}

/** 95 of 100 draws of the normal distribution stay under this many standard deviations. */
const NORMAL_P95 = 1.6449;

function msOf(latency: Latency, draw: (name: string) => number): number {
  if (latency.kind === 'constant') return latency.ms;
  if (latency.kind === 'uniform') return latency.from + (latency.to - latency.from) * draw('share');
  const deviation = Math.log(latency.p95 / latency.p50) / NORMAL_P95;
  // Box–Muller: 1 - draw, because 0 has no logarithm.
  const radius = Math.sqrt(-2 * Math.log(1 - draw('radius')));
  return latency.p50 * Math.exp(deviation * radius * Math.cos(2 * Math.PI * draw('angle')));
}
