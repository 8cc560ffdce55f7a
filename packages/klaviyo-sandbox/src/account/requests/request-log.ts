import { isoDate } from '../../time/dates.js';

interface Counter {
  endpoint: string;
  statuses: Record<string, number>;
  first: number;
  last: number;
  profiles: number;
}

/** Counters of one endpoint. */
export interface EndpointCounts {
  /** Method and path template. */
  endpoint: string;
  operation: string;
  /** Answers by status; `reset_before` and `reset_after` if a fault cut the connection. */
  statuses: Readonly<Record<string, number>>;
  first_at: string;
  last_at: string;
  /** Profiles in the accepted requests. */
  profiles: number;
}

/** One row as sent in an accepted subscribe call, before anything was dropped or filtered. */
export interface CarriedRow {
  email: string | null;
  phone: string | null;
  /** `email`, `sms`, `whatsapp`, `push`. */
  channels: readonly string[];
}

export interface SubscribedLine {
  email: string | null;
  phone_number: string | null;
  channels: readonly string[];
  list_id: string | null;
  historical_import: boolean;
  custom_source: string | null;
  sent_at: string;
}

/** An accepted subscribe call. */
export interface SubscribeCall {
  rows: readonly CarriedRow[];
  listId: string | null;
  historical: boolean;
  customSource: string | null;
}

/** Rows of one call in columns, because a million of them are kept. */
interface CarriedCall extends Omit<SubscribeCall, 'rows'> {
  emails: (string | null)[];
  phones: (string | null)[];
  channels: (readonly string[])[];
  at: number;
}

/** Requests to the sandbox: counters, and everyone who was ever in a subscribe call. */
export class RequestLog {
  readonly #counters = new Map<string, Counter>();
  readonly #calls: CarriedCall[] = [];
  readonly #channelSets = new Map<string, readonly string[]>();

  /** @param endpoint method and path template @param operation Klaviyo's operation id */
  count(endpoint: string, operation: string, status: string, profiles: number): void {
    const now = Date.now();
    let counter = this.#counters.get(operation);
    if (counter === undefined) {
      counter = { endpoint, statuses: {}, first: now, last: now, profiles: 0 };
      this.#counters.set(operation, counter);
    }
    counter.statuses[status] = (counter.statuses[status] ?? 0) + 1;
    counter.last = now;
    counter.profiles += profiles;
  }

  carried({ rows, ...call }: SubscribeCall): void {
    this.#calls.push({
      ...call,
      emails: rows.map(({ email }) => email),
      phones: rows.map(({ phone }) => phone),
      channels: rows.map(({ channels }) => this.#shared(channels)),
      at: Date.now(),
    });
  }

  counters(): EndpointCounts[] {
    return [...this.#counters].map(([operation, counter]) => ({
      endpoint: counter.endpoint,
      operation,
      statuses: counter.statuses,
      first_at: isoDate(counter.first),
      last_at: isoDate(counter.last),
      profiles: counter.profiles,
    }));
  }

  clear(): void {
    this.#counters.clear();
    this.#calls.length = 0;
  }

  *subscribed(): Generator<SubscribedLine> {
    for (const call of this.#calls) {
      for (let i = 0; i < call.emails.length; i++) {
        yield {
          email: call.emails[i]!,
          phone_number: call.phones[i]!,
          channels: call.channels[i]!,
          list_id: call.listId,
          historical_import: call.historical,
          custom_source: call.customSource,
          sent_at: isoDate(call.at),
        };
      }
    }
  }

  #shared(channels: readonly string[]): readonly string[] {
    const key = channels.join();
    const shared = this.#channelSets.get(key) ?? channels;
    this.#channelSets.set(key, shared);
    return shared;
  }
}
