import type { Clock } from '../../time/clock.js';
import { delayWithin } from '../../settings/delays.js';
import type { Settings } from '../../settings/options.js';
import type { Scheduler } from '../../time/scheduler.js';
import { EventStore, type MetricName } from '../../store/events/event-store.js';
import { Metrics } from './metrics.js';

/** A change of consent or membership that Klaviyo keeps as an event. */
export interface Change {
  metric: MetricName;
  profile: number;
  /** Epoch ms; null for a change that happens now. */
  backdatedTo?: number | null;
  listId?: string | null;
}

/** Writes the subscription events, at once or late, as the switches say. */
export class Journal {
  readonly events = new EventStore();
  readonly metrics: Metrics;
  readonly #listeners: ((event: number) => void)[] = [];

  constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly scheduler: Scheduler,
  ) {
    this.metrics = new Metrics(settings, clock.wall());
  }

  /** Calls `listener` with the number of each event from now on. */
  onWritten(listener: (event: number) => void): void {
    this.#listeners.push(listener);
  }

  record({ metric, profile, backdatedTo = null, listId = null }: Change): void {
    const { seed, delays, switches } = this.settings;
    const backdated = switches.historicalEvents === 'backdated' ? backdatedTo : null;
    const time = backdated ?? this.clock.wall();
    const write = () => {
      const event = this.events.add({ metric, profile, time, listId });
      if (event === undefined) return;
      this.metrics.fired(metric, this.clock.wall());
      for (const listener of this.#listeners) listener(event);
    };
    if (switches.events === 'at_once') return write();
    const wait = delayWithin(delays.event, seed, 'event', metric, String(profile));
    this.scheduler.at(this.clock.in(wait), write);
  }
}
