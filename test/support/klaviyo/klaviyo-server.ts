import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  KlaviyoClient,
  type KlaviyoClientOptions,
  type RateLimiter,
} from '../../../src/klaviyo/index.js';

export const API_KEY = 'pk_test_0123456789abcdef';

/** A request as it arrived. */
export interface Received {
  readonly method: string;
  /** Path and query, still percent-encoded. */
  readonly target: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export type Responder = (request: Received, response: ServerResponse) => void;

/** A small server whose answers the test writes: each request takes the next responder, the last stays. */
export class KlaviyoServer {
  readonly received: Received[] = [];
  readonly #server: Server;
  #responders: Responder[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<KlaviyoServer> {
    const server = createServer();
    const self = new KlaviyoServer(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const target = request.url ?? '';
        const url = new URL(target, 'http://klaviyo.test');
        const received: Received = {
          method: request.method ?? '',
          target,
          path: url.pathname,
          query: url.searchParams,
          headers: request.headers,
          body: text === '' ? null : (JSON.parse(text) as unknown),
        };
        self.received.push(received);
        const responder =
          self.#responders.length > 1 ? self.#responders.shift() : self.#responders[0];
        if (responder === undefined) throw new Error(`no answer for ${target}`);
        responder(received, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return self;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers the next requests in this order, and every later one like the last. */
  answer(...responders: Responder[]): void {
    this.#responders = responders;
    this.received.length = 0;
  }

  /** The one request that came since the answers were given. */
  only(): Received {
    const [first, ...others] = this.received;
    if (first === undefined || others.length > 0) {
      throw new Error(`${this.received.length} requests came, not one`);
    }
    return first;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const JSON_API = 'application/vnd.api+json';

export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Responder {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': JSON_API, ...headers });
    response.end(JSON.stringify(body));
  };
}

export function empty(status: number, headers: Record<string, string> = {}): Responder {
  return (_request, response) => {
    response.writeHead(status, headers);
    response.end();
  };
}

export function html(status: number): Responder {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'text/html' });
    response.end('<html><body>Bad gateway</body></html>');
  };
}

/** Promises more bytes than it sends, then hangs up. */
export function cutShort(status: number, start: string): Responder {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': JSON_API, 'content-length': '100000' });
    response.write(start, () => response.destroy());
  };
}

/** Takes the request and hangs up. */
export const reset: Responder = (_request, response) => {
  response.destroy();
};

/** Takes the request and never answers. */
export const silence: Responder = () => {};

export interface KlaviyoErrorBody {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly pointer?: string;
}

export function errors(status: number, ...list: readonly KlaviyoErrorBody[]): Responder {
  return json(status, {
    errors: list.map(({ code = 'invalid', title = 'Invalid input.', detail = '', pointer }) => ({
      id: '2c76424d-0000-4000-8000-000000000000',
      status,
      code,
      title,
      detail,
      source: pointer === undefined ? {} : { pointer },
      links: {},
      meta: {},
    })),
  });
}

/** The recorded 429: `Retry-After` alone, `meta` an empty array. */
export function throttled(headers: Record<string, string>): Responder {
  return json(
    429,
    {
      errors: [
        {
          id: '2c76424d-0000-4000-8000-000000000001',
          status: 429,
          code: 'throttled',
          title: 'Request was throttled.',
          detail: 'Request was throttled. Expected available in 1 second.',
          source: { pointer: '/data' },
          links: { type: 'https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling' },
          meta: [],
        },
      ],
    },
    headers,
  );
}

/** Lets every call through and notes what it was asked. */
export class OpenLimiter implements RateLimiter {
  readonly acquired: string[] = [];
  readonly penalties: { endpoint: string; retryAfterMs: number }[] = [];

  async acquire(endpoint: string): Promise<void> {
    this.acquired.push(endpoint);
  }

  async penalise(endpoint: string, retryAfterMs: number): Promise<void> {
    this.penalties.push({ endpoint, retryAfterMs });
  }
}

export function clientOf(
  server: { readonly url: string },
  options: Partial<KlaviyoClientOptions> = {},
): KlaviyoClient {
  return new KlaviyoClient({
    apiKey: API_KEY,
    baseUrl: server.url,
    limiter: new OpenLimiter(),
    ...options,
  });
}

/** A profile resource; the attributes of a person without any consent unless given. */
export function profile(id: string, attributes: Record<string, unknown> = {}): unknown {
  return {
    type: 'profile',
    id,
    attributes: { email: null, phone_number: null, subscriptions: null, ...attributes },
    relationships: {},
    links: {},
  };
}
