import { shortId } from '../../chance/chance.js';
import type { FlowOptions } from '../../settings/options.js';
import type { Flow, Tag } from '../../store/flows-and-tags.js';
import { uuid } from '../../chance/uuid.js';

const STATUSES: readonly unknown[] = ['draft', 'manual', 'live'];

/** The account's flows and tags. They only label lists and segments: no flow ever runs. */
export class Labels {
  readonly #flows = new Map<string, Flow>();
  readonly #tags = new Map<string, Tag>();

  constructor(private readonly seed: number) {}

  /** @throws RangeError for a flow without a name, or of an unknown status */
  flows(given: readonly FlowOptions[], now: number): Flow[] {
    checkList('flows', given);
    return given.map((options) => this.#flow({ ...options }, now));
  }

  /** @throws RangeError for an invalid name */
  tags(names: readonly string[]): Tag[] {
    checkList('tags', names);
    return [...new Set(names)].map((name) => {
      checkName('tags: a tag', name);
      const tag = this.#tags.get(name) ?? { id: uuid(this.seed, 'tag', name), name };
      this.#tags.set(name, tag);
      return tag;
    });
  }

  #flow({ id, name, status = 'live', archived = false }: FlowOptions, now: number): Flow {
    checkName('flows: a flow', name);
    checkFlag('flows: archived', archived);
    if (!STATUSES.includes(status)) {
      throw new RangeError(`flows: status must be ${STATUSES.join(', ')}; got ${status}`);
    }
    const flowId = id ?? shortId(this.seed, 'flow', String(this.#flows.size));
    const known = this.#flows.get(flowId);
    if (known !== undefined) return known;
    const flow: Flow = { id: flowId, name, status, archived, created: now, updated: now };
    this.#flows.set(flowId, flow);
    return flow;
  }
}

function checkList(option: string, given: unknown): void {
  if (!Array.isArray(given)) throw new RangeError(`${option} must be an array`);
}

/** @throws RangeError for anything but a non-empty string */
export function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string' || name === '') throw new RangeError(`${what} needs a name`);
}

/** @throws RangeError for anything but true and false */
export function checkFlag(option: string, value: unknown): void {
  if (typeof value !== 'boolean') {
    throw new RangeError(`${option} must be true or false; got ${JSON.stringify(value)}`);
  }
}
