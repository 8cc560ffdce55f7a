export const FAULT_KINDS = [
  '429',
  '500',
  '502',
  '503',
  'reset_before',
  'reset_after',
  'html',
  'truncated',
  'slow',
  'revoke_key',
  'delete_list',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * Something that goes wrong with the next matching requests.
 *
 * Nothing is carried out under `429`, `500`, `502`, `503`, `html` (a proxy's error page, status
 * 502) and `reset_before`; the request is carried out under `reset_after` (then the line is cut),
 * `truncated` (half the answer, then the line is cut) and `slow`. `revoke_key` refuses the key
 * from that request on; `delete_list` deletes `listId`, or every list, before the request is read.
 */
export interface Fault {
  /** Operation id (`bulk_subscribe_profiles`) or method and path; any request where absent. */
  endpoint?: string;
  kind: FaultKind;
  /** How many matching requests it hits. */
  times: number;
  /** Matching requests that pass unharmed first. @default 0 */
  after?: number;
  /** Seconds, for `429`. @default 1 */
  retryAfter?: number;
  /** Real milliseconds, for `slow`. @default 1000 */
  latencyMs?: number;
  listId?: string;
}

/** Faults in the order in which they were queued; a request meets the first that matches. */
export class FaultQueue {
  #queue: (Fault & { after: number })[] = [];

  /** @param endpoints operation ids, and methods with paths, that a fault can name */
  constructor(private readonly endpoints: ReadonlySet<string>) {}

  /** @throws RangeError naming the bad field */
  add(fault: Fault): void {
    if (fault.endpoint !== undefined && !this.endpoints.has(fault.endpoint)) {
      const known = [...this.endpoints].join(', ');
      throw new RangeError(`no operation "${fault.endpoint}"; known are ${known}`);
    }
    if (!FAULT_KINDS.includes(fault.kind)) {
      throw new RangeError(`kind must be one of ${FAULT_KINDS.join(', ')}; got ${fault.kind}`);
    }
    if (!Number.isInteger(fault.times) || fault.times < 1) {
      throw new RangeError(`times must be a whole number from 1, got ${fault.times}`);
    }
    this.#queue.push({ ...fault, after: fault.after ?? 0 });
  }

  clear(): void {
    this.#queue = [];
  }

  pending(): readonly Fault[] {
    return this.#queue;
  }

  /** Takes the fault that hits this request, if any. */
  take(endpoint: string, operation: string): Fault | undefined {
    for (const fault of this.#queue) {
      const matches =
        fault.endpoint === undefined || fault.endpoint === endpoint || fault.endpoint === operation;
      if (!matches) continue;
      if (fault.after > 0) {
        fault.after -= 1;
        continue;
      }
      fault.times -= 1;
      if (fault.times === 0) this.#queue = this.#queue.filter((other) => other !== fault);
      return fault;
    }
    return undefined;
  }
}
