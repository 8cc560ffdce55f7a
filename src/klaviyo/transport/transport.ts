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
  /** Aborting while anything but an answer is waited for sends nothing more. */
  readonly signal?: AbortSignal;
  /**
   * Whether aborting also ends a call that is on the wire. Default: reads yes, writes no, since a
   * write that was sent is better waited for (to its time-out at most) than left ambiguous.
   */
  readonly abortInFlight?: boolean;
  /**
   * Told by Klaviyo's clock when each call of the operation was under way whose answer is used: one a
   * page, and none of tries that failed. Null where no answer so far had a `Date`. Must not throw.
   */
  readonly onAnswer?: (times: CallTimes | null) => void;
  /** Leave for the call that was taken before: it is made at once. */
  readonly reservation?: Reservation;
}

/**
 * Leave to make one call of an endpoint now. Whoever has to check something just before a call takes it
 * first, so that no wait for the limiter comes in between. It goes to that call, or is released.
 */
export interface Reservation {
  readonly endpoint: EndpointName;
  /** No call is made after all; after a call it changes nothing. */
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

  /** Null where it was used or released. */
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
 * Sends one call at a time past pacing and limiter and turns what is not a success into errors. Reads
 * that get no usable answer are tried again here, writes never: they may have been carried out.
 */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #exchanges: Exchanges;
  readonly #pacing: EndpointPacing;
  readonly #clock = new KlaviyoClock();
  readonly #limits = new Map<EndpointName, RateLimitReading>();
  /** What the answers of an endpoint take as a rule, in ms. */
  readonly #usualMs = new Map<EndpointName, number>();

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.#exchanges = new Exchanges(settings);
    this.#pacing = new EndpointPacing(settings.patience);
  }

  close(): Promise<void> {
    return this.#exchanges.close();
  }

  /** What the endpoint's last answer said of its limits; null where none did. */
  rateLimits(endpoint: EndpointName): RateLimitReading | null {
    return this.#limits.get(endpoint) ?? null;
  }

  /** Klaviyo's time now; null while no answer had a `Date`. */
  now(): KlaviyoTime | null {
    return this.#clock.at(performance.now());
  }

  /** When an answered call was under way by Klaviyo's clock; null while no answer had a `Date`. */
  timesOf({ sentAt, endAt }: Answer): CallTimes | null {
    const [sent, answered] = [this.#clock.at(sentAt), this.#clock.at(endAt)];
    return sent && answered && { sentAt: sent, answeredAt: answered };
  }

  /** Waits as a call of the endpoint would. Throws as it would before it is made. */
  async reserve(endpoint: EndpointName, signal?: AbortSignal): Promise<Reservation> {
    return new HeldReservation(endpoint, await this.#admission(endpoint, signal));
  }

  /** Makes one write. Resolves with a 2xx answer; throws a `KlaviyoError` or `signal.reason`. */
  send(call: Call, options: CallOptions = {}): Promise<Answer> {
    return this.#try(call, options, this.#settings.timeoutMs, (answer) => answer);
  }

  /** Reads the JSON of a call; a GET without a usable answer is tried again a few times. */
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

  /** @param use takes what is needed from a 2xx answer, or throws that it cannot */
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

  /** Waits for pacing, then for the limiter: a call that has its grant must not wait any more. */
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
      // Those that waited for the limiter when the endpoint began to fail wait with the others.
      if (pass.holds()) return pass;
    }
  }

  /** Takes in what an answer says of clock and limits, and throws what is not a success. */
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

/** A page, such as a proxy's, is dated by the clock of whoever made it. */
function isKlaviyos(answer: Answer): boolean {
  const type = answer.header('content-type');
  return type === undefined || /\bjson\b/i.test(type);
}

function parseAnswer<T>(schema: z.ZodType<T>, endpoint: EndpointName, answer: Answer): T {
  const json = parseJson(answer.body);
  if (json === null) throw unreadableAnswer(endpoint, answer.status);
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return parsed.data;
  // A write has been taken, whatever its answer looks like.
  if (isWrite(endpoint)) throw unreadableAnswer(endpoint, answer.status);
  const issues = parsed.error.issues.slice(0, 3);
  throw new KlaviyoAnswerUnexpectedError(
    issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.code}`).join('; '),
    { endpoint, status: answer.status },
  );
}

/** Whether an endpoint that answered with this error works: a refusal is an answer as well. */
function verdictOf(error: unknown): 'worked' | 'failed' | 'undecided' {
  if (error instanceof KlaviyoUnavailableError) return 'failed';
  const decided =
    error instanceof KlaviyoError &&
    !(error instanceof KlaviyoKeyRefusedError) &&
    !(error instanceof KlaviyoScopeMissingError) &&
    !(error instanceof KlaviyoRateLimitedError);
  return decided ? 'worked' : 'undecided';
}

/** As the timer's, but rejects with `signal.reason`, as all that a caller can abort does. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
