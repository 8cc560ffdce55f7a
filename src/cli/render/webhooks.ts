import type { HookEvent } from '../../starter/webhooks/events.js';
import { counted } from './quantities.js';

/** An event, and how often the same was not said since it was said last. */
export type SaidEvent = HookEvent & { readonly more?: number };

const REFUSALS_EVERY_MS = 60_000;

/** Whoever reaches the port can make it refuse: the same refusal is said once a minute. */
export class SaidAgain {
  readonly #said = new Map<string, { at: number; more: number }>();

  /** Null if it is not to be said. */
  of(event: HookEvent, now: number = performance.now()): SaidEvent | null {
    if (event.event !== 'refused') return event;
    const key = `${event.status} ${event.why}`;
    const last = this.#said.get(key);
    if (last !== undefined && now - last.at < REFUSALS_EVERY_MS) {
      last.more += 1;
      return null;
    }
    this.#said.set(key, { at: now, more: 0 });
    return last === undefined || last.more === 0 ? event : { ...event, more: last.more };
  }
}

/** What a listener got or did, in one line. */
export function hookEventWords(event: SaidEvent): string {
  switch (event.event) {
    case 'received': {
      const { sync, events, fresh } = event;
      const what = `Told of ${counted(events, 'event')} for ${sync}`;
      if (fresh > 0) return `${what}, ${fresh} of them new: a run is wanted.`;
      return `${what}, none of them new: nothing is started.`;
    }
    case 'refused': {
      const more =
        event.more === undefined ? '' : ` So were ${event.more} more since the last such line.`;
      return `A request was refused with ${event.status}. ${event.why}${more}`;
    }
    case 'started':
      return `The run ${event.runId} of ${event.sync} reads what was told.`;
    case 'not_started':
      return `No run of ${event.sync} is started. ${event.why}`;
    case 'waiting':
      return event.why;
  }
}
