import { chance } from '../../chance/chance.js';
import type { Clock } from '../../time/clock.js';
import { checkEndpoint } from '../../settings/directive.js';
import { checkFault, isAbout, type Fault } from './fault.js';

interface Queued {
  fault: Fault;
  /** Seeds its random draws: faults are numbered as they come. */
  number: number;
  met: number;
  timesLeft: number;
  toPass: number;
  /** On the clock's `now`. */
  until: number;
}

/** Faults in the order in which they were queued; a request meets the first that matches. */
export class FaultQueue {
  #queue: Queued[] = [];
  #numbers = 0;

  /** @param endpoints operation ids, and methods with paths, that a fault can name */
  constructor(
    private readonly endpoints: ReadonlySet<string>,
    private readonly seed: number,
    private readonly clock: Clock,
  ) {}

  /** @throws RangeError naming the bad field */
  add(given: Fault): void {
    const fault = { ...checkFault(given) };
    checkEndpoint(fault.endpoint, this.endpoints);
    const endless = fault.share !== undefined || fault.forMs !== undefined;
    this.#numbers += 1;
    this.#queue.push({
      fault,
      number: this.#numbers,
      met: 0,
      timesLeft: fault.times ?? (endless ? Infinity : 1),
      toPass: fault.after ?? 0,
      until: fault.forMs === undefined ? Infinity : this.clock.in(fault.forMs),
    });
  }

  clear(): void {
    this.#queue = [];
  }

  /** Faults that can still hit, with the remaining `times` and `after`. */
  pending(): readonly Fault[] {
    this.#forgetSpent();
    return this.#queue.map(({ fault, timesLeft, toPass }) => ({
      ...fault,
      ...(timesLeft === Infinity ? {} : { times: timesLeft }),
      after: toPass,
    }));
  }

  /** Takes the fault that hits this request, if any. */
  take(endpoint: string, operation: string): Fault | undefined {
    this.#forgetSpent();
    const hit = this.#queue.find((queued) => this.#hits(queued, endpoint, operation));
    if (hit !== undefined) hit.timesLeft -= 1;
    return hit?.fault;
  }

  #hits(queued: Queued, endpoint: string, operation: string): boolean {
    const { fault } = queued;
    if (!isAbout(fault, endpoint, operation)) return false;
    if (queued.toPass > 0) {
      queued.toPass -= 1;
      return false;
    }
    queued.met += 1;
    if (fault.share === undefined) return true;
    return chance(this.seed, 'fault', String(queued.number), String(queued.met)) < fault.share;
  }

  #forgetSpent(): void {
    const now = this.clock.now();
    this.#queue = this.#queue.filter(({ timesLeft, until }) => timesLeft > 0 && now < until);
  }
}
