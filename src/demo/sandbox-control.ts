import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type {
  EndpointCounts,
  Fault,
  MessageLine,
  SeedProfile,
  SubscribedLine,
  TruthLine,
} from 'klaviyo-sandbox';

const SEEDS_A_CALL = 5_000;

/** The sandbox's control API, used from another process. */
export class SandboxControl {
  constructor(private readonly url: string) {}

  async seed(profiles: Iterable<SeedProfile>): Promise<number> {
    let seeded = 0;
    let lines: string[] = [];
    const flush = async (): Promise<void> => {
      await this.#call('seed', { method: 'POST', body: lines.join('\n') });
      seeded += lines.length;
      lines = [];
    };
    for (const profile of profiles) {
      lines.push(JSON.stringify(profile));
      if (lines.length === SEEDS_A_CALL) await flush();
    }
    if (lines.length > 0) await flush();
    return seeded;
  }

  /** Adds so many generated people. */
  async generate(profiles: number): Promise<void> {
    await this.#call('generate', { method: 'POST', body: JSON.stringify({ profiles }) });
  }

  /** Lets somebody do something, such as `unsubscribe`: a control call that takes an address. */
  async act(what: 'unsubscribe' | 'suppress', email: string): Promise<void> {
    await this.#call(what, { method: 'POST', body: JSON.stringify({ email }) });
  }

  /** The current state of every profile. */
  truth(): Promise<TruthLine[]> {
    return this.#lines<TruthLine>('truth');
  }

  /** The same one by one: a million of them do not fit into one text. */
  async *eachTruth(): AsyncGenerator<TruthLine> {
    const { body } = await this.#call('truth');
    if (body === null) return;
    for await (const line of createInterface({ input: Readable.fromWeb(body) })) {
      if (line !== '') yield JSON.parse(line) as TruthLine;
    }
  }

  /** Double opt-in messages sent so far. */
  messages(): Promise<MessageLine[]> {
    return this.#lines<MessageLine>('messages');
  }

  /** Everybody in accepted subscribe calls, in the order of the calls. */
  subscribed(): Promise<SubscribedLine[]> {
    return this.#lines<SubscribedLine>('requests/subscribed');
  }

  /** The calls so far by endpoint, with their statuses. */
  async requests(): Promise<EndpointCounts[]> {
    const answer = await this.#call('requests');
    return ((await answer.json()) as { endpoints: EndpointCounts[] }).endpoints;
  }

  /** The number of people in accepted subscribe calls so far. */
  async subscribedCount(): Promise<number> {
    return (await this.requests())
      .filter(({ operation }) => operation === 'bulk_subscribe_profiles')
      .reduce((sum, { profiles }) => sum + profiles, 0);
  }

  /** Skips this much of Klaviyo's time: what is due until then is applied. */
  async advance(ms: number): Promise<void> {
    await this.#call('clock/advance', { method: 'POST', body: JSON.stringify({ ms }) });
  }

  async addFault(fault: Fault): Promise<void> {
    await this.#call('faults', { method: 'POST', body: JSON.stringify(fault) });
  }

  async clearFaults(): Promise<void> {
    await this.#call('faults', { method: 'DELETE' });
  }

  async #lines<T>(path: string): Promise<T[]> {
    const text = await (await this.#call(path)).text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T);
  }

  async #call(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await fetch(`${this.url}/sandbox/${path}`, init);
    if (answer.ok) return answer;
    throw new Error(
      `The sandbox refused /sandbox/${path}: ${answer.status} ${await answer.text()}`,
    );
  }
}
