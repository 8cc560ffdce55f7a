import { Pool, type Dispatcher } from 'undici';
import type * as z from 'zod';
import { endpointOf, isWrite, type EndpointName } from './endpoints.js';
import {
  errorOfAnswer,
  errorOfConnection,
  timedOut,
  unreadableAnswer,
  type Answer,
} from './error-mapping.js';
import {
  KlaviyoAnswerUnexpectedError,
  KlaviyoRateLimitedError,
  KlaviyoRequestInvalidError,
} from './errors.js';
import { parseJson } from './json-api.js';
import type { RateLimiter } from './limiter.js';
import { readRateLimits, type RateLimitReading } from './rate-limit-headers.js';

/** One HTTP call, for metrics: no address, no id. */
export interface CallRecord {
  readonly endpoint: EndpointName;
  /** HTTP status; null where no answer came. */
  readonly status: number | null;
  /** From handing the request to the connection pool to the end of the answer, without the limiter. */
  readonly durationMs: number;
}

export interface CallOptions {
  /** Aborting while the limiter or a connection is waited for sends nothing. */
  readonly signal?: AbortSignal;
  /**
   * Whether aborting also ends a call that is on the wire. Default: reads yes, writes no, since a
   * write that was sent is better waited for (to its time-out at most) than left ambiguous.
   */
  readonly abortInFlight?: boolean;
}

/** Path and query of a call, e.g. `/api/lists?page%5Bsize%5D=10`, and the body of a write. */
export interface Call {
  readonly endpoint: EndpointName;
  readonly target: string;
  readonly body?: unknown;
}

export interface TransportSettings {
  readonly apiKey: string;
  readonly baseUrl: URL;
  readonly limiter: RateLimiter;
  readonly onCall: ((call: CallRecord) => void) | undefined;
  readonly timeoutMs: number;
  readonly revision: string;
  readonly betaRevision: string;
  readonly userAgent: string;
}

/** "Max payload 5 MB" for every endpoint. */
const MAX_BODY_BYTES = 5_000_000;

/** More than the 75 calls a second of the busiest endpoint keep open at 0.6 s each. */
const MAX_CONNECTIONS = 128;

const TIMED_OUT = Symbol('timed out');

/** Sends one call at a time through the limiter and turns what is not a success into errors. */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #pool: Pool;
  readonly #limits = new Map<EndpointName, RateLimitReading>();
  /** The base URL as it may be shown. */
  readonly #shownUrl: string;

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.#shownUrl = settings.baseUrl.href.replace(/\/$/, '');
    this.#pool = new Pool(settings.baseUrl.origin, {
      connections: MAX_CONNECTIONS,
      connect: { timeout: settings.timeoutMs },
      // The one time-out over connecting, sending and reading is the transport's own.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** What the endpoint's last answer said of its limits; null where none did. */
  rateLimits(endpoint: EndpointName): RateLimitReading | null {
    return this.#limits.get(endpoint) ?? null;
  }

  /** Makes one call. Resolves with a 2xx answer; throws a `KlaviyoError` or `signal.reason`. */
  async send(call: Call, options: CallOptions = {}): Promise<Answer> {
    const { endpoint } = call;
    const { limiter } = this.#settings;
    const body = encodeBody(call);
    options.signal?.throwIfAborted();
    await limiter.acquire(endpoint, options.signal);
    options.signal?.throwIfAborted();

    const answer = await this.#exchange(call, body, options);
    const limits = readRateLimits(answer.header);
    if (limits !== null) {
      this.#limits.set(endpoint, limits);
      limiter.learn?.(endpoint, limits);
    }
    if (answer.status >= 200 && answer.status < 300) return answer;

    const error = errorOfAnswer(endpoint, answer, this.#shownUrl);
    if (!(error instanceof KlaviyoRateLimitedError)) throw error;
    const { retryAfterMs } = error;
    try {
      await limiter.penalise(endpoint, retryAfterMs);
    } catch (cause) {
      throw new KlaviyoRateLimitedError({ endpoint, retryAfterMs }, { cause });
    }
    throw error;
  }

  /** Makes one call and reads its JSON. */
  async read<T>(schema: z.ZodType<T>, call: Call, options?: CallOptions): Promise<T> {
    const answer = await this.send(call, options);
    const json = parseJson(answer.body);
    if (json === null) throw unreadableAnswer(call.endpoint, answer.status);
    const parsed = schema.safeParse(json.value);
    if (parsed.success) return parsed.data;
    // A write has been taken, whatever its answer looks like.
    if (isWrite(call.endpoint)) throw unreadableAnswer(call.endpoint, answer.status);
    const issues = parsed.error.issues.slice(0, 3);
    throw new KlaviyoAnswerUnexpectedError(
      issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.code}`).join('; '),
      { endpoint: call.endpoint, status: answer.status },
    );
  }

  async #exchange(call: Call, body: string | null, options: CallOptions): Promise<Answer> {
    const { endpoint } = call;
    const { signal } = options;
    const abortInFlight = options.abortInFlight ?? !isWrite(endpoint);
    const abort = new AbortController();
    let onTheWire = false;
    const cancel = () => {
      if (abortInFlight || !onTheWire) abort.abort(signal?.reason);
    };
    const timer = setTimeout(() => abort.abort(TIMED_OUT), this.#settings.timeoutMs);
    signal?.addEventListener('abort', cancel, { once: true });

    const started = performance.now();
    const record = (status: number | null) =>
      this.#settings.onCall?.({ endpoint, status, durationMs: performance.now() - started });
    try {
      const request = this.#watched(() => (onTheWire = true)).request({
        ...this.#requestOptions(call, body),
        signal: abort.signal,
      });
      const answer = await readAnswer(await orAborted(request, abort.signal));
      // A write whose status came has its verdict; a read without its body has nothing.
      if (answer.body === null && !isWrite(endpoint)) abort.signal.throwIfAborted();
      record(answer.status);
      return answer;
    } catch (cause) {
      const late = abort.signal.reason === TIMED_OUT;
      if (onTheWire || late || !abort.signal.aborted) record(null);
      if (late) throw timedOut(endpoint, this.#settings.timeoutMs, onTheWire);
      abort.signal.throwIfAborted();
      throw errorOfConnection(endpoint, cause, this.#shownUrl, onTheWire);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  #requestOptions(call: Call, body: string | null): Dispatcher.RequestOptions {
    const { method, beta } = endpointOf(call.endpoint);
    const { apiKey, revision, betaRevision, userAgent } = this.#settings;
    return {
      origin: this.#settings.baseUrl.origin,
      method,
      path: call.target,
      body,
      headers: {
        authorization: `Klaviyo-API-Key ${apiKey}`,
        revision: beta ? betaRevision : revision,
        accept: 'application/vnd.api+json',
        'user-agent': userAgent,
        ...(body === null ? {} : { 'content-type': 'application/vnd.api+json' }),
      },
    };
  }

  /**
   * The pool, calling `onWire` when a connection stands and the request's first byte is about to be
   * written to it: what fails before was surely not sent.
   */
  #watched(onWire: () => void): Dispatcher.ComposedDispatcher {
    return this.#pool.compose((dispatch) => (options, handler) => {
      const onConnect = handler.onConnect?.bind(handler);
      handler.onConnect = (...connection) => {
        onWire();
        onConnect?.(...connection);
      };
      return dispatch(options, handler);
    });
  }
}

function encodeBody(call: Call): string | null {
  if (call.body === undefined) return null;
  const body = JSON.stringify(call.body);
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_BODY_BYTES) {
    throw new KlaviyoRequestInvalidError(
      `its body has ${bytes} bytes, and Klaviyo takes ${MAX_BODY_BYTES}; send fewer rows a request.`,
      call.endpoint,
    );
  }
  return body;
}

/** undici settles an aborted request only once it has a connection; this one settles at once. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** A status that came is kept even where the body breaks off: a 202 has been accepted. */
async function readAnswer(response: Dispatcher.ResponseData): Promise<Answer> {
  const header = (name: string): string | undefined => {
    const value = response.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const body = await response.body.text().catch(() => null);
  return { status: response.statusCode, header, body };
}
