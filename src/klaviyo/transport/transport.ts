import { setTimeout as delay } from 'node:timers/promises';
import type * as z from 'zod';
import { isWrite, type EndpointName } from '../endpoints.js';
import {
  KlaviyoAnswerUnexpectedError,
  KlaviyoError,
  KlaviyoKeyRefusedError,
  KlaviyoRateLimitedError,
  KlaviyoScopeMissingError,
  KlaviyoUnavailableError,
} from '../errors.js';
import { parseJson } from '../json-api.js';
import type { RateLimiter } from '../limiter.js';
import { EndpointPacing, type Pass } from './endpoint-pacing.js';
import { errorOfAnswer, unreadableAnswer, type Answer } from './error-mapping.js';
import { encodeBody, Exchanges, type Call, type ExchangeSettings } from './exchange.js';
import { KlaviyoClock, type CallTimes, type KlaviyoTime } from './klaviyo-clock.js';
import type { Patience } from './patience.js';
import { readRateLimits, type RateLimitReading } from './rate-limit-headers.js';
import { FIRST_USUAL_MS, timeoutOfTry, usualAfter, waitBeforeRetry } from './read-retries.js';

export interface CallOptions {
  /** Aborting before the call is sent means that it is not sent. */
  readonly signal?: AbortSignal;
  /**
   * Whether aborting also ends a call that was already sent. Default: yes for reads, no for writes,
   * since waiting for a sent write (at most until its time-out) is better than an ambiguous end.
   */
  readonly abortInFlight?: boolean;
  /**
   * Called with the times, by Klaviyo's clock, of each call whose answer is used: one per page,
   * none for failed tries. Null if no answer so far had a `Date`. Must not throw.
   */
  readonly onAnswer?: (times: CallTimes | null) => void;
  /** A reservation made before: the call is made at once. */
  readonly reservation?: Reservation;
}

/**
 * Permission to make one call of an endpoint now. A caller that has to check something just before
 * a call reserves it first, so that no wait for the limiter comes in between. It is passed to that
 * call, or released.
 */
export interface Reservation {
  readonly endpoint: EndpointName;
  /** For when no call is made after all; does nothing after a call. */
  release(): void;
}

/** The transport's own, with its pass. */
class HeldReservation implements Reservation {
  #pass: Pass | null;

  constructor(
    readonly endpoint: EndpointName,
    pass: Pass,
  ) {
    this.#pass = pass;
  }

  /** Null if it was used or released. */
  take(): Pass | null {
    const pass = this.#pass;
    this.#pass = null;
    return pass;
  }

  release(): void {
    this.take()?.end('undecided');
  }
}

export interface TransportSettings extends ExchangeSettings {
  readonly limiter: RateLimiter;
  readonly patience: Patience;
}

/**
 * Sends each call through pacing and limiter, and turns answers that are no success into errors.
 * Reads without a usable answer are retried here, writes never: they may have been applied.
 */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #exchanges: Exchanges;
  readonly #pacing: EndpointPacing;
  readonly #clock = new KlaviyoClock();
  readonly #limits = new Map<EndpointName, RateLimitReading>();
  /** How long the answers of an endpoint usually take, in ms. */
  readonly #usualMs = new Map<EndpointName, number>();

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.#exchanges = new Exchanges(settings);
    this.#pacing = new EndpointPacing(settings.patience);
  }

  close(): Promise<void> {
    return this.#exchanges.close();
  }

  /** What the endpoint's last answer said about its limits; null if none did. */
  rateLimits(endpoint: EndpointName): RateLimitReading | null {
    return this.#limits.get(endpoint) ?? null;
  }

  /** Klaviyo's current time; null while no answer had a `Date`. */
  now(): KlaviyoTime | null {
    return this.#clock.at(performance.now());
  }

  /** When an answered call was under way, by Klaviyo's clock; null while no answer had a `Date`. */
  timesOf({ sentAt, endAt }: Answer): CallTimes | null {
    const [sent, answered] = [this.#clock.at(sentAt), this.#clock.at(endAt)];
    return sent && answered && { sentAt: sent, answeredAt: answered };
  }

  /** Waits, and throws, as a call of the endpoint does before it is sent. */
  async reserve(endpoint: EndpointName, signal?: AbortSignal): Promise<Reservation> {
    return new HeldReservation(endpoint, await this.#admission(endpoint, signal));
  }

  /** Makes one write. Resolves with a 2xx answer; throws a `KlaviyoError` or `signal.reason`. */
  send(call: Call, options: CallOptions = {}): Promise<Answer> {
    return this.#try(call, options, this.#settings.timeoutMs, (answer) => answer);
  }

  /** Reads the JSON of a call; a GET without a usable answer is retried a few times. */
  async read<T>(schema: z.ZodType<T>, call: Call, options: CallOptions = {}): Promise<T> {
    const { timeoutMs, patience } = this.#settings;
    const parse = (answer: Answer) => parseAnswer(schema, call.endpoint, answer);
    if (isWrite(call.endpoint)) return this.#try(call, options, timeoutMs, parse);
    for (let tryNumber = 1; ; tryNumber += 1) {
      try {
        const usualMs = this.#usualMs.get(call.endpoint);
        const withinMs = timeoutOfTry(tryNumber, patience.tries, timeoutMs, usualMs);
        return await this.#try(call, options, withinMs, parse);
      } catch (error) {
        const waitMs = waitBeforeRetry(error, tryNumber, patience);
        if (waitMs === null) throw error;
        await pause(waitMs, options.signal);
      }
    }
  }

  /** @param use extracts what is needed from a 2xx answer, or throws */
  async #try<T>(
    call: Call,
    options: CallOptions,
    timeoutMs: number,
    use: (answer: Answer) => T,
  ): Promise<T> {
    const { endpoint } = call;
    const { signal, abortInFlight = !isWrite(endpoint) } = options;
    const body = encodeBody(call);
    const reserved = options.reservation instanceof HeldReservation ? options.reservation : null;
    const pass =
      (reserved?.endpoint === endpoint ? reserved.take() : null) ??
      (await this.#admission(endpoint, signal));
    try {
      const bounds = { timeoutMs, signal, abortInFlight };
      const answer = await this.#exchanges.make(call, body, bounds);
      await this.#learn(endpoint, answer);
      const result = use(answer);
      pass.end('worked');
      const usualMs = this.#usualMs.get(endpoint) ?? FIRST_USUAL_MS;
      this.#usualMs.set(endpoint, usualAfter(usualMs, answer.endAt - answer.sentAt));
      options.onAnswer?.(this.timesOf(answer));
      return result;
    } catch (error) {
      const retryAfterMs = error instanceof KlaviyoUnavailableError ? error.retryAfterMs : null;
      pass.end(verdictOf(error), retryAfterMs);
      throw error;
    }
  }

  /** Waits for pacing, then for the limiter: a call granted by the limiter must not wait any more. */
  async #admission(endpoint: EndpointName, signal: AbortSignal | undefined): Promise<Pass> {
    for (;;) {
      const pass = await this.#pacing.enter(endpoint, signal);
      try {
        signal?.throwIfAborted();
        await this.#settings.limiter.acquire(endpoint, signal);
        signal?.throwIfAborted();
      } catch (error) {
        pass.end('undecided');
        throw error;
      }
      // Calls that waited for the limiter when the endpoint began to fail wait with the others.
      if (pass.holds()) return pass;
    }
  }

  /** Learns clock and limits from an answer, and throws unless it is a success. */
  async #learn(endpoint: EndpointName, answer: Answer): Promise<void> {
    const { limiter } = this.#settings;
    if (isKlaviyos(answer)) {
      this.#clock.observe(answer.header('date'), answer.sentAt, answer.headAt);
    }
    const limits = readRateLimits(answer.header);
    if (limits !== null) {
      this.#limits.set(endpoint, limits);
      limiter.learn?.(endpoint, limits);
    }
    if (answer.status >= 200 && answer.status < 300) return;
    const error = errorOfAnswer(endpoint, answer, this.#exchanges.shownUrl);
    if (!(error instanceof KlaviyoRateLimitedError)) throw error;
    const { retryAfterMs } = error;
    try {
      await limiter.penalise(endpoint, retryAfterMs);
    } catch (cause) {
      throw new KlaviyoRateLimitedError({ endpoint, retryAfterMs }, { cause });
    }
    throw error;
  }
}

/** The `Date` of a page that is not Klaviyo's, such as a proxy's, comes from another clock. */
function isKlaviyos(answer: Answer): boolean {
  const type = answer.header('content-type');
  return type === undefined || /\bjson\b/i.test(type);
}

function parseAnswer<T>(schema: z.ZodType<T>, endpoint: EndpointName, answer: Answer): T {
  const json = parseJson(answer.body);
  if (json === null) throw unreadableAnswer(endpoint, answer.status);
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return parsed.data;
  // A write has been accepted, whatever its answer looks like.
  if (isWrite(endpoint)) throw unreadableAnswer(endpoint, answer.status);
  const issues = parsed.error.issues.slice(0, 3);
  throw new KlaviyoAnswerUnexpectedError(
    issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.code}`).join('; '),
    { endpoint, status: answer.status },
  );
}

/** Whether the endpoint works, given this error: a refusal is an answer too. */
function verdictOf(error: unknown): 'worked' | 'failed' | 'undecided' {
  if (error instanceof KlaviyoUnavailableError) return 'failed';
  const decided =
    error instanceof KlaviyoError &&
    !(error instanceof KlaviyoKeyRefusedError) &&
    !(error instanceof KlaviyoScopeMissingError) &&
    !(error instanceof KlaviyoRateLimitedError);
  return decided ? 'worked' : 'undecided';
}

/** Like the timer's, but rejects with `signal.reason`, as everything does that a caller can abort. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
