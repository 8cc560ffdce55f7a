import { Pool, type Dispatcher } from 'undici';
import { endpointOf, isWrite, type EndpointName } from '../endpoints.js';
import { KlaviyoRequestInvalidError } from '../errors.js';
import { errorOfConnection, timedOut, type Answer } from './error-mapping.js';

/** One HTTP call, for metrics: no address, no id. */
export interface CallRecord {
  readonly endpoint: EndpointName;
  /** HTTP status; null if no answer came. */
  readonly status: number | null;
  /** From passing the request to the connection pool to the end of the answer, without the limiter. */
  readonly durationMs: number;
}

/** Path and query of a call, e.g. `/api/lists?page%5Bsize%5D=10`, and the body of a write. */
export interface Call {
  readonly endpoint: EndpointName;
  readonly target: string;
  readonly body?: unknown;
}

export interface ExchangeSettings {
  readonly apiKey: string;
  readonly baseUrl: URL;
  readonly onCall: ((call: CallRecord) => void) | undefined;
  /** The longest that a call may take. */
  readonly timeoutMs: number;
  readonly revision: string;
  readonly userAgent: string;
}

/** How one exchange can end early. */
export interface ExchangeBounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Whether aborting also ends a call that was already sent. */
  readonly abortInFlight: boolean;
}

/** "Max payload 5 MB" for every endpoint. */
const MAX_BODY_BYTES = 5_000_000;

/** More than the busiest endpoint needs: 75 calls per second of 0.6 s each. */
const MAX_CONNECTIONS = 128;

const TIMED_OUT = Symbol('timed out');

/** HTTP with Klaviyo: the connections, and one exchange of a request and its answer at a time. */
export class Exchanges {
  readonly #settings: ExchangeSettings;
  readonly #pool: Pool;
  /** The base URL for messages. */
  readonly shownUrl: string;

  constructor(settings: ExchangeSettings) {
    this.#settings = settings;
    this.shownUrl = settings.baseUrl.href.replace(/\/$/, '');
    this.#pool = new Pool(settings.baseUrl.origin, {
      connections: MAX_CONNECTIONS,
      connect: { timeout: settings.timeoutMs },
      // `make` has the only time-out, over connecting, sending and reading.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Resolves with an answer of any status; throws a `KlaviyoError` or `signal.reason`. */
  async make(call: Call, body: string | null, bounds: ExchangeBounds): Promise<Answer> {
    const { endpoint } = call;
    const { timeoutMs, signal, abortInFlight } = bounds;
    const abort = new AbortController();
    let sentAt: number | null = null;
    const cancel = () => {
      if (abortInFlight || sentAt === null) abort.abort(signal?.reason);
    };
    const timer = setTimeout(() => abort.abort(TIMED_OUT), timeoutMs);
    signal?.addEventListener('abort', cancel, { once: true });

    const started = performance.now();
    const record = (status: number | null) =>
      this.#settings.onCall?.({ endpoint, status, durationMs: performance.now() - started });
    try {
      const request = this.#watched(() => (sentAt ??= performance.now())).request({
        ...this.#requestOptions(call, body),
        signal: abort.signal,
      });
      const answer = await readAnswer(await orAborted(request, abort.signal), sentAt ?? started);
      // A status is enough for a write; a read needs its body.
      if (answer.body === null && !isWrite(endpoint)) abort.signal.throwIfAborted();
      record(answer.status);
      return answer;
    } catch (cause) {
      const late = abort.signal.reason === TIMED_OUT;
      const onTheWire = sentAt !== null;
      if (onTheWire || late || !abort.signal.aborted) record(null);
      if (late) throw timedOut(endpoint, timeoutMs, onTheWire);
      abort.signal.throwIfAborted();
      throw errorOfConnection(endpoint, cause, this.shownUrl, onTheWire);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  #requestOptions(call: Call, body: string | null): Dispatcher.RequestOptions {
    const { method } = endpointOf(call.endpoint);
    const { apiKey, revision, userAgent } = this.#settings;
    return {
      origin: this.#settings.baseUrl.origin,
      method,
      path: call.target,
      body,
      headers: {
        authorization: `Klaviyo-API-Key ${apiKey}`,
        revision,
        // A retired revision is answered with 410, not in the shape of a later one.
        'x-klaviyo-revision-fall-forward-opt-out': '1',
        accept: 'application/vnd.api+json',
        'user-agent': userAgent,
        ...(body === null ? {} : { 'content-type': 'application/vnd.api+json' }),
      },
    };
  }

  /**
   * The pool, calling `onWire` when a connection is open and the request's first byte is about to
   * be written: what fails before was certainly not sent.
   */
  #watched(onWire: () => void): Dispatcher.ComposedDispatcher {
    return this.#pool.compose((dispatch) => (options, handler) => {
      const onRequestStart = handler.onRequestStart?.bind(handler);
      handler.onRequestStart = (...start) => {
        onWire();
        onRequestStart?.(...start);
      };
      return dispatch(options, handler);
    });
  }
}

/** The JSON of a write's body; null if it has none. @throws KlaviyoRequestInvalidError */
export function encodeBody(call: Call): string | null {
  if (call.body === undefined) return null;
  const body = JSON.stringify(call.body);
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_BODY_BYTES) {
    throw new KlaviyoRequestInvalidError(
      `its body has ${bytes} bytes, but Klaviyo takes ${MAX_BODY_BYTES}; send fewer rows per request.`,
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

/** A received status is kept even if the body breaks off: a 202 has been accepted. */
async function readAnswer(response: Dispatcher.ResponseData, sentAt: number): Promise<Answer> {
  const headAt = performance.now();
  const header = (name: string): string | undefined => {
    const value = response.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const body = await response.body.text().catch(() => null);
  return { status: response.statusCode, header, body, sentAt, headAt, endAt: performance.now() };
}
