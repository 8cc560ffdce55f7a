import { shortId } from '../../chance/chance.js';
import type { Settings } from '../../settings/options.js';
import { METRICS, type MetricName } from '../../store/events/event-store.js';

/** A metric as this account shows it. */
export interface Metric {
  /** Six letters and digits, different in every account. */
  readonly id: string;
  readonly metric: MetricName;
  /** The name that the account shows. */
  readonly name: string;
  /**
   * Epoch ms, a whole second: of its first event, or of the account's opening if it never fired.
   */
  readonly created: number;
}

/** Their names in older accounts. */
const OLD_SMS_NAMES: Partial<Record<MetricName, string>> = {
  'Subscribed to SMS Marketing': 'Consented to Receive SMS',
  'Unsubscribed from SMS Marketing': 'Unsubscribed from SMS',
};

/** Klaviyo's own metrics under the ids and names of this account. */
export class Metrics {
  readonly #first = new Map<MetricName, number>();
  readonly #ids: ReadonlyMap<MetricName, string>;
  readonly #names: ReadonlyMap<MetricName, string>;

  /** @param openedAt epoch ms */
  constructor(
    private readonly settings: Settings,
    private readonly openedAt: number,
  ) {
    const old = settings.account.oldSmsMetricNames ? OLD_SMS_NAMES : {};
    this.#names = new Map(METRICS.map((metric) => [metric, old[metric] ?? metric]));
    this.#ids = new Map(
      METRICS.map((metric) => [metric, shortId(settings.seed, 'metric', this.nameOf(metric))]),
    );
  }

  /** Call this when an event is written, at `now` in epoch ms. */
  fired(metric: MetricName, now: number): void {
    if (!this.#first.has(metric)) this.#first.set(metric, wholeSecond(now));
  }

  /** Metrics that the account has. The switch decides whether unfired ones are included. */
  all(): Metric[] {
    const { unfiredMetrics } = this.settings.switches;
    return METRICS.filter((it) => unfiredMetrics === 'listed' || this.#first.has(it)).map(
      (metric) => this.of(metric),
    );
  }

  of(metric: MetricName): Metric {
    return {
      id: this.idOf(metric),
      metric,
      name: this.nameOf(metric),
      created: this.#first.get(metric) ?? wholeSecond(this.openedAt),
    };
  }

  withId(id: string): Metric | undefined {
    return this.all().find((metric) => metric.id === id);
  }

  idOf(metric: MetricName): string {
    return this.#ids.get(metric)!;
  }

  nameOf(metric: MetricName): string {
    return this.#names.get(metric)!;
  }
}

const wholeSecond = (ms: number): number => Math.floor(ms / 1_000) * 1_000;
